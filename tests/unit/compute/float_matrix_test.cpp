#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "sim/compute/matrix_executor.h"
#include "tests/unit/compute/random_floats.h"

namespace npu::compute {
namespace {

using isa::Opcode;
using isa::Opd;
using test::bytes_of;
using test::Draw;
using test::fill_values;
using test::Memories;

constexpr std::int64_t kWeightsAt = 1 << 15, kBytes = 1 << 18;

void expect_same(const isa::Instruction& instruction, Memories memories, const std::string& what) {
  Memories expected = memories;
  test::interpret(instruction, Rounding::kTfliteDouble, expected);
  const MacOperation op = decode_mac(instruction, 0);
  const MacOperands touched = operands_of(op);
  ASSERT_LE(touched.acc.high, static_cast<std::int64_t>(memories.accumulator.size()));
  ASSERT_LE(touched.x.high, kWeightsAt);
  ASSERT_LE(touched.w.high, static_cast<std::int64_t>(memories.scratchpad.size()));
  Memories plain = memories;
  MatrixExecutor executor;
  executor.run(op, nullptr, memories.scratchpad, memories.accumulator);
  ASSERT_TRUE(memories.accumulator == expected.accumulator) << what;
  if (op.x_type < Element::kFloat16) return;
  run_plain_floats(op, nullptr, plain.scratchpad, plain.accumulator);
  ASSERT_TRUE(plain.accumulator == expected.accumulator) << what << ", element by element";
}

isa::Instruction random_conv(Draw& draw, bool depthwise) {
  const std::int64_t type = draw(4, 6);
  const std::int64_t bytes = bytes_of(type);
  const std::int64_t out_c = draw(1, draw.chance(3) ? 50 : 20);
  const std::int64_t multiplier = depthwise && draw.chance(3) ? draw(2, 4) : 1;
  const std::int64_t in_c = depthwise ? (out_c + multiplier - 1) / multiplier : draw(1, 24);
  const std::int64_t kernel_h = draw(1, 4);
  const std::int64_t kernel_w = draw(1, 4);
  const std::int64_t in_w = draw(1, 9);
  const std::int64_t pixel = in_c * bytes + (draw.chance(3) ? draw(1, 7) : 0);
  const std::int64_t depth = depthwise ? out_c : kernel_h * kernel_w * in_c;
  isa::Instruction i = test::make(depthwise ? Opcode::kDepthwise : Opcode::kConv,
                                  {{Opd::kX, draw(0, 50)},
                                   {Opd::kW, kWeightsAt + draw(0, 50)},
                                   {Opd::kAcc, 4 * draw(0, 9)},
                                   {Opd::kRowStride, pixel * in_w + draw(0, 5)},
                                   {Opd::kPixelStride, pixel},
                                   {Opd::kAccPitch, out_c + (draw.chance(2) ? draw(0, 5) : 0)},
                                   {Opd::kInH, draw(1, 9)},
                                   {Opd::kInW, in_w},
                                   {Opd::kY0, draw(-4, 2)},
                                   {Opd::kX0, draw(-4, 2)},
                                   {Opd::kKernelH, kernel_h},
                                   {Opd::kKernelW, kernel_w},
                                   {Opd::kStrideH, draw(1, 3)},
                                   {Opd::kStrideW, draw(1, 3)},
                                   {Opd::kDilationH, draw.chance(3) ? draw(1, 3) : 1},
                                   {Opd::kDilationW, draw.chance(3) ? draw(1, 3) : 1},
                                   {Opd::kOutH, draw(1, 7)},
                                   {Opd::kOutW, draw(1, 12)},
                                   {Opd::kOutC, out_c},
                                   {Opd::kXType, type},
                                   {Opd::kWType, type},
                                   {Opd::kAccumulate, draw(0, 1)}});
  const std::int64_t w_stride = depth * bytes + (draw.chance(2) ? draw(0, 9) : 0);
  if (depthwise) {
    i.set(Opd::kMultiplier, multiplier);
    i.set(Opd::kWTapStride, w_stride);
  } else {
    i.set(Opd::kInC, in_c);
    i.set(Opd::kWStride, w_stride);
    i.set(Opd::kUpH, draw.chance(4) ? draw(1, 3) : 1);
    i.set(Opd::kUpW, draw.chance(4) ? draw(1, 3) : 1);
  }
  return i;
}

/// Memories with values of the instruction's type in all three operands.
Memories values_for(Draw& draw, const Memories& random, const isa::Instruction& i, bool extremes) {
  Memories m = random;
  const std::int64_t type = i[Opd::kXType];
  fill_values(draw, m.scratchpad, i[Opd::kX], 6000, type, extremes);
  fill_values(draw, m.scratchpad, i[Opd::kW], 12000, type, extremes);
  fill_values(draw, m.accumulator, 0, 4000, 6, extremes);
  return m;
}

TEST(FloatMatrix, RandomConvolutionsEqualTheInterpreter) {
  Draw draw(81);
  const Memories random = draw.memories(kBytes, 1 << 16);
  for (int n = 0; n < 300; ++n) {
    const isa::Instruction i = random_conv(draw, false);
    expect_same(i, n % 8 == 0 ? random : values_for(draw, random, i, n % 2 == 0),
                "case " + std::to_string(n));
    if (HasFatalFailure()) return;
  }
}

TEST(FloatMatrix, RandomDepthwiseEqualTheInterpreter) {
  Draw draw(82);
  const Memories random = draw.memories(kBytes, 1 << 16);
  for (int n = 0; n < 300; ++n) {
    const isa::Instruction i = random_conv(draw, true);
    expect_same(i, n % 8 == 0 ? random : values_for(draw, random, i, n % 2 == 0),
                "case " + std::to_string(n));
    if (HasFatalFailure()) return;
  }
}

isa::Instruction random_gemm(Draw& draw, std::int64_t type, std::int64_t w_type) {
  const std::int64_t k = draw(1, draw.chance(4) ? 700 : 60);
  const std::int64_t n = draw(1, 40);
  const bool transposed = draw.chance(2);
  return test::make(Opcode::kGemm,
                    {{Opd::kX, draw(0, 50)},
                     {Opd::kW, kWeightsAt + draw(0, 50)},
                     {Opd::kAcc, 8 * draw(0, 9)},
                     {Opd::kRowStride, k * bytes_of(type) + draw(0, 3)},
                     {Opd::kWStride, (transposed ? n : k) * bytes_of(w_type) + draw(0, 3)},
                     {Opd::kAccPitch, n + draw(0, 3)},
                     {Opd::kM, draw(1, k > 100 ? 9 : 20)},
                     {Opd::kN, n},
                     {Opd::kK, k},
                     {Opd::kXType, type},
                     {Opd::kWType, w_type},
                     {Opd::kAccumulate, draw(0, 1)},
                     {Opd::kWTransposed, transposed ? 1 : 0}});
}

TEST(FloatMatrix, RandomGemmsEqualTheInterpreter) {
  Draw draw(83);
  const Memories random = draw.memories(kBytes, 1 << 16);
  for (int n = 0; n < 200; ++n) {
    const std::int64_t type = draw(4, 6);
    const isa::Instruction i = random_gemm(draw, type, type);
    expect_same(i, n % 8 == 0 ? random : values_for(draw, random, i, n % 2 == 0),
                "case " + std::to_string(n));
    if (HasFatalFailure()) return;
  }
}

TEST(FloatMatrix, IntegerGemmsTakeTransposedWeights) {
  Draw draw(84);
  const Memories random = draw.memories(kBytes, 1 << 16);
  for (int n = 0; n < 300; ++n) {
    const std::int64_t x_type = draw(0, 2);
    isa::Instruction i = random_gemm(draw, x_type, draw(0, 2));
    i.set(Opd::kXZero, draw.chance(20) ? -32768 : x_type == 2 ? 0 : draw(-128, 127));
    i.set(Opd::kWide, x_type == 2 || draw.chance(4) ? 1 : 0);
    expect_same(i, random, "case " + std::to_string(n));
    if (HasFatalFailure()) return;
  }
}

TEST(FloatMatrix, CuttingTheReductionGivesTheSameBits) {
  Draw draw(85);
  const Memories random = draw.memories(kBytes, 1 << 16);
  for (int n = 0; n < 100; ++n) {
    isa::Instruction whole = random_gemm(draw, 6, 6);
    whole.set(Opd::kWTransposed, 0);
    whole.set(Opd::kWStride, whole[Opd::kK] * 4);
    Memories m = values_for(draw, random, whole, false);
    Memories cut = m;
    MatrixExecutor executor;
    executor.run(decode_mac(whole, 0), nullptr, m.scratchpad, m.accumulator);
    const std::int64_t k = whole[Opd::kK];
    const std::int64_t first = draw(0, k - 1);
    isa::Instruction part = whole;
    if (first > 0) {
      part.set(Opd::kK, first);
      executor.run(decode_mac(part, 0), nullptr, cut.scratchpad, cut.accumulator);
      part.set(Opd::kAccumulate, 1);
    }
    part.set(Opd::kK, k - first);
    part.set(Opd::kX, whole[Opd::kX] + first * 4);
    part.set(Opd::kW, whole[Opd::kW] + first * 4);
    executor.run(decode_mac(part, 0), nullptr, cut.scratchpad, cut.accumulator);
    ASSERT_TRUE(cut.accumulator == m.accumulator) << n;
  }
}

TEST(FloatMatrix, ShadowWeightsReplaceTheFirstFold) {
  Draw draw(86);
  const Memories random = draw.memories(kBytes, 1 << 16);
  for (int n = 0; n < 120; ++n) {
    const std::int64_t type = n % 2 == 0 ? draw(4, 6) : draw(0, 1);
    const isa::Instruction i = random_gemm(draw, type, type);
    Memories m = values_for(draw, random, i, false);
    const MacOperation op = decode_mac(i, 0);
    const std::int64_t size = size_of(op.w_type);
    ShadowWeights shadow{
        true, op.w, op.w_stride, draw(1, op.out_c), draw(1, op.depth()), op.w_type, op.w_transposed,
        {}};
    Memories expected = m;  // the interpreter sees the shadow registers' bytes in memory
    shadow.bytes.resize(static_cast<std::size_t>(shadow.n * shadow.k * size));
    fill_values(draw, shadow.bytes, 0, shadow.n * shadow.k, type, false);
    for (std::int64_t o = 0; o < shadow.n; ++o) {
      for (std::int64_t k = 0; k < shadow.k; ++k) {
        const std::int64_t at =
            op.w + (op.w_transposed ? k : o) * op.w_stride + (op.w_transposed ? o : k) * size;
        std::copy_n(shadow.bytes.begin() + (o * shadow.k + k) * size, size,
                    expected.scratchpad.begin() + at);
      }
    }
    test::interpret(i, Rounding::kTfliteDouble, expected);
    MatrixExecutor executor;
    executor.run(op, &shadow, m.scratchpad, m.accumulator);
    ASSERT_TRUE(m.accumulator == expected.accumulator) << "case " << n;
  }
}

}  // namespace
}  // namespace npu::compute
