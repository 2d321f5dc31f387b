#include "isa/footprint.h"

#include "isa/footprint_builder.h"
#include "isa/functions.h"
#include "isa/window.h"
#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::isa {
namespace {

using Builder = FootprintBuilder;

std::int64_t accumulator_bytes(const Builder& b) { return b.get(Opd::kWide) != 0 ? 8 : 4; }

void conv(Builder& b) {
  Window window = b.window();
  window.h.dilation = b.get(Opd::kDilationH);
  window.w.dilation = b.get(Opd::kDilationW);
  window.h.up = b.get(Opd::kUpH);
  window.w.up = b.get(Opd::kUpW);
  const std::int64_t taps = b.get(Opd::kKernelH) * b.get(Opd::kKernelW);
  b.read_window(window, b.get(Opd::kInC) * b.element(Opd::kXType));
  b.read(Opd::kW, taps * b.get(Opd::kInC) * b.element(Opd::kWType),
         {{b.get(Opd::kOutC), b.get(Opd::kWStride)}});
  if (b.get(Opd::kStream) != 0) return;
  b.accumulate(b.get(Opd::kOutH) * b.get(Opd::kOutW), b.get(Opd::kOutC), b.get(Opd::kAccPitch),
               accumulator_bytes(b));
}

void depthwise(Builder& b) {
  Window window = b.window();
  window.h.dilation = b.get(Opd::kDilationH);
  window.w.dilation = b.get(Opd::kDilationW);
  const std::int64_t multiplier = std::max<std::int64_t>(b.get(Opd::kMultiplier), 1);
  const std::int64_t taps = b.get(Opd::kKernelH) * b.get(Opd::kKernelW);
  b.read_window(window, ceil_div(b.get(Opd::kOutC), multiplier) * b.element(Opd::kXType));
  b.read(Opd::kW, b.get(Opd::kOutC) * b.element(Opd::kWType), {{taps, b.get(Opd::kWTapStride)}});
  b.accumulate(b.get(Opd::kOutH) * b.get(Opd::kOutW), b.get(Opd::kOutC), b.get(Opd::kAccPitch),
               accumulator_bytes(b));
}

/// n rows of k weights, or k rows of n.
void gemm_weights(Builder& b) {
  const bool transposed = b.get(Opd::kWTransposed) != 0;
  b.read(Opd::kW, b.get(transposed ? Opd::kN : Opd::kK) * b.element(Opd::kWType),
         {{b.get(transposed ? Opd::kK : Opd::kN), b.get(Opd::kWStride)}});
}

void gemm(Builder& b) {
  b.read(Opd::kX, b.get(Opd::kK) * b.element(Opd::kXType),
         {{b.get(Opd::kM), b.get(Opd::kRowStride)}});
  gemm_weights(b);
  if (b.get(Opd::kStream) != 0) return;
  b.accumulate(b.get(Opd::kM), b.get(Opd::kN), b.get(Opd::kAccPitch), accumulator_bytes(b));
}

void requantize(Builder& b) {
  const std::int64_t out_h = b.get(Opd::kOutH);
  const std::int64_t out_w = b.get(Opd::kOutW);
  const std::int64_t out_c = b.get(Opd::kOutC);
  const bool wide = b.get(Opd::kWide) != 0;
  const std::int64_t element = accumulator_bytes(b);
  if (b.get(Opd::kStream) == 0) {
    b.read(Opd::kAcc, out_c * element, {{out_h * out_w, b.get(Opd::kAccPitch) * element}},
           Memory::kAccumulator);
  }
  b.read(Opd::kParams, (b.get(Opd::kPerChannel) != 0 ? out_c : 1) * (wide ? 16 : 12));
  b.write(Opd::kDst, out_c * b.element(Opd::kOutType),
          {{out_w, b.get(Opd::kDstPixelStride)}, {out_h, b.get(Opd::kDstRowStride)}});
}

/// src and dst of `n0` elements in up to 3-D.
void unary(Builder& b, std::int64_t src_element, std::int64_t dst_element) {
  b.read(Opd::kSrc, b.get(Opd::kN0) * src_element,
         {{b.get(Opd::kN1), b.get(Opd::kSrcStride1)}, {b.get(Opd::kN2), b.get(Opd::kSrcStride2)}});
  b.write(Opd::kDst, b.get(Opd::kN0) * dst_element,
          {{b.get(Opd::kN1), b.get(Opd::kDstStride1)}, {b.get(Opd::kN2), b.get(Opd::kDstStride2)}});
}

void binary(Builder& b, bool has_params) {
  const std::int64_t n0 = b.get(Opd::kN0);
  const std::int64_t n1 = b.get(Opd::kN1);
  const std::int64_t n2 = b.get(Opd::kN2);
  const std::int64_t element = b.element(Opd::kInType);
  b.read(Opd::kA, (b.get(Opd::kABroadcast) != 0 ? 1 : n0) * element,
         {{n1, b.get(Opd::kAStride1)}, {n2, b.get(Opd::kAStride2)}});
  b.read(Opd::kB, (b.get(Opd::kBBroadcast) != 0 ? 1 : n0) * element,
         {{n1, b.get(Opd::kBStride1)}, {n2, b.get(Opd::kBStride2)}});
  if (has_params) b.read(Opd::kParams, 12 * 4);
  b.write(Opd::kDst, n0 * element, {{n1, b.get(Opd::kDstStride1)}, {n2, b.get(Opd::kDstStride2)}});
}

void pool(Builder& b) {
  const std::int64_t run = b.get(Opd::kOutC) * b.element(Opd::kInType);
  b.read_window(b.window(), run);
  b.write(Opd::kDst, run,
          {{b.get(Opd::kOutW), b.get(Opd::kDstPixelStride)},
           {b.get(Opd::kOutH), b.get(Opd::kDstRowStride)}});
}

void reduce_sum(Builder& b) {
  b.read(Opd::kSrc, b.element(Opd::kInType),
         {{b.get(Opd::kN0), b.get(Opd::kSrcStep0)},
          {b.get(Opd::kRows), b.get(Opd::kSrcStride1)},
          {b.get(Opd::kR1), b.get(Opd::kRStride1)},
          {b.get(Opd::kR2), b.get(Opd::kRStride2)}});
  b.accumulate(b.get(Opd::kRows), b.get(Opd::kN0), b.get(Opd::kAccPitch), 4);
}

void dot(Builder& b) {
  const std::int64_t rows = b.get(Opd::kRows);
  b.read(Opd::kA, b.get(Opd::kN0) * b.element(Opd::kAType), {{rows, b.get(Opd::kAStride1)}});
  b.read(Opd::kB, b.get(Opd::kN0) * b.element(Opd::kBType), {{rows, b.get(Opd::kBStride1)}});
  b.accumulate(1, rows, 0, 4);
}

void softmax(Builder& b) {
  const std::int64_t rows = b.get(Opd::kRows);
  const std::int64_t n0 = b.get(Opd::kN0);
  b.read(Opd::kSrc, n0 * b.element(Opd::kInType), {{rows, b.get(Opd::kSrcStride1)}});
  b.read(Opd::kParams, 3 * 4);
  b.write(Opd::kDst, n0 * b.element(Opd::kOutType), {{rows, b.get(Opd::kDstStride1)}});
}

void interpolate(Builder& b) {
  unary(b, 2, 2);
  b.read(Opd::kParams, 7 * 4);
  b.read(Opd::kTable, 256 * 2);
}

void softmax_table(Builder& b) {
  const std::int64_t rows = b.get(Opd::kRows);
  const std::int64_t run = b.get(Opd::kN0) * 2;
  b.read(Opd::kSrc, run, {{rows, b.get(Opd::kSrcStride1)}});
  b.read(Opd::kParams, 2 * 4);
  b.read(Opd::kTable, 2 * 513 * 2);
  b.write(Opd::kDst, run, {{rows, b.get(Opd::kDstStride1)}});
}

void map(Builder& b) {
  const std::int64_t n0 = b.get(Opd::kN0);
  const std::int64_t n1 = b.get(Opd::kN1);
  const std::int64_t n2 = b.get(Opd::kN2);
  const auto function = map_function(b.get(Opd::kFunction));
  b.read(Opd::kA, b.element(Opd::kAType),
         {{n0, b.get(Opd::kAStep0)}, {n1, b.get(Opd::kAStride1)}, {n2, b.get(Opd::kAStride2)}});
  if (info_of(function).operands == 2 && b.get(Opd::kBImmediate) == 0) {
    b.read(Opd::kB, b.element(Opd::kBType),
           {{n0, b.get(Opd::kBStep0)}, {n1, b.get(Opd::kBStride1)}, {n2, b.get(Opd::kBStride2)}});
  }
  const std::initializer_list<Dim> dst = {
      {n0, b.get(Opd::kDstStep0)}, {n1, b.get(Opd::kDstStride1)}, {n2, b.get(Opd::kDstStride2)}};
  if (function == MapFunction::kSelect) b.read(Opd::kDst, b.element(Opd::kOutType), dst);
  b.write(Opd::kDst, b.element(Opd::kOutType), dst);
}

void reduce(Builder& b) {
  const std::int64_t n1 = b.get(Opd::kN1);
  const std::int64_t n2 = b.get(Opd::kN2);
  b.read(Opd::kSrc, b.element(Opd::kInType),
         {{b.get(Opd::kN0), b.get(Opd::kSrcStep0)},
          {b.get(Opd::kR1), b.get(Opd::kRStride1)},
          {n1, b.get(Opd::kSrcStride1)},
          {n2, b.get(Opd::kSrcStride2)}});
  const std::initializer_list<Dim> dst = {{n1, b.get(Opd::kDstStride1)},
                                          {n2, b.get(Opd::kDstStride2)}};
  if (b.get(Opd::kAccumulate) != 0) b.read(Opd::kDst, b.element(Opd::kOutType), dst);
  b.write(Opd::kDst, b.element(Opd::kOutType), dst);
}

void output(Builder& b) {
  const std::int64_t out_h = b.get(Opd::kOutH);
  const std::int64_t out_w = b.get(Opd::kOutW);
  const std::int64_t out_c = b.get(Opd::kOutC);
  const bool raw = b.get(Opd::kRaw) != 0;
  b.read(Opd::kAcc, out_c * 4, {{out_h * out_w, b.get(Opd::kAccPitch) * 4}}, Memory::kAccumulator);
  if (!raw) b.read(Opd::kParams, (b.get(Opd::kPerChannel) != 0 ? out_c : 1) * 8);
  if (!raw && b.get(Opd::kScaleRows) != 0) b.read(Opd::kRowsAt, out_h * out_w * 4);
  const std::initializer_list<Dim> dims = {{out_w, b.get(Opd::kDstPixelStride)},
                                           {out_h, b.get(Opd::kDstRowStride)}};
  const std::int64_t run = out_c * b.element(Opd::kOutType);
  if (!raw && b.get(Opd::kAccumulate) != 0) b.read(Opd::kDst, run, dims);
  b.write(Opd::kDst, run, dims);
}

}  // namespace

std::int64_t Region::low() const {
  std::int64_t at = base;
  for (std::size_t i = 0; i < 3; ++i) at += std::min<std::int64_t>(0, stride[i] * (count[i] - 1));
  return at;
}

std::int64_t Region::high() const {
  std::int64_t at = base + run;
  for (std::size_t i = 0; i < 3; ++i) at += std::max<std::int64_t>(0, stride[i] * (count[i] - 1));
  return at;
}

Region canonical(Region region) {
  std::vector<Region> out;
  add_box(out, region.memory, region.base, region.run,
          std::array<Dim, 3>{{{region.count[0], region.stride[0]},
                              {region.count[1], region.stride[1]},
                              {region.count[2], region.stride[2]}}});
  NPU_CHECK(out.size() == 1, "a region has a run and counts of at least 1");
  return out.front();
}

void footprint(const Instruction& instruction, Footprint& out) {
  out.reads.clear();
  out.writes.clear();
  Builder b(instruction, out);
  switch (instruction.opcode) {
    case Opcode::kHalt:
    case Opcode::kLoop:
    case Opcode::kSync:
      return;
    case Opcode::kDmaLoad:
      b.dma_read(Memory::kDram);
      b.dma_write(Memory::kScratchpad, b.get(Opd::kN0));
      return;
    case Opcode::kDmaStore:
      b.dma_read(Memory::kScratchpad);
      b.dma_write(Memory::kDram, b.get(Opd::kN0));
      return;
    case Opcode::kDmaCopy:
      b.dma_read(Memory::kScratchpad);
      b.dma_write(Memory::kScratchpad, b.get(Opd::kN0));
      return;
    case Opcode::kDmaFill:
      b.dma_write(Memory::kScratchpad, b.get(Opd::kN0) * b.get(Opd::kElementBytes));
      return;
    case Opcode::kLoadWeights:
      return gemm_weights(b);
    case Opcode::kConv:
      return conv(b);
    case Opcode::kDepthwise:
      return depthwise(b);
    case Opcode::kGemm:
      return gemm(b);
    case Opcode::kRequantize:
      return requantize(b);
    case Opcode::kRescale:
      unary(b, b.element(Opd::kInType), b.element(Opd::kOutType));
      b.read(Opd::kParams, 8 * 4);
      return;
    case Opcode::kLut:
      unary(b, 1, b.element(Opd::kOutType));
      b.read(Opd::kTable, 256 * b.element(Opd::kOutType));
      return;
    case Opcode::kAdd:
    case Opcode::kSub:
    case Opcode::kMul:
      return binary(b, true);
    case Opcode::kMax:
    case Opcode::kMin:
      return binary(b, false);
    case Opcode::kMaxPool:
    case Opcode::kAvgPool:
      return pool(b);
    case Opcode::kReduceSum:
      return reduce_sum(b);
    case Opcode::kDot:
      return dot(b);
    case Opcode::kSoftmax:
      return softmax(b);
    case Opcode::kInterpolate:
      return interpolate(b);
    case Opcode::kSoftmaxTable:
      return softmax_table(b);
    case Opcode::kMap:
      return map(b);
    case Opcode::kReduce:
      return reduce(b);
    case Opcode::kOutput:
      return output(b);
  }
}

Footprint footprint(const Instruction& instruction) {
  Footprint out;
  footprint(instruction, out);
  return out;
}

}  // namespace npu::isa
