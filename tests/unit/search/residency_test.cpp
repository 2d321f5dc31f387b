#include "sim/search/residency.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workloads/graph/network_builder.h"

namespace npu::search {
namespace {

using testing::ElementsAre;

/// A chain of eight convolutions; its seven intermediates are resident, the fourth unless it has
/// too many channels.
struct Chain {
  graph::Graph graph;
  std::vector<graph::TensorId> made;  ///< In order; the last one is the output.
};
Chain chain(std::int64_t fourth) {
  graph::NetworkBuilder net("chain");
  Chain c;
  graph::TensorId x = net.input({1, 16, 16, 16});
  for (int i = 0; i < 8; ++i) {
    x = net.conv(x, i == 3 ? fourth : 16 + 2 * i, graph::square_window(1, 1, 0));
    c.made.push_back(x);
  }
  c.graph = net.finish({x});
  return c;
}

class Residency : public testing::Test {
 protected:
  [[nodiscard]] kernels::MappedNetwork map(const graph::Graph& g,
                                           const mapper::Decisions* d = nullptr) const {
    return kernels::map(g, config_, {.timing_only = true, .decisions = d});
  }
  static std::vector<std::string> names(const std::vector<Move>& moves) {
    std::vector<std::string> all;
    for (const Move& m : moves) all.push_back(m.what);
    return all;
  }
  static std::vector<graph::TensorId> tensors(const Move& move) {
    std::vector<graph::TensorId> all;
    for (const mapper::TensorDecision& d : move.tensors) all.push_back(d.tensor);
    return all;
  }
  const NpuConfig config_ = load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml");
};

TEST_F(Residency, ChainsAreCutAfterOneTwoAndFour) {
  const Chain c = chain(22);
  const auto& t = c.made;
  const std::vector<Move> moves = residency_moves(map(c.graph), nullptr, 3);
  ASSERT_THAT(names(moves),
              ElementsAre("chains of at most 1", "chains of at most 2", "chains of at most 4"));
  // Every second, third and fifth of the seven goes to DRAM.
  EXPECT_THAT(tensors(moves[0]), ElementsAre(t[1], t[3], t[5]));
  EXPECT_THAT(tensors(moves[1]), ElementsAre(t[2], t[5]));
  EXPECT_THAT(tensors(moves[2]), ElementsAre(t[4]));
  for (const Move& m : moves) {
    for (const mapper::TensorDecision& d : m.tensors) EXPECT_FALSE(d.resident);
  }
}

TEST_F(Residency, WhatIsInDramComesFirstThenTheLargestResidents) {
  const Chain c = chain(4000);
  const auto& t = c.made;
  const kernels::MappedNetwork mapped = map(c.graph);
  ASSERT_FALSE(mapped.mapping.storages.of(t[3]).resident);
  const std::vector<Move> moves = residency_moves(mapped, nullptr, 100);
  // Both chains of three end before the fifth.
  ASSERT_THAT(
      names(moves),
      ElementsAre("chains of at most 1", "chains of at most 2",
                  fmt::format("tensor {} resident", t[3]), fmt::format("tensor {} in dram", t[6]),
                  fmt::format("tensor {} in dram", t[5]), fmt::format("tensor {} in dram", t[4]),
                  fmt::format("tensor {} in dram", t[2]), fmt::format("tensor {} in dram", t[1]),
                  fmt::format("tensor {} in dram", t[0])));
  EXPECT_THAT(tensors(moves[0]), ElementsAre(t[1], t[5]));
  EXPECT_THAT(tensors(moves[1]), ElementsAre(t[2], t[6]));
  EXPECT_TRUE(moves[2].tensors.at(0).resident);
  EXPECT_FALSE(moves[3].tensors.at(0).resident);
  EXPECT_EQ(residency_moves(mapped, nullptr, 2).size(), 2U);
}

TEST_F(Residency, WhatIsDecidedStays) {
  const Chain c = chain(22);
  const auto& t = c.made;
  mapper::Decisions fixed;
  fixed.tensors.push_back({.tensor = t[1], .resident = true});
  fixed.tensors.push_back({.tensor = t[4], .resident = false});
  const std::vector<Move> moves = residency_moves(map(c.graph, &fixed), &fixed, 100);
  for (const Move& m : moves)
    EXPECT_THAT(tensors(m), testing::Not(testing::Contains(testing::AnyOf(t[1], t[4])))) << m.what;
  // The second is not cut; a chain begins anew after the fifth.
  ASSERT_EQ(moves.at(0).what, "chains of at most 1");
  EXPECT_THAT(tensors(moves[0]), ElementsAre(t[3], t[6]));
}

TEST_F(Residency, LayersBesideAMoveHaveChanged) {
  const Chain c = chain(22);
  mapper::Decisions d;
  d.tensors.push_back({.tensor = c.made[2], .resident = false});
  const std::vector<bool> changed = changed_layers(map(c.graph), map(c.graph, &d), config_);
  ASSERT_EQ(changed.size(), 8U);
  EXPECT_TRUE(changed[2]);   // its producer
  EXPECT_TRUE(changed[3]);   // its consumer
  EXPECT_FALSE(changed[0]);  // long before it
}

}  // namespace
}  // namespace npu::search
