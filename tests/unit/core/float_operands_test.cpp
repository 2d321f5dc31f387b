#include <gtest/gtest.h>

#include <bit>
#include <string>

#include "sim/base/function.h"
#include "sim/core/operand_checks.h"
#include "tests/unit/core/program_builder.h"

namespace npu {
namespace {

using isa::Opcode;
using isa::Opd;

/// float16 or no floats at all.
NpuConfig float_config(int float16_cycles = 2) {
  NpuConfig config = machine_test::small_config();
  config.mac_array.float16_cycles = float16_cycles;
  config.mac_array.bfloat16_cycles = 0;
  config.mac_array.float32_cycles = 0;
  return config;
}

std::string fault(const isa::Instruction& instruction, const NpuConfig& config = float_config()) {
  return operand_fault(instruction, config).value_or("none");
}

isa::Instruction gemm(std::int64_t x_type, std::int64_t w_type) {
  isa::Instruction i = machine_test::gemm(0, 4096, 0, 4, 8, 8);
  i.set(Opd::kXType, x_type);
  i.set(Opd::kWType, w_type);
  return i;
}

TEST(FloatOperands, FloatsNeedAnArrayThatHasThem) {
  EXPECT_EQ(fault(gemm(4, 4)), "none");
  EXPECT_EQ(fault(gemm(5, 5)),
            "x_type: mac_array.bfloat16_cycles is 0: the array has no bfloat16 arithmetic");
  EXPECT_EQ(fault(gemm(6, 6)),
            "x_type: mac_array.float32_cycles is 0: the array has no float32 arithmetic");
  EXPECT_EQ(fault(gemm(4, 4), float_config(0)),
            "x_type: mac_array.float16_cycles is 0: the array has no float16 arithmetic");
  const isa::Instruction load =
      machine_test::make(Opcode::kLoadWeights, {{Opd::kN, 8}, {Opd::kK, 8}, {Opd::kWType, 6}});
  EXPECT_EQ(fault(load),
            "w_type: mac_array.float32_cycles is 0: the array has no float32 arithmetic");
}

TEST(FloatOperands, ProductsOfFloats) {
  EXPECT_EQ(fault(gemm(4, 0)), "w_type: 0 does not go with x_type 4");
  EXPECT_EQ(fault(gemm(4, 5)), "w_type: 5 does not go with x_type 4");
  EXPECT_EQ(fault(gemm(2, 4)), "w_type: 4 does not go with x_type 2");
  EXPECT_EQ(fault(gemm(3, 0)), "x_type: element type must be 0, 1, 2, 4, 5, 6, got 3");
  isa::Instruction i = gemm(4, 4);
  i.set(Opd::kWide, 1);
  EXPECT_EQ(fault(i), "wide: accumulators of floats have 4 bytes");
  i = gemm(4, 4);
  i.set(Opd::kXZero, 1);
  EXPECT_EQ(fault(i), "x_zero, w_zero: must be 0 for floats");
  i = gemm(4, 4);
  i.set(Opd::kStream, 1);
  EXPECT_EQ(fault(i), "stream: sums of floats do not go through the result stream");
}

isa::Instruction map(MapFunction function, std::int64_t a_type, std::int64_t b_type) {
  return machine_test::make(Opcode::kMap, {{Opd::kN0, 1},
                                           {Opd::kN1, 1},
                                           {Opd::kN2, 1},
                                           {Opd::kFunction, static_cast<std::int64_t>(function)},
                                           {Opd::kAType, a_type},
                                           {Opd::kBType, b_type}});
}

TEST(FloatOperands, Maps) {
  EXPECT_EQ(fault(map(MapFunction::kAdd, 6, 0)), "none");
  EXPECT_EQ(fault(map(MapFunction::kShiftLeft, 4, 0)), "a_type: shift_left takes integers, got 4");
  EXPECT_EQ(fault(map(MapFunction::kShiftRight, 3, 6)),
            "b_type: shift_right takes integers, got 6");
  EXPECT_EQ(fault(map(MapFunction::kDequantize, 0, 6)), "none");
  isa::Instruction i = map(MapFunction::kShiftRight, 3, 6);
  i.set(Opd::kBImmediate, 1);
  EXPECT_EQ(fault(i), "none");
  i.set(Opd::kFunction, std::int64_t{kMapFunctions});
  EXPECT_EQ(fault(i), "function: must be in [0, 69], got 70");
}

TEST(FloatOperands, Reductions) {
  isa::Instruction i = machine_test::make(
      Opcode::kReduce, {{Opd::kN0, 1}, {Opd::kR1, 1}, {Opd::kN1, 1}, {Opd::kN2, 1}});
  EXPECT_EQ(fault(i), "none");
  i.set(Opd::kFunction, 7);
  EXPECT_EQ(fault(i), "function: must be in [0, 6], got 7");
  i.set(Opd::kFunction, 5);
  EXPECT_EQ(fault(i), "out_type: positions are int32 (3), got 0");
  i.set(Opd::kOutType, 3);
  i.set(Opd::kAccumulate, 1);
  EXPECT_EQ(fault(i), "accumulate: positions cannot accumulate");
}

std::int64_t word(float value) { return std::bit_cast<std::int32_t>(value); }

TEST(FloatOperands, Outputs) {
  const isa::Instruction good = machine_test::make(Opcode::kOutput, {{Opd::kOutH, 1},
                                                                     {Opd::kOutW, 1},
                                                                     {Opd::kOutC, 8},
                                                                     {Opd::kInType, 6},
                                                                     {Opd::kOutType, 4},
                                                                     {Opd::kClampMin, word(-2)},
                                                                     {Opd::kClampMax, word(-1)}});
  EXPECT_EQ(fault(good), "none");
  isa::Instruction i = good;
  i.set(Opd::kClampMax, word(-2.5F));
  EXPECT_EQ(fault(i), "clamp_min: must not exceed clamp_max -2.5, got -2");
  i = good;
  i.set(Opd::kInType, 4);
  EXPECT_EQ(fault(i), "in_type: element type must be 3, 6, got 4");
  i = good;
  i.set(Opd::kAccumulate, 1);
  EXPECT_EQ(fault(i), "out_type: output accumulates in float32 (6), got 4");
  i = good;
  i.set(Opd::kRaw, 1);
  EXPECT_EQ(fault(i), "out_type: raw output keeps in_type 6, got 4");
  i.set(Opd::kAccumulate, 1);
  EXPECT_EQ(fault(i), "accumulate: raw output cannot accumulate");
}

TEST(FloatOperands, LimitsOfFloatPoolingAreFloats) {
  isa::Instruction i = machine_test::make(Opcode::kMaxPool, {{Opd::kInH, 1},
                                                             {Opd::kInW, 1},
                                                             {Opd::kKernelH, 1},
                                                             {Opd::kKernelW, 1},
                                                             {Opd::kStrideH, 1},
                                                             {Opd::kStrideW, 1},
                                                             {Opd::kOutH, 1},
                                                             {Opd::kOutW, 1},
                                                             {Opd::kOutC, 1},
                                                             {Opd::kInType, 5},
                                                             {Opd::kClampMin, word(-2)},
                                                             {Opd::kClampMax, word(-1)}});
  EXPECT_EQ(fault(i), "none");
  i.set(Opd::kInType, 0);
  EXPECT_NE(fault(i), "none");
}

}  // namespace
}  // namespace npu
