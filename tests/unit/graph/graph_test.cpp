#include "workloads/graph/graph.h"

#include <set>

#include "tests/unit/graph/sample_graphs.h"

namespace npu::test {
namespace {

std::int64_t macs(const Graph& graph) { return mac_count(graph, graph.nodes.at(0)); }

TEST(Names, AreTflites) {
  EXPECT_EQ(graph::name_of(OpKind::kConv2d), "CONV_2D");
  EXPECT_EQ(graph::name_of(OpKind::kReluN1To1), "RELU_N1_TO_1");
  EXPECT_EQ(graph::name_of(OpKind::kSvdf), "SVDF");
  std::set<std::string_view> names;
  for (int kind = 0; kind < graph::kOpKinds; ++kind) {
    names.insert(graph::name_of(static_cast<OpKind>(kind)));
  }
  EXPECT_EQ(names.size(), static_cast<std::size_t>(graph::kOpKinds));
  EXPECT_THROW((void)graph::name_of(static_cast<OpKind>(graph::kOpKinds)), std::logic_error);
  EXPECT_EQ(graph::name_of(graph::Activation::kNone), "NONE");
  EXPECT_EQ(graph::name_of(graph::Activation::kRelu), "RELU");
  EXPECT_EQ(graph::name_of(graph::Activation::kRelu6), "RELU6");
  EXPECT_EQ(graph::name_of(graph::Activation::kReluN1To1), "RELU_N1_TO_1");
}

TEST(Describe, HasIndexAndName) {
  graph::Node node;
  node.kind = OpKind::kMaxPool2d;
  node.source_index = 17;
  EXPECT_EQ(graph::describe(node), "operator #17 MAX_POOL_2D");
}

TEST(MacCount, CountsEveryTap) {
  EXPECT_EQ(macs(conv_graph()), 3 * 4 * 8 * 3 * 3 * 4);
  EXPECT_EQ(macs(depthwise_graph()), 3 * 4 * 8 * 3 * 3);
  EXPECT_EQ(macs(transpose_conv_graph()), 3 * 4 * 5 * 2 * 3 * 3);
  EXPECT_EQ(macs(fully_connected_graph()), 2 * 12 * 5);
  EXPECT_EQ(macs(svdf_graph()), 4 * 6 + 6 * 5);
  EXPECT_EQ(macs(pool_graph()), 0);
}

TEST(MacCount, GroupsSeeTheirOwnChannelsOnly) {
  Graph graph = conv_graph();
  graph.tensors[1].shape = {8, 3, 3, 2};
  graph.tensors[1].data.resize(8 * 3 * 3 * 2);
  std::get<graph::WindowAttrs>(graph.nodes[0].attrs).groups = 2;
  graph::verify(graph);
  EXPECT_EQ(macs(graph), 3 * 4 * 8 * 3 * 3 * 2);
}

TEST(SameQuantization, ComparesScaleAndZeroPoint) {
  graph::Tensor a;
  graph::Tensor b;
  EXPECT_TRUE(same_quantization(a, b));
  a.quantization = graph::Quantization{{0.5F}, {3}, 0};
  EXPECT_FALSE(same_quantization(a, b));
  b.quantization = graph::Quantization{{0.5F}, {3}, 2};
  EXPECT_TRUE(same_quantization(a, b));
  b.quantization->zero_point[0] = 4;
  EXPECT_FALSE(same_quantization(a, b));
  b.quantization = graph::Quantization{{0.25F}, {3}, 0};
  EXPECT_FALSE(same_quantization(a, b));
}

}  // namespace
}  // namespace npu::test
