#include "kernels/mapper/softmax_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/mapper/mapping.h"
#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/tile_space.h"

namespace npu::mapper {
namespace {

using graph::Graph;
using std::int64_t;
using testing::ElementsAre;
using testing::HasSubstr;

Graph softmax(DType type, int64_t rows, int64_t row) {
  Graph g;
  for (int i = 0; i < 2; ++i) {
    graph::Tensor t;
    t.type = type;
    t.shape = {rows, row};
    g.tensors.push_back(std::move(t));
  }
  g.inputs = {0};
  g.outputs = {1};
  g.nodes.push_back({graph::OpKind::kSoftmax, {0}, {1}, graph::SoftmaxAttrs{}, 0});
  return g;
}

SoftmaxPlan plan_of(const Graph& g, int64_t bytes, int64_t capacity,
                    const SoftmaxDecision& decided = {}, const ChunkDecision& chunks = {}) {
  const Storages storages = find_storages(g, {0}, {}, {0}, {1});
  return plan_softmax(g, g.nodes[0], storages, bytes, capacity, "SOFTMAX #0", decided, chunks);
}

std::vector<std::string> buffers(const SoftmaxPlan& plan) {
  std::vector<std::string> all;
  for (const Buffer& b : plan.chunks.buffers)
    all.push_back(fmt::format("{} {}x{}", b.name, b.slots, b.slot_bytes));
  return all;
}

TEST(SoftmaxPlan, TilesAreRowsByBlocks) {
  const Graph g = softmax(DType::kFloat16, 12, 100);
  const TileSpace three = tile_space(g, g.nodes[0]);
  EXPECT_THAT(tile_cuts(three), ElementsAre(0));
  EXPECT_THAT(tile_extents(three, 0, 5), ElementsAre(5, 100));
  const TileSpace two = tile_space(g, g.nodes[0], 32);
  EXPECT_THAT(tile_cuts(two), ElementsAre(0));
  EXPECT_THAT(tile_extents(two, 0, 5), ElementsAre(5, 32));
  EXPECT_EQ(two.temporaries[two.temporary("stat")].unit_bytes, 12) << "maximum, factor and sum";
}

TEST(SoftmaxPlan, ThreePassesWhereARowFits) {
  const Graph g = softmax(DType::kFloat32, 2, 256);
  const int64_t least = 4 * 1024 + 64;
  const SoftmaxPlan fits = plan_of(g, least, least);
  EXPECT_EQ(fits.passes.passes, 3);
  EXPECT_EQ(fits.passes.block, 0);
  EXPECT_THAT(buffers(fits), ElementsAre("x 1x2048", "y 1x2048", "stat 1x64"));
  const SoftmaxPlan lacks = plan_of(g, least - 64, least - 64);
  EXPECT_EQ(lacks.passes.passes, 2);
  EXPECT_EQ(lacks.passes.block, 128);
  EXPECT_THAT(buffers(lacks), ElementsAre("x 2x512", "y 2x512", "stat 1x64"));
}

TEST(SoftmaxPlan, ResidentsMakeRoomBeforeARowIsCut) {
  const Graph g = softmax(DType::kFloat32, 2, 256);
  try {
    (void)plan_of(g, 4096, 8192);
    FAIL() << "planned";
  } catch (const MappingError& e) {
    EXPECT_EQ(e.fault().kind, FaultKind::kCapacity);
  }
  EXPECT_EQ(plan_of(g, 4096, 8192, {.passes = 2}).passes.block, 128);
}

TEST(SoftmaxPlan, AsFewBlocksAsFit) {
  const Graph g = softmax(DType::kFloat16, 3, 100'000);
  const SoftmaxPlan plan = plan_of(g, 16384, 16384);
  EXPECT_EQ(plan.passes.block, 1344) << "12 bytes an element: two of x, of y, fp32 between them";
  EXPECT_EQ(plan.chunks.units, 1);
  EXPECT_EQ(plan_of(g, 16384, 16384, {.passes = 2}).passes.block, 1344);
  EXPECT_EQ(plan_of(g, 16384, 16384, {.block = 100}).passes.passes, 2) << "only they have blocks";
}

TEST(SoftmaxPlan, WhatIsDecidedIsTaken) {
  const Graph g = softmax(DType::kFloat32, 64, 256);
  EXPECT_EQ(plan_of(g, 1 << 20, 1 << 20).passes.passes, 3);
  EXPECT_EQ(plan_of(g, 1 << 20, 1 << 20, {.passes = 2}).passes.block, 256);
  const SoftmaxPlan plan = plan_of(g, 1 << 20, 1 << 20, {2, 100}, {std::nullopt, 7, {}});
  EXPECT_EQ(plan.passes.block, 100);
  EXPECT_EQ(plan.chunks.units, 7);
  EXPECT_THAT(buffers(plan), ElementsAre("x 2x2816", "y 2x2816", "stat 1x128"));
}

void expect_refused(const Graph& g, int64_t bytes, const SoftmaxDecision& decided, FaultKind kind,
                    const std::string& key, const std::string& message) {
  try {
    (void)plan_of(g, bytes, bytes, decided);
    FAIL() << "planned";
  } catch (const MappingError& e) {
    EXPECT_EQ(e.fault().kind, kind) << e.what();
    EXPECT_EQ(e.fault().key, key) << e.what();
    EXPECT_THAT(e.what(), HasSubstr(message));
  }
}

TEST(SoftmaxPlan, WhatNoRowHasIsRefused) {
  const Graph g = softmax(DType::kFloat32, 4, 256);
  expect_refused(g, 1 << 20, {.passes = 4}, FaultKind::kRange, "softmax.passes",
                 "SOFTMAX #0: softmax.passes: 4: a softmax has 2 or 3");
  expect_refused(g, 1 << 20, {3, 64}, FaultKind::kUnsupported, "softmax.block",
                 "SOFTMAX #0: softmax.block: 64: only two passes have blocks");
  expect_refused(g, 1 << 20, {2, 257}, FaultKind::kRange, "softmax.block",
                 "SOFTMAX #0: softmax.block: 257: the layer allows 1 to 256");
  expect_refused(g, 1 << 20, {2, 0}, FaultKind::kRange, "softmax.block",
                 "SOFTMAX #0: softmax.block: 0: the layer allows 1 to 256");
  expect_refused(g, 2048, {.passes = 3}, FaultKind::kCapacity, "softmax.passes",
                 "scratchpad: the smallest chunk needs 4160 bytes (x 2048, y 2048, stat 64), 2048 "
                 "are there");
  expect_refused(g, 2048, {.block = 200}, FaultKind::kCapacity, "softmax.block",
                 "scratchpad: the smallest chunk needs 3392 bytes");
  expect_refused(softmax(DType::kFloat32, 1, kMaxRow + 1), 1 << 20, {.passes = 3},
                 FaultKind::kUnsupported, "softmax.passes",
                 "softmax.passes: 3: rows have at most 16777215 elements, not 16777216");
}

TEST(SoftmaxPlan, RowsLongerThanAnInstructionWalksGoInBlocks) {
  const Graph g = softmax(DType::kFloat32, 1, kMaxRow + 1);
  const SoftmaxPlan plan = plan_of(g, int64_t{1} << 33, int64_t{1} << 33);
  EXPECT_EQ(plan.passes.passes, 2);
  EXPECT_EQ(plan.passes.block, 1 << 23);
}

}  // namespace
}  // namespace npu::mapper
