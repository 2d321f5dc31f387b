#include "sim/compute/vector_work.h"

#include "sim/compute/vector_describer.h"

namespace npu::compute {

Extent box(std::int64_t base, std::int64_t run, std::initializer_list<Dim> dims) {
  Extent e{base, base + run};
  for (const Dim& d : dims) {
    const std::int64_t reach = (d.count - 1) * d.stride;
    (reach < 0 ? e.low : e.high) += reach;
  }
  return e;
}

namespace {

using isa::Memory;
using isa::Opcode;
using isa::Opd;

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
  d.set_float(d.is_float(Opd::kInType));
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
  if (in_type >= Element::kInt32) {
    d.fault(fmt::format("in_type must be int8, uint8 or int16, got code {}", d.get(Opd::kInType)));
  }
  if (out_type >= Element::kInt32) {
    d.fault(
        fmt::format("out_type must be int8, uint8 or int16, got code {}", d.get(Opd::kOutType)));
  }
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
      describe_map(d);
      break;
    case Opcode::kReduce:
      describe_reduce(d);
      break;
    case Opcode::kOutput:
      describe_output(d);
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
