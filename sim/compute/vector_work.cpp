#include "sim/compute/vector_work.h"

#include <algorithm>
#include <initializer_list>

#include "isa/functions.h"
#include "sim/base/error.h"

namespace npu::compute {
namespace {

using isa::Memory;
using isa::Opcode;
using isa::Opd;

constexpr std::int64_t kMaxSteps = std::int64_t{1} << 40;

struct Dim {
  std::int64_t count, stride;
};

Extent box(std::int64_t base, std::int64_t run, std::initializer_list<Dim> dims) {
  Extent e{base, base + run};
  for (const Dim& d : dims) {
    const std::int64_t reach = (d.count - 1) * d.stride;
    (reach < 0 ? e.low : e.high) += reach;
  }
  return e;
}

/// Collects the streams of one instruction.
class Describer {
 public:
  Describer(const isa::Instruction& instruction, std::int32_t index)
      : in_(instruction), index_(index) {}

  [[nodiscard]] std::int64_t get(Opd opd) const { return in_[opd]; }
  [[nodiscard]] std::int64_t positive(Opd opd) const {
    if (in_[opd] <= 0) fault(fmt::format("{} must be at least 1, got {}", name_of(opd), in_[opd]));
    return in_[opd];
  }
  [[nodiscard]] std::int64_t size(Opd type) const {
    return size_of(static_cast<Element>(in_[type]));
  }

  void set_work(timing::VectorClass kind, std::initializer_list<std::int64_t> element_dims,
                std::initializer_list<std::int64_t> step_dims) {
    work_.kind = kind;
    work_.elements = product(element_dims, 1);
    work_.steps = product(step_dims, 1);
    (void)product({work_.elements, work_.steps}, 1);
  }
  void stream(const char* operand, Memory memory, bool is_write, Extent extent,
              std::int64_t bytes) {
    work_.streams[work_.stream_count++] = {operand, memory, is_write, extent, bytes};
  }
  /// Rows of accumulators, written, and read first where they are accumulated into.
  void accumulate(std::int64_t rows, std::int64_t columns, std::int64_t pitch) {
    const Extent extent = box(get(Opd::kAcc), columns * 4, {{rows, pitch * 4}});
    if (get(Opd::kAccumulate) != 0)
      stream("acc", Memory::kAccumulator, false, extent, rows * columns * 4);
    stream("acc", Memory::kAccumulator, true, extent, rows * columns * 4);
  }
  void params(std::int64_t bytes) {
    const std::int64_t at = get(Opd::kParams);
    stream("params", Memory::kScratchpad, false, {at, at + bytes}, bytes);
  }
  void table(std::int64_t bytes) {
    const std::int64_t at = get(Opd::kTable);
    stream("table", Memory::kScratchpad, false, {at, at + bytes}, bytes);
  }
  [[nodiscard]] const VectorWork& work() const { return work_; }
  [[noreturn]] void fault(const std::string& what) const {
    throw RunFault(
        fmt::format("instruction {}: {}: {}", index_, isa::spec_of(in_.opcode).mnemonic, what));
  }

 private:
  [[nodiscard]] std::int64_t product(std::initializer_list<std::int64_t> dims,
                                     std::int64_t p) const {
    for (const std::int64_t d : dims) {
      if (__builtin_mul_overflow(p, d, &p) || p > kMaxSteps) fault("more than 2^40 steps");
    }
    return p;
  }

  const isa::Instruction& in_;
  std::int32_t index_;
  VectorWork work_;
};

void requantize(Describer& d) {
  const std::int64_t h = d.positive(Opd::kOutH);
  const std::int64_t w = d.positive(Opd::kOutW);
  const std::int64_t c = d.positive(Opd::kOutC);
  const bool wide = d.get(Opd::kWide) != 0;
  const std::int64_t sum = wide ? 8 : 4;
  const std::int64_t out = d.size(Opd::kOutType);
  d.set_work(timing::VectorClass::kRequantize, {h, w, c}, {1});
  if (d.get(Opd::kStream) == 0) {
    d.stream("acc", Memory::kAccumulator, false,
             box(d.get(Opd::kAcc), c * sum, {{h * w, d.get(Opd::kAccPitch) * sum}}),
             h * w * c * sum);
  }
  d.params((d.get(Opd::kPerChannel) != 0 ? c : 1) * (wide ? 16 : 12));
  d.stream("dst", Memory::kScratchpad, true,
           box(d.get(Opd::kDst), c * out,
               {{h, d.get(Opd::kDstRowStride)}, {w, d.get(Opd::kDstPixelStride)}}),
           h * w * c * out);
}

/// @return n0 · n1 · n2 after setting the work.
std::int64_t elements(Describer& d, timing::VectorClass kind) {
  d.set_work(kind, {d.positive(Opd::kN0), d.positive(Opd::kN1), d.positive(Opd::kN2)}, {1});
  return d.work().elements;
}

void destination(Describer& d, std::int64_t count, std::int64_t size) {
  d.stream(
      "dst", Memory::kScratchpad, true,
      box(d.get(Opd::kDst), d.get(Opd::kN0) * size,
          {{d.get(Opd::kN1), d.get(Opd::kDstStride1)}, {d.get(Opd::kN2), d.get(Opd::kDstStride2)}}),
      count * size);
}

void unary(Describer& d, timing::VectorClass kind, std::int64_t in_size, std::int64_t out_size) {
  const std::int64_t count = elements(d, kind);
  d.stream(
      "src", Memory::kScratchpad, false,
      box(d.get(Opd::kSrc), d.get(Opd::kN0) * in_size,
          {{d.get(Opd::kN1), d.get(Opd::kSrcStride1)}, {d.get(Opd::kN2), d.get(Opd::kSrcStride2)}}),
      count * in_size);
  destination(d, count, out_size);
}

void binary(Describer& d, timing::VectorClass kind, bool has_params) {
  const std::int64_t count = elements(d, kind);
  const std::int64_t size = d.size(Opd::kInType);
  const auto source = [&](const char* name, Opd base, Opd broadcast, Opd stride1, Opd stride2) {
    const std::int64_t run = d.get(broadcast) != 0 ? 1 : d.get(Opd::kN0);
    d.stream(name, Memory::kScratchpad, false,
             box(d.get(base), run * size,
                 {{d.get(Opd::kN1), d.get(stride1)}, {d.get(Opd::kN2), d.get(stride2)}}),
             run * d.get(Opd::kN1) * d.get(Opd::kN2) * size);
  };
  source("a", Opd::kA, Opd::kABroadcast, Opd::kAStride1, Opd::kAStride2);
  source("b", Opd::kB, Opd::kBBroadcast, Opd::kBStride1, Opd::kBStride2);
  if (has_params) d.params(12 * 4);
  destination(d, count, size);
}

void pool(Describer& d) {
  const WindowAxis h{.in = d.positive(Opd::kInH),
                     .origin = d.get(Opd::kY0),
                     .kernel = d.positive(Opd::kKernelH),
                     .stride = d.get(Opd::kStrideH),
                     .out = d.positive(Opd::kOutH)};
  const WindowAxis v{.in = d.positive(Opd::kInW),
                     .origin = d.get(Opd::kX0),
                     .kernel = d.positive(Opd::kKernelW),
                     .stride = d.get(Opd::kStrideW),
                     .out = d.positive(Opd::kOutW)};
  const std::int64_t c = d.positive(Opd::kOutC);
  const std::int64_t size = d.size(Opd::kInType);
  d.set_work(timing::VectorClass::kPool, {h.out, v.out, c}, {h.kernel, v.kernel});
  const AxisUse rows = use_of(h);
  const AxisUse pixels = use_of(v);
  if (rows.pairs > 0 && pixels.pairs > 0) {
    const std::int64_t row = d.get(Opd::kRowStride);
    const std::int64_t pixel = d.get(Opd::kPixelStride);
    d.stream("x", Memory::kScratchpad, false,
             box(d.get(Opd::kX) + rows.low * row + pixels.low * pixel, c * size,
                 {{rows.high - rows.low, row}, {pixels.high - pixels.low, pixel}}),
             rows.pairs * pixels.pairs * c * size);
  }
  d.stream("dst", Memory::kScratchpad, true,
           box(d.get(Opd::kDst), c * size,
               {{h.out, d.get(Opd::kDstRowStride)}, {v.out, d.get(Opd::kDstPixelStride)}}),
           h.out * v.out * c * size);
}

void reduce_sum(Describer& d) {
  const std::int64_t rows = d.positive(Opd::kRows);
  const std::int64_t n = d.positive(Opd::kN0);
  const std::int64_t r1 = d.positive(Opd::kR1);
  const std::int64_t r2 = d.positive(Opd::kR2);
  const std::int64_t size = d.size(Opd::kInType);
  d.set_work(timing::VectorClass::kReduce, {rows, n}, {r1, r2});
  d.stream("src", Memory::kScratchpad, false,
           box(d.get(Opd::kSrc), size,
               {{n, d.get(Opd::kSrcStep0)},
                {rows, d.get(Opd::kSrcStride1)},
                {r1, d.get(Opd::kRStride1)},
                {r2, d.get(Opd::kRStride2)}}),
           d.work().elements * d.work().steps * size);
  d.accumulate(rows, n, d.get(Opd::kAccPitch));
}

void dot(Describer& d) {
  const std::int64_t rows = d.positive(Opd::kRows);
  const std::int64_t n = d.positive(Opd::kN0);
  d.set_work(timing::VectorClass::kReduce, {rows}, {n});
  const auto source = [&](const char* name, Opd base, Opd stride, Opd type) {
    const std::int64_t run = n * d.size(type);
    d.stream(name, Memory::kScratchpad, false, box(d.get(base), run, {{rows, d.get(stride)}}),
             rows * run);
  };
  source("a", Opd::kA, Opd::kAStride1, Opd::kAType);
  source("b", Opd::kB, Opd::kBStride1, Opd::kBType);
  d.accumulate(1, rows, 0);
}

void softmax(Describer& d) {
  constexpr std::int64_t kPasses = 3;
  const std::int64_t rows = d.positive(Opd::kRows);
  const std::int64_t n = d.positive(Opd::kN0);
  const auto in_type = static_cast<Element>(d.get(Opd::kInType));
  const auto out_type = static_cast<Element>(d.get(Opd::kOutType));
  if (in_type >= Element::kInt32) d.fault("in_type must be int8, uint8 or int16");
  if (out_type >= Element::kInt32) d.fault("out_type must be int8, uint8 or int16");
  d.set_work(timing::VectorClass::kSoftmax, {rows, n}, {1});
  d.stream("src", Memory::kScratchpad, false,
           box(d.get(Opd::kSrc), n * size_of(in_type), {{rows, d.get(Opd::kSrcStride1)}}),
           kPasses * rows * n * size_of(in_type));
  d.params(3 * 4);
  d.stream("dst", Memory::kScratchpad, true,
           box(d.get(Opd::kDst), n * size_of(out_type), {{rows, d.get(Opd::kDstStride1)}}),
           rows * n * size_of(out_type));
}

/// Two neighbouring entries are read per element.
void interpolate(Describer& d) {
  unary(d, timing::VectorClass::kLut, 2, 2);
  d.set_work(timing::VectorClass::kLut, {d.work().elements}, {2});
  d.params(7 * 4);
  d.table(256 * 2);
}

void softmax_table(Describer& d) {
  constexpr std::int64_t kPasses = 3;
  const std::int64_t rows = d.positive(Opd::kRows);
  const std::int64_t run = d.positive(Opd::kN0) * 2;
  d.set_work(timing::VectorClass::kSoftmax, {rows, run / 2}, {1});
  d.stream("src", Memory::kScratchpad, false,
           box(d.get(Opd::kSrc), run, {{rows, d.get(Opd::kSrcStride1)}}), kPasses * rows * run);
  d.params(2 * 4);
  d.table(2 * 513 * 2);
  d.stream("dst", Memory::kScratchpad, true,
           box(d.get(Opd::kDst), run, {{rows, d.get(Opd::kDstStride1)}}), rows * run);
}

timing::VectorClass class_of(MapFunction function) {
  switch (info_of(function).cost) {
    case FunctionClass::kElementwise:
      break;
    case FunctionClass::kMultiply:
      return timing::VectorClass::kMultiply;
    case FunctionClass::kSpecial:
      return timing::VectorClass::kFunction;
  }
  return timing::VectorClass::kElementwise;
}

void map(Describer& d) {
  const std::int64_t n0 = d.positive(Opd::kN0);
  const std::int64_t n1 = d.positive(Opd::kN1);
  const std::int64_t n2 = d.positive(Opd::kN2);
  const MapFunction function = isa::map_function(d.get(Opd::kFunction));
  d.set_work(class_of(function), {n0, n1, n2}, {1});
  /// A value that a whole row shares is read once for it.
  const auto stream = [&](const char* name, bool is_write, Opd base, Opd type, Opd step,
                          Opd stride1, Opd stride2) {
    const std::int64_t size = d.size(type);
    const std::int64_t run = d.get(step) == 0 ? 1 : n0;
    d.stream(
        name, Memory::kScratchpad, is_write,
        box(d.get(base), size, {{n0, d.get(step)}, {n1, d.get(stride1)}, {n2, d.get(stride2)}}),
        run * n1 * n2 * size);
  };
  stream("a", false, Opd::kA, Opd::kAType, Opd::kAStep0, Opd::kAStride1, Opd::kAStride2);
  if (info_of(function).operands == 2 && d.get(Opd::kBImmediate) == 0) {
    stream("b", false, Opd::kB, Opd::kBType, Opd::kBStep0, Opd::kBStride1, Opd::kBStride2);
  }
  const auto destination = [&](bool is_write) {
    stream("dst", is_write, Opd::kDst, Opd::kOutType, Opd::kDstStep0, Opd::kDstStride1,
           Opd::kDstStride2);
  };
  if (function == MapFunction::kSelect) destination(false);
  destination(true);
}

void reduce(Describer& d) {
  const std::int64_t n0 = d.positive(Opd::kN0);
  const std::int64_t r1 = d.positive(Opd::kR1);
  const std::int64_t n1 = d.positive(Opd::kN1);
  const std::int64_t n2 = d.positive(Opd::kN2);
  (void)isa::reduce_function(d.get(Opd::kFunction));
  d.set_work(timing::VectorClass::kReduce, {n1, n2}, {n0, r1});
  const std::int64_t in = d.size(Opd::kInType);
  const std::int64_t out = d.size(Opd::kOutType);
  d.stream("src", Memory::kScratchpad, false,
           box(d.get(Opd::kSrc), in,
               {{n0, d.get(Opd::kSrcStep0)},
                {r1, d.get(Opd::kRStride1)},
                {n1, d.get(Opd::kSrcStride1)},
                {n2, d.get(Opd::kSrcStride2)}}),
           d.work().elements * d.work().steps * in);
  const Extent dst =
      box(d.get(Opd::kDst), out, {{n1, d.get(Opd::kDstStride1)}, {n2, d.get(Opd::kDstStride2)}});
  if (d.get(Opd::kAccumulate) != 0) d.stream("dst", Memory::kScratchpad, false, dst, n1 * n2 * out);
  d.stream("dst", Memory::kScratchpad, true, dst, n1 * n2 * out);
}

void output(Describer& d) {
  const std::int64_t h = d.positive(Opd::kOutH);
  const std::int64_t w = d.positive(Opd::kOutW);
  const std::int64_t c = d.positive(Opd::kOutC);
  const std::int64_t size = d.size(Opd::kOutType);
  const bool raw = d.get(Opd::kRaw) != 0;
  d.set_work(timing::VectorClass::kRequantize, {h, w, c}, {1});
  d.stream("acc", Memory::kAccumulator, false,
           box(d.get(Opd::kAcc), c * 4, {{h * w, d.get(Opd::kAccPitch) * 4}}), h * w * c * 4);
  if (!raw) {
    d.params((d.get(Opd::kPerChannel) != 0 ? c : 1) * 8);
    if (d.get(Opd::kScaleRows) != 0) {
      const std::int64_t at = d.get(Opd::kRowsAt);
      d.stream("rows_at", Memory::kScratchpad, false, {at, at + h * w * 4}, h * w * 4);
    }
  }
  const Extent dst = box(d.get(Opd::kDst), c * size,
                         {{h, d.get(Opd::kDstRowStride)}, {w, d.get(Opd::kDstPixelStride)}});
  if (!raw && d.get(Opd::kAccumulate) != 0) {
    d.stream("dst", Memory::kScratchpad, false, dst, h * w * c * size);
  }
  d.stream("dst", Memory::kScratchpad, true, dst, h * w * c * size);
}

}  // namespace

VectorWork describe_vector(const isa::Instruction& instruction, std::int32_t index) {
  Describer d(instruction, index);
  switch (instruction.opcode) {
    case Opcode::kRequantize:
      requantize(d);
      break;
    case Opcode::kRescale:
      unary(d, timing::VectorClass::kRequantize, d.size(Opd::kInType), d.size(Opd::kOutType));
      d.params(8 * 4);
      break;
    case Opcode::kLut:
      unary(d, timing::VectorClass::kLut, 1, d.size(Opd::kOutType));
      d.table(256 * d.size(Opd::kOutType));
      break;
    case Opcode::kAdd:
    case Opcode::kSub:
      binary(d, timing::VectorClass::kElementwise, true);
      break;
    case Opcode::kMul:
      binary(d, timing::VectorClass::kMultiply, true);
      break;
    case Opcode::kMax:
    case Opcode::kMin:
      binary(d, timing::VectorClass::kElementwise, false);
      break;
    case Opcode::kMaxPool:
    case Opcode::kAvgPool:
      pool(d);
      break;
    case Opcode::kReduceSum:
      reduce_sum(d);
      break;
    case Opcode::kDot:
      dot(d);
      break;
    case Opcode::kSoftmax:
      softmax(d);
      break;
    case Opcode::kInterpolate:
      interpolate(d);
      break;
    case Opcode::kSoftmaxTable:
      softmax_table(d);
      break;
    case Opcode::kMap:
      map(d);
      break;
    case Opcode::kReduce:
      reduce(d);
      break;
    case Opcode::kOutput:
      output(d);
      break;
    case Opcode::kHalt:
    case Opcode::kLoop:
    case Opcode::kSync:
    case Opcode::kDmaLoad:
    case Opcode::kDmaStore:
    case Opcode::kDmaCopy:
    case Opcode::kDmaFill:
    case Opcode::kLoadWeights:
    case Opcode::kConv:
    case Opcode::kDepthwise:
    case Opcode::kGemm:
      NPU_CHECK(false, "not an instruction of the vector unit");
  }
  return d.work();
}

}  // namespace npu::compute
