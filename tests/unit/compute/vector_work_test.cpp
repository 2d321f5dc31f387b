#include "sim/compute/vector_work.h"

#include <gtest/gtest.h>

#include <string>

#include "sim/base/error.h"
#include "tests/unit/compute/random_operands.h"

namespace npu::compute {
namespace {

using isa::Opcode;
using isa::Opd;

template <typename Call>
std::string fault_of(Call call) {
  try {
    call();
  } catch (const RunFault& fault) {
    return fault.what();
  }
  return "no fault";
}

TEST(DescribeVector, RefusesBadOperands) {
  const auto describe = [](const isa::Instruction& i) {
    return fault_of([&] { (void)describe_vector(i, 9); });
  };
  isa::Instruction i = test::make(Opcode::kLut, {{Opd::kN0, 4}, {Opd::kN1, 0}, {Opd::kN2, 1}});
  EXPECT_EQ(describe(i), "instruction 9: vec.lut: n1 must be at least 1, got 0");
  i = test::make(Opcode::kLut, {{Opd::kN0, 1 << 23}, {Opd::kN1, 1 << 19}, {Opd::kN2, 1 << 19}});
  EXPECT_EQ(describe(i), "instruction 9: vec.lut: more than 2^40 steps");
  i = test::make(Opcode::kSoftmax, {{Opd::kRows, 1}, {Opd::kN0, 1}, {Opd::kInType, 3}});
  EXPECT_EQ(describe(i),
            "instruction 9: vec.softmax: in_type must be int8, uint8 or int16, got code 3");
  i = test::make(Opcode::kSoftmax, {{Opd::kRows, 1}, {Opd::kN0, 1}, {Opd::kOutType, 3}});
  EXPECT_EQ(describe(i),
            "instruction 9: vec.softmax: out_type must be int8, uint8 or int16, got code 3");
}

TEST(DescribeVector, CountsTheBytesItMoves) {
  const isa::Instruction i = test::make(Opcode::kAdd, {{Opd::kA, 0},
                                                       {Opd::kB, 100},
                                                       {Opd::kDst, 200},
                                                       {Opd::kParams, 300},
                                                       {Opd::kN0, 10},
                                                       {Opd::kN1, 3},
                                                       {Opd::kN2, 2},
                                                       {Opd::kBBroadcast, 1},
                                                       {Opd::kInType, 2}});
  const VectorWork work = describe_vector(i, 0);
  EXPECT_EQ(work.elements, 60);
  ASSERT_EQ(work.stream_count, 4U);
  EXPECT_EQ(work.streams[0].bytes, 120);
  EXPECT_EQ(work.streams[1].bytes, 12);
  EXPECT_EQ(work.streams[2].bytes, 48);
  EXPECT_EQ(work.streams[3].bytes, 120);
  EXPECT_TRUE(work.streams[3].is_write);
}

}  // namespace
}  // namespace npu::compute
