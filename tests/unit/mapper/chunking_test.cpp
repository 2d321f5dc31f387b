#include "kernels/mapper/chunking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace npu::mapper {
namespace {

using testing::HasSubstr;

ChunkProblem rows(std::int64_t units, std::int64_t bytes) {
  return {{"x", "y"}, {{units, 1, {bytes, bytes}, {0, 0}}}, {{"params", 32, 1, -1}}};
}

TEST(Chunking, OneChunkHasOneSlotOfEach) {
  const ChunkPlan plan = choose_chunks(rows(8, 64), 1 << 20, "ADD #1");
  EXPECT_EQ(plan.units, 8);
  ASSERT_EQ(plan.buffers.size(), 3U);
  EXPECT_EQ(plan.buffers[0].slots, 1);
  EXPECT_EQ(plan.buffers[0].slot_bytes, 512);
}

TEST(Chunking, LargeLayersAreCutIntoFourWithTwoSlots) {
  const ChunkPlan plan = choose_chunks(rows(4096, 64), 1 << 20, "ADD #1");
  EXPECT_EQ(plan.units, 1024);
  EXPECT_EQ(plan.buffers[0].slots, 2);
}

TEST(Chunking, SmallestChunkIsTheBoundary) {
  // Two slots of two buffers of 64 bytes and 64 bytes of parameters.
  EXPECT_EQ(choose_chunks(rows(100, 64), 320, "SOFTMAX #2").units, 1);
  try {
    static_cast<void>(choose_chunks(rows(100, 64), 319, "SOFTMAX #2"));
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("SOFTMAX #2: scratchpad: the smallest chunk needs 320 bytes (x "
                                    "128, y 128, params 64), 319 are there"));
  }
}

TEST(Chunking, InnerLevelIsUsedWhereTheOuterDoesNotFit) {
  ChunkProblem p{{"x"}, {{4, 1, {4096}, {0}}, {64, 4, {64}, {0}}}, {}};
  EXPECT_EQ(choose_chunks(p, 8192, "ADD #0").level, 0U);
  const ChunkPlan inner = choose_chunks(p, 8191, "ADD #0");
  EXPECT_EQ(inner.level, 1U);
  EXPECT_GT(inner.units, 1);
}

TEST(Chunking, ResidentOperandsNeedNoBufferButFieldsBoundTheChunk) {
  const ChunkPlan plan = choose_chunks(rows(1 << 20, 0), 64, "RELU #0");
  EXPECT_EQ(plan.units, kMaxChunkUnits);
  EXPECT_EQ(plan.buffers.size(), 1U);
}

}  // namespace
}  // namespace npu::mapper
