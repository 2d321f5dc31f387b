// What the builder writes, the importer reads back: every operator kind with every type.

#include <gtest/gtest.h>

#include "tests/support/random_graph.h"
#include "tests/support/tflite_builder.h"
#include "workloads/importers/tflite.h"

namespace npu::test {
namespace {

/// The imported network without the constants that carried attributes.
graph::Graph imported(const graph::Graph& original) {
  graph::Graph graph = importers::parse_tflite(build_tflite(original), "built");
  EXPECT_GE(graph.tensors.size(), original.tensors.size());
  graph.tensors.resize(original.tensors.size());
  return graph;
}

class RoundTrip : public testing::TestWithParam<int> {};

TEST_P(RoundTrip, LayerComesBackUnchanged) {
  const auto kind = static_cast<graph::OpKind>(GetParam());
  for (const DType type : layer_types(kind)) {
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      SCOPED_TRACE(fmt::format("{} {} seed {}", name_of(kind), name_of(type), seed));
      std::mt19937_64 rng(seed);
      graph::Graph original = random_layer(rng, kind, type);
      // How sums are rescaled a TFLite file cannot say.
      if (auto* window = std::get_if<graph::WindowAttrs>(&original.nodes.at(0).attrs)) {
        window->rescale = graph::Rescale::kMultiplier;
      }
      ASSERT_EQ(original.nodes.size(), 1U);
      EXPECT_EQ(original.nodes[0].kind, kind);
      const graph::Graph back = imported(original);
      EXPECT_TRUE(back.nodes == original.nodes);
      ASSERT_TRUE(back == original);
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Kinds, RoundTrip,
                         testing::Range(0, static_cast<int>(graph::OpKind::kSvdf) + 1));

TEST(RoundTripNetwork, ComesBackUnchanged) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 rng(seed);
    const graph::Graph original = random_network(rng);
    EXPECT_GE(original.nodes.size(), 6U);
    ASSERT_TRUE(imported(original) == original);
  }
}

TEST(RandomInputs, FitTheGraph) {
  std::mt19937_64 rng(1);
  for (int i = 0; i < 50; ++i) {
    const graph::Graph graph = random_layer(rng, graph::OpKind::kAdd, DType::kInt16);
    const std::vector<TensorData> inputs = random_inputs(rng, graph);
    ASSERT_EQ(inputs.size(), graph.inputs.size());
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      const graph::Tensor& t = graph.tensor(graph.inputs[k]);
      EXPECT_EQ(inputs[k].type, t.type);
      EXPECT_EQ(inputs[k].shape, t.shape);
      EXPECT_EQ(static_cast<std::int64_t>(inputs[k].bytes.size()), t.bytes());
    }
  }
}

}  // namespace
}  // namespace npu::test
