#include "sim/compute/matrix_executor.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/base/error.h"
#include "sim/compute/matmul.h"
#include "tests/unit/compute/interpreter.h"
#include "tests/unit/compute/random_operands.h"

namespace npu::compute {
namespace {

using isa::Opcode;
using isa::Opd;
using test::Draw;
using test::Memories;

constexpr std::int64_t kWeightsAt = 1 << 16;
constexpr std::int64_t kBytes[] = {1, 1, 2};

/// The executor's memories after `instruction` against the interpreter's.
void expect_same(const isa::Instruction& instruction, Memories memories, const char* what) {
  Memories expected = memories;
  test::interpret(instruction, Rounding::kTfliteDouble, expected);
  MatrixExecutor executor;
  const MacOperation op = decode_mac(instruction, 0);
  executor.run(op, nullptr, memories.scratchpad, memories.accumulator);
  ASSERT_TRUE(memories.accumulator == expected.accumulator) << what;
  const MacOperands touched = operands_of(op);
  ASSERT_LE(touched.acc.high, static_cast<std::int64_t>(memories.accumulator.size()));
  ASSERT_LE(touched.x.high, kWeightsAt);
}

isa::Instruction random_conv(Draw& draw, bool depthwise) {
  const std::int64_t x_type = draw(0, 2);
  const std::int64_t w_type = draw.chance(8) ? 2 : draw(0, 1);
  const std::int64_t out_c = draw(1, draw.chance(3) ? 70 : 20);
  const std::int64_t multiplier = depthwise && draw.chance(3) ? draw(2, 4) : 1;
  const std::int64_t in_c = depthwise ? (out_c + multiplier - 1) / multiplier : draw(1, 24);
  const std::int64_t kernel_h = draw(1, 4);
  const std::int64_t kernel_w = draw(1, 4);
  const std::int64_t in_h = draw(1, 9);
  const std::int64_t in_w = draw(1, 9);
  const std::int64_t pixel = in_c * kBytes[x_type] + (draw.chance(3) ? draw(1, 7) : 0);
  const std::int64_t row = pixel * in_w + (draw.chance(3) ? draw(1, 9) : 0);
  const std::int64_t depth = depthwise ? out_c : kernel_h * kernel_w * in_c;
  isa::Instruction i = test::make(depthwise ? Opcode::kDepthwise : Opcode::kConv,
                                  {{Opd::kX, draw(0, 100)},
                                   {Opd::kW, kWeightsAt + draw(0, 50)},
                                   {Opd::kAcc, draw(0, 60)},
                                   {Opd::kRowStride, row},
                                   {Opd::kPixelStride, pixel},
                                   {Opd::kAccPitch, out_c + (draw.chance(2) ? draw(0, 5) : 0)},
                                   {Opd::kInH, in_h},
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
                                   {Opd::kOutW, draw(1, 7)},
                                   {Opd::kOutC, out_c},
                                   {Opd::kXZero, draw.chance(12) ? draw(-32768, 32767)
                                                 : x_type == 2   ? 0
                                                                 : draw(-128, 255)},
                                   {Opd::kWZero, draw.chance(12) ? draw(-32768, 32767)
                                                 : w_type == 1   ? draw(0, 255)
                                                                 : 0},
                                   {Opd::kXType, x_type},
                                   {Opd::kWType, w_type},
                                   {Opd::kAccumulate, draw(0, 1)},
                                   {Opd::kWide, x_type == 2 || draw.chance(6) ? 1 : 0}});
  const std::int64_t w_stride = depth * kBytes[w_type] + (draw.chance(2) ? draw(0, 9) : 0);
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

TEST(MatrixExecutor, RandomConvolutionsEqualTheInterpreter) {
  Draw draw(1);
  const Memories memories = draw.memories(1 << 18, 1 << 16);
  for (int i = 0; i < 1500; ++i) {
    expect_same(random_conv(draw, false), memories, ("case " + std::to_string(i)).c_str());
  }
}

TEST(MatrixExecutor, RandomDepthwiseEqualTheInterpreter) {
  Draw draw(2);
  const Memories memories = draw.memories(1 << 18, 1 << 16);
  for (int i = 0; i < 1500; ++i) {
    expect_same(random_conv(draw, true), memories, ("case " + std::to_string(i)).c_str());
  }
}

TEST(MatrixExecutor, RandomGemmsEqualTheInterpreter) {
  Draw draw(3);
  const Memories memories = draw.memories(1 << 18, 1 << 16);
  for (int i = 0; i < 600; ++i) {
    const std::int64_t x_type = draw(0, 2);
    const std::int64_t w_type = draw.chance(6) ? 2 : draw(0, 1);
    const std::int64_t k = draw(1, draw.chance(4) ? 1500 : 60);
    const std::int64_t n = draw(1, 40);
    expect_same(test::make(Opcode::kGemm, {{Opd::kX, draw(0, 100)},
                                           {Opd::kW, kWeightsAt + draw(0, 50)},
                                           {Opd::kAcc, draw(0, 60)},
                                           {Opd::kRowStride, k * kBytes[x_type] + draw(0, 3)},
                                           {Opd::kWStride, k * kBytes[w_type] + draw(0, 3)},
                                           {Opd::kAccPitch, n + draw(0, 3)},
                                           {Opd::kM, draw(1, 18)},
                                           {Opd::kN, n},
                                           {Opd::kK, k},
                                           {Opd::kXZero, x_type == 2 ? 0 : draw(-128, 127)},
                                           {Opd::kWZero, w_type == 1 ? draw(0, 255) : 0},
                                           {Opd::kXType, x_type},
                                           {Opd::kWType, w_type},
                                           {Opd::kAccumulate, draw(0, 1)},
                                           {Opd::kWide, draw(0, 1)}}),
                memories, ("case " + std::to_string(i)).c_str());
  }
}

TEST(MatrixExecutor, SumsWrapAtThirtyTwoBitsAndNotWhenWide) {
  constexpr std::int64_t kDepth = 70000;
  Memories memories;
  memories.scratchpad.assign(2 * kDepth, std::byte{0xff});  // uint8 255
  memories.accumulator.assign(8, std::byte{0});
  isa::Instruction i = test::make(Opcode::kGemm, {{Opd::kX, 0},
                                                  {Opd::kW, kDepth},
                                                  {Opd::kRowStride, kDepth},
                                                  {Opd::kWStride, kDepth},
                                                  {Opd::kAccPitch, 1},
                                                  {Opd::kM, 1},
                                                  {Opd::kN, 1},
                                                  {Opd::kK, kDepth},
                                                  {Opd::kXType, 1},
                                                  {Opd::kWType, 1}});
  MatrixExecutor executor;
  executor.run(decode_mac(i, 0), nullptr, memories.scratchpad, memories.accumulator);
  EXPECT_EQ(load<std::uint32_t>(memories.accumulator.data()),
            static_cast<std::uint32_t>(kDepth * 255 * 255));
  i.set(Opd::kWide, 1);
  executor.run(decode_mac(i, 0), nullptr, memories.scratchpad, memories.accumulator);
  EXPECT_EQ(load<std::int64_t>(memories.accumulator.data()), kDepth * 255 * 255);
}

TEST(MatrixExecutor, ShadowWeightsReplaceTheFirstFold) {
  Draw draw(5);
  for (int i = 0; i < 200; ++i) {
    Memories memories = draw.memories(1 << 18, 1 << 16);
    isa::Instruction instruction = random_conv(draw, false);
    instruction.set(Opd::kWeightsLoaded, 1);
    const MacOperation op = decode_mac(instruction, 0);
    const std::int64_t size = size_of(op.w_type);
    ShadowWeights shadow{true,      op.w,  op.w_stride, draw(1, op.out_c), draw(1, op.depth()),
                         op.w_type, false, {}};
    for (std::int64_t b = 0; b < shadow.n * shadow.k * size; ++b)
      shadow.bytes.push_back(std::byte(draw(0, 255)));
    // The interpreter sees the shadow registers' bytes in memory.
    Memories expected = memories;
    for (std::int64_t o = 0; o < shadow.n; ++o) {
      std::copy_n(shadow.bytes.begin() + o * shadow.k * size, shadow.k * size,
                  expected.scratchpad.begin() + op.w + o * op.w_stride);
    }
    test::interpret(instruction, Rounding::kTfliteDouble, expected);
    MatrixExecutor executor;
    executor.run(op, &shadow, memories.scratchpad, memories.accumulator);
    ASSERT_TRUE(memories.accumulator == expected.accumulator) << "case " << i;
  }
}

TEST(MatrixExecutor, OverlappingStridesDoNotAllocateWithoutBound) {
  // 65,535² input positions at one address: the converted copy of them would not fit a computer.
  Memories memories;
  memories.scratchpad.assign(64, std::byte{1});
  memories.accumulator.assign(64, std::byte{0});
  const isa::Instruction i = test::make(Opcode::kDepthwise, {{Opd::kX, 0},
                                                             {Opd::kW, 8},
                                                             {Opd::kInH, 65535},
                                                             {Opd::kInW, 65535},
                                                             {Opd::kKernelH, 2},
                                                             {Opd::kKernelW, 2},
                                                             {Opd::kDilationH, 255},
                                                             {Opd::kDilationW, 255},
                                                             {Opd::kStrideH, 255},
                                                             {Opd::kStrideW, 255},
                                                             {Opd::kOutH, 250},
                                                             {Opd::kOutW, 250},
                                                             {Opd::kOutC, 1},
                                                             {Opd::kMultiplier, 1}});
  MatrixExecutor executor;
  executor.run(decode_mac(i, 0), nullptr, memories.scratchpad, memories.accumulator);
  EXPECT_EQ(load<std::int32_t>(memories.accumulator.data()), 4);
}

TEST(BlockKernels, EqualTheSumOfProductsOnExtremes) {
  Draw draw(6);
  for (int i = 0; i < 100; ++i) {
    const std::int64_t pairs = draw(1, 40);
    const auto fill = [&](std::int64_t count) {
      std::vector<std::int16_t> v;
      for (std::int64_t k = 0; k < count; ++k) {
        v.push_back(static_cast<std::int16_t>(draw.chance(3) ? -32768 : draw(-32768, 32767)));
      }
      return v;
    };
    const std::vector<std::int16_t> a = fill(kBlockRows * pairs * 2);
    const std::vector<std::int16_t> w = fill(2 * pairs * 2 * kPanelColumns);
    for (const std::int64_t rows : {std::int64_t{1}, kBlockRows}) {
      for (const int panels : {1, 2}) {
        std::vector<std::int32_t> expected(kBlockRows * kBlockColumns,
                                           7);  // what is not computed stays
        for (std::int64_t r = 0; r < rows; ++r) {
          for (std::int64_t column = 0; column < panels * kPanelColumns; ++column) {
            std::int64_t sum = 0;
            for (std::int64_t k = 0; k < 2 * pairs; ++k) {
              const std::int64_t panel = column / kPanelColumns * pairs * 2 * kPanelColumns;
              sum += std::int64_t{a[static_cast<std::size_t>(r * pairs * 2 + k)]} *
                     w[static_cast<std::size_t>(
                         panel + (k / 2 * kPanelColumns + column % kPanelColumns) * 2 + k % 2)];
            }
            expected[static_cast<std::size_t>(r * kBlockColumns + column)] =
                static_cast<std::int32_t>(
                    static_cast<std::uint32_t>(static_cast<std::uint64_t>(sum)));
          }
        }
        for (const BlockKernel kernel : block_kernels()) {
          std::vector<std::int32_t> sums(kBlockRows * kBlockColumns, 7);
          kernel({a.data(),
                  pairs * 2,
                  {w.data(), w.data() + pairs * 2 * kPanelColumns},
                  pairs,
                  sums.data()},
                 rows, panels);
          ASSERT_EQ(sums, expected);
        }
      }
    }
  }
}

std::string message_of(const isa::Instruction& i) {
  try {
    (void)decode_mac(i, 42);
  } catch (const RunFault& fault) {
    return fault.what();
  }
  return "no fault";
}

TEST(DecodeMac, RefusesWhatTheArrayCannotDo) {
  Draw draw(7);
  isa::Instruction i = random_conv(draw, false);
  i.set(Opd::kOutC, 0);
  EXPECT_EQ(message_of(i), "instruction 42: mac.conv: out_c must be at least 1, got 0");
  i = random_conv(draw, false);
  i.set(Opd::kUpH, 0);
  EXPECT_EQ(message_of(i), "instruction 42: mac.conv: up_h must be at least 1, got 0");
  i = random_conv(draw, true);
  i.set(Opd::kXType, 3);
  EXPECT_EQ(
      message_of(i),
      "instruction 42: mac.depthwise: x_type must be int8, uint8, int16 or a float, got code 3");
  i = test::make(Opcode::kGemm,
                 {{Opd::kM, (1 << 24) - 1}, {Opd::kN, 65535}, {Opd::kK, (1 << 24) - 1}});
  EXPECT_EQ(message_of(i), "instruction 42: mac.gemm: more than 2^40 products");
}

TEST(CheckExtent, NamesTheOperandAndBothRanges) {
  const isa::Instruction i = test::make(Opcode::kGemm, {});
  EXPECT_NO_THROW(check_extent(i, 3, "x", {0, 64}, 64));
  try {
    check_extent(i, 3, "x", {10, 65}, 64);
    FAIL();
  } catch (const RunFault& fault) {
    EXPECT_STREQ(fault.what(),
                 "instruction 3: mac.gemm: x covers bytes 10 to 65, beyond the memory's 64 bytes");
  }
}

TEST(UseOf, CountsPairsAsTheLoopDoes) {
  Draw draw(8);
  for (int i = 0; i < 3000; ++i) {
    const WindowAxis a{.in = draw(1, 12),
                       .origin = draw(-9, 9),
                       .kernel = draw(1, 5),
                       .stride = draw(0, 4),
                       .dilation = draw(0, 3),
                       .up = draw(1, 3),
                       .out = draw(1, 9)};
    AxisUse expected;
    for (std::int64_t o = 0; o < a.out; ++o) {
      for (std::int64_t k = 0; k < a.kernel; ++k) {
        const std::int64_t p = a.origin + o * a.stride + k * a.dilation;
        if (p < 0 || p >= a.in * a.up || p % a.up != 0) continue;
        const std::int64_t row = p / a.up;
        expected.low = expected.pairs == 0 ? row : std::min(expected.low, row);
        expected.high = std::max(expected.high, row + 1);
        ++expected.pairs;
      }
    }
    const AxisUse use = use_of(a);
    ASSERT_EQ(use.pairs, expected.pairs);
    ASSERT_EQ(use.low, expected.low);
    ASSERT_EQ(use.high, expected.high);
  }
}

}  // namespace
}  // namespace npu::compute
