#include "sim/timing/vector_timing.h"

#include <gtest/gtest.h>

namespace npu::timing {
namespace {

VectorConfig unit() {
  VectorConfig c;
  c.lanes = 16;
  c.latency_cycles = 5;
  return c;
}

TEST(VectorOp, OneMoreElementThanTheLanesTakesOneMoreCycle) {
  EXPECT_EQ(vector_op(unit(), VectorClass::kRequantize, 16, 1).total_cycles, 5 + 1);
  EXPECT_EQ(vector_op(unit(), VectorClass::kRequantize, 17, 1).total_cycles, 5 + 2);
  EXPECT_EQ(vector_op(unit(), VectorClass::kRequantize, 17, 1).lane_ops, 17);
}

TEST(VectorOp, StepsMultiplyTheWork) {
  const VectorTiming t = vector_op(unit(), VectorClass::kPool, 32, 9);
  EXPECT_EQ(t.busy_cycles, 18);
  EXPECT_EQ(t.fill_drain_cycles, 5);
  EXPECT_EQ(t.lane_ops, 288);
}

TEST(VectorOp, EveryClassHasItsOwnRate) {
  VectorConfig c = unit();
  c.requantize_cycles = 2;
  c.elementwise_cycles = 3;
  c.multiply_cycles = 0.5;
  c.pool_tap_cycles = 4;
  c.lut_cycles = 0.25;
  c.reduce_cycles = 5;
  c.softmax_cycles = 24;
  const auto busy = [&](VectorClass kind) { return vector_op(c, kind, 64, 1).busy_cycles; };
  EXPECT_EQ(busy(VectorClass::kRequantize), 8);
  EXPECT_EQ(busy(VectorClass::kElementwise), 12);
  EXPECT_EQ(busy(VectorClass::kMultiply), 2);
  EXPECT_EQ(busy(VectorClass::kPool), 16);
  EXPECT_EQ(busy(VectorClass::kLut), 1);
  EXPECT_EQ(busy(VectorClass::kReduce), 20);
  EXPECT_EQ(busy(VectorClass::kSoftmax), 96);
}

TEST(VectorOp, FractionsRoundUp) {
  VectorConfig c = unit();
  c.elementwise_cycles = 1.5;
  EXPECT_EQ(vector_op(c, VectorClass::kElementwise, 32, 1).busy_cycles, 3);
  EXPECT_EQ(vector_op(c, VectorClass::kElementwise, 33, 1).busy_cycles, 4);
  EXPECT_EQ(vector_op(c, VectorClass::kElementwise, 33, 1).lane_ops, 50);
}

TEST(VectorOp, NothingTakesNothing) {
  EXPECT_EQ(vector_op(unit(), VectorClass::kLut, 0, 1).total_cycles, 0);
}

}  // namespace
}  // namespace npu::timing
