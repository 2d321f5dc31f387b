#include "kernels/mapper/tile_space.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace npu::mapper {
namespace {

using graph::Graph;
using graph::OpKind;
using testing::ElementsAre;

struct Spec {
  DType type;
  Shape shape;
  bool quantized = false;
};

/// One operator; the last tensor is its output.
Graph one(OpKind kind, graph::Attrs attrs, const std::vector<Spec>& specs) {
  Graph g;
  graph::Node node{kind, {}, {}, std::move(attrs), 0};
  for (const Spec& s : specs) {
    graph::Tensor t;
    t.type = s.type;
    t.shape = s.shape;
    if (s.quantized) t.quantization = graph::Quantization{{0.5F}, {0}, 0};
    g.tensors.push_back(std::move(t));
    const auto id = static_cast<graph::TensorId>(g.tensors.size() - 1);
    if (g.tensors.size() < specs.size()) {
      node.inputs.push_back(id);
      g.inputs.push_back(id);
    } else {
      node.outputs.push_back(id);
    }
  }
  g.nodes.push_back(std::move(node));
  return g;
}

std::vector<std::int64_t> sizes(const TileSpace& space) {
  std::vector<std::int64_t> all;
  for (const TileDim& d : space.dims) all.push_back(d.size);
  return all;
}
std::vector<std::string> temporaries(const TileSpace& space) {
  std::vector<std::string> all;
  for (const TileOperand& t : space.temporaries) all.push_back(t.buffer);
  return all;
}

TileSpace space_of(const Graph& g) { return tile_space(g, g.nodes[0]); }

ChunkPlan plan_of(const Graph& g, std::int64_t bytes) {
  const Storages storages = find_storages(g, {0}, {}, g.inputs, g.nodes[0].outputs);
  return choose_chunks(tile_problem(g, g.nodes[0], storages), bytes, "MAP #0");
}

TEST(TileSpace, NeighboursWithTheSameOperandsMerge) {
  const graph::MapAttrs add{MapFunction::kAdd, 0, 0};
  const Graph g = one(OpKind::kMap, add,
                      {{DType::kFloat32, {2, 3, 1, 4, 5}},
                       {DType::kFloat32, {7, 1, 5}},
                       {DType::kFloat32, {2, 3, 7, 4, 5}}});
  const TileSpace space = space_of(g);
  EXPECT_THAT(sizes(space), ElementsAre(6, 7, 4, 5));
  EXPECT_TRUE(space.moves(0, 0) && !space.moves(1, 0));
  EXPECT_TRUE(!space.moves(0, 1) && space.moves(1, 1));
  EXPECT_TRUE(space.moves(0, 2) && !space.moves(1, 2));
  EXPECT_TRUE(space.moves(0, 3) && space.moves(1, 3) && space.moves(2, 3));
  EXPECT_THAT(tile_cuts(space), ElementsAre(1, 2, 3)) << "an instruction walks three dimensions";
  EXPECT_THAT(tile_extents(space, 2, 2), ElementsAre(1, 1, 2, 5));
  EXPECT_EQ(tile_bytes(space, 1, 4, {1, 1, 2, 5}), 20);
}

TEST(TileSpace, QuantizedOperandsHaveTemporaries) {
  const graph::MapAttrs exp{MapFunction::kExp, 0, 0};
  const Spec q{DType::kInt8, {8}, true};
  EXPECT_THAT(temporaries(space_of(one(OpKind::kMap, exp, {q, q}))),
              ElementsAre("a real", "y real"));
  EXPECT_THAT(
      temporaries(space_of(one(OpKind::kMap, {graph::MapAttrs{MapFunction::kQuantize, 1, 0}},
                               {{DType::kFloat32, {8}}, q}))),
      ElementsAre());
  EXPECT_THAT(temporaries(space_of(one(OpKind::kSoftmax, graph::SoftmaxAttrs{},
                                       {{DType::kFloat32, {8}}, {DType::kFloat32, {8}}}))),
              ElementsAre("stat"))
      << "a float32 output holds the intermediates";
}

TEST(TileSpace, ReductionsAlternateAndPositionsStayWhole) {
  const auto reduce = [](ReduceFunction f, std::vector<int> axes) {
    return one(OpKind::kReduce, graph::ReduceMapAttrs{f, std::move(axes), true},
               {{DType::kInt16, {2, 3, 4, 5, 6, 7}}, {DType::kInt32, {1}}});
  };
  const TileSpace sum = space_of(reduce(ReduceFunction::kSum, {1, 3, 5}));
  EXPECT_THAT(sizes(sum), ElementsAre(2, 3, 4, 5, 6, 7));
  EXPECT_THAT(tile_cuts(sum), ElementsAre(2, 3, 4, 5)) << "two kept and two reduced dimensions";
  const TileSpace position = space_of(reduce(ReduceFunction::kArgMax, {1}));
  EXPECT_THAT(sizes(position), ElementsAre(2, 3, 840));
  EXPECT_THAT(tile_cuts(position), ElementsAre(0, 2));
  EXPECT_THAT(tile_extents(position, 2, 10), ElementsAre(1, 3, 10));
}

TEST(TileSpace, ChunksFitAndSharedOperandsAreLoadedOnce) {
  const graph::MapAttrs add{MapFunction::kAdd, 0, 0};
  const Graph g =
      one(OpKind::kMap, add,
          {{DType::kFloat32, {4096, 64}}, {DType::kFloat32, {64}}, {DType::kFloat32, {4096, 64}}});
  const ChunkPlan plan = plan_of(g, 65536);
  EXPECT_EQ(plan.level, 0U);
  ASSERT_EQ(plan.buffers.size(), 3U);
  EXPECT_EQ(plan.buffers[0].slots, 2);
  EXPECT_EQ(plan.buffers[1].slots, 1) << "one b for all rows";
  EXPECT_EQ(plan.buffers[1].slot_bytes, 256);
  EXPECT_EQ(plan.buffers[2].slot_bytes, plan.units * 256);
}

TEST(TileSpace, RowThatDoesNotFitIsAnError) {
  const Graph g = one(OpKind::kSoftmax, graph::SoftmaxAttrs{},
                      {{DType::kFloat32, {2, 1000}}, {DType::kFloat32, {2, 1000}}});
  try {
    (void)plan_of(g, 1000);
    FAIL() << "planned";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("scratchpad: the smallest chunk needs"));
  }
}

}  // namespace
}  // namespace npu::mapper
