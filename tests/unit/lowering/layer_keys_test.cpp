#include "kernels/lowering/layer_keys.h"

#include <gtest/gtest.h>

#include "kernels/lowering/partition.h"
#include "sim/config/npu_config.h"

namespace npu::kernels {
namespace {

using graph::TensorId;

/// Of the operands and the result of a MUL.
struct Scales {
  float a, b, y;
};

/// One MUL per entry, each of its own inputs.
std::vector<std::uint32_t> keys_of(const std::vector<Scales>& layers,
                                   const std::vector<std::int32_t>& zero_points = {}) {
  graph::Graph graph;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const Scales& s = layers[i];
    const std::int32_t zero = i < zero_points.size() ? zero_points[i] : 0;
    const auto first = static_cast<TensorId>(graph.tensors.size());
    for (const float scale : {s.a, s.b, s.y}) {
      graph::Tensor t;
      t.name = "t";
      t.shape = {4, 64};
      t.quantization = graph::Quantization{{scale}, {zero}, 0};
      graph.tensors.push_back(std::move(t));
    }
    graph.inputs.insert(graph.inputs.end(), {first, first + 1});
    graph.outputs.push_back(first + 2);
    graph.nodes.push_back({graph::OpKind::kMul,
                           {first, first + 1},
                           {first + 2},
                           graph::ActivationAttrs{},
                           static_cast<int>(i)});
  }
  const NpuConfig config = load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml");
  return layer_keys(graph, mapper::map_network(graph, config, partition(graph)));
}

TEST(LayerKeys, OtherScalesAreTheSameLayer) {
  const auto keys = keys_of({{0.5F, 0.25F, 1}, {0.1F, 0.7F, 3}});
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_EQ(keys[0], keys[1]);
}

TEST(LayerKeys, WhichScalesAreEqualCounts) {
  const auto keys = keys_of({{0.5F, 0.25F, 1}, {0.5F, 0.5F, 1}, {0.5F, 0.25F, 0.5F}, {3, 3, 2}});
  ASSERT_EQ(keys.size(), 4U);
  EXPECT_NE(keys[0], keys[1]);
  EXPECT_NE(keys[0], keys[2]);
  EXPECT_NE(keys[1], keys[2]);
  EXPECT_EQ(keys[1], keys[3]);
}

TEST(LayerKeys, ZeroPointsCount) {
  const auto keys = keys_of({{0.5F, 0.25F, 1}, {0.5F, 0.25F, 1}, {0.5F, 0.25F, 1}}, {3, 3, 4});
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[0], keys[1]);
  EXPECT_NE(keys[0], keys[2]);
}

}  // namespace
}  // namespace npu::kernels
