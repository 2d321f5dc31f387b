#include "kernels/lowering/partition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/lowering/compile.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::Graph;
using graph::OpKind;
using testing::ElementsAre;
using testing::HasSubstr;

graph::TensorId add(Graph& g, DType type, Shape shape) {
  graph::Tensor t;
  t.name = fmt::format("t{}", g.tensors.size());
  t.type = type;
  t.shape = std::move(shape);
  if (type != DType::kFloat32) t.quantization = graph::Quantization{{0.5F}, {0}, 0};
  g.tensors.push_back(std::move(t));
  return static_cast<graph::TensorId>(g.tensors.size()) - 1;
}

void node(Graph& g, OpKind kind, graph::TensorId x, graph::TensorId y, graph::Attrs attrs = {}) {
  g.nodes.push_back({kind, {x}, {y}, std::move(attrs), static_cast<int>(g.nodes.size())});
}

std::string error_of(const Graph& g) {
  try {
    static_cast<void>(partition(g));
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(Partition, NothingFollowsTheHostsLastPart) {
  Graph g;
  const auto q = add(g, DType::kInt8, {4});
  const auto s = add(g, DType::kInt8, {4});
  const auto d = add(g, DType::kFloat32, {4});
  const auto back = add(g, DType::kInt8, {4});
  const auto y = add(g, DType::kInt8, {4});
  node(g, OpKind::kRelu, q, s);
  node(g, OpKind::kDequantize, s, d);
  node(g, OpKind::kQuantize, d, back);
  node(g, OpKind::kRelu, back, y);
  g.inputs = {q};
  g.outputs = {y};
  EXPECT_EQ(error_of(g),
            "operator #3 RELU: follows a float operator that runs on the host; only the network's "
            "edges may be float");
}

TEST(Partition, FloatEdgesRunOnTheHost) {
  Graph g;
  const auto f = add(g, DType::kFloat32, {4});
  const auto q = add(g, DType::kInt8, {4});
  const auto r = add(g, DType::kInt8, {2, 2});
  const auto s = add(g, DType::kInt8, {2, 2});
  const auto d = add(g, DType::kFloat32, {2, 2});
  node(g, OpKind::kQuantize, f, q);
  node(g, OpKind::kReshape, q, r);
  node(g, OpKind::kRelu, r, s);
  node(g, OpKind::kDequantize, s, d);
  g.inputs = {f};
  g.outputs = {d};
  const mapper::Partition p = partition(g);
  EXPECT_THAT(p.host_before, ElementsAre(0));
  EXPECT_THAT(p.aliases, ElementsAre(1));
  EXPECT_THAT(p.layers, ElementsAre(2));
  EXPECT_THAT(p.host_after, ElementsAre(3));
  EXPECT_THAT(p.npu_inputs, ElementsAre(q));
  EXPECT_THAT(p.npu_outputs, ElementsAre(s));
}

TEST(Partition, UnsupportedOperatorIsNamedWithIndexTypesAndAttributes) {
  Graph g;
  const auto x = add(g, DType::kFloat32, {1, 4});
  const auto y = add(g, DType::kFloat32, {1, 4});
  node(g, OpKind::kLeakyRelu, x, y, graph::LeakyReluAttrs{2.0F});
  g.inputs = {x};
  g.outputs = {y};
  EXPECT_THAT(error_of(g), HasSubstr("operator #0 LEAKY_RELU: not supported with operands "
                                     "(float32[1,4]) -> float32[1,4], alpha 2;"));
}

TEST(Partition, FloatBetweenIntegerOperatorsIsRefused) {
  Graph g;
  const auto a = add(g, DType::kInt8, {4});
  const auto b = add(g, DType::kInt8, {4});
  const auto f = add(g, DType::kFloat32, {4});
  const auto c = add(g, DType::kInt8, {4});
  const auto d = add(g, DType::kInt8, {4});
  node(g, OpKind::kRelu, a, b);
  node(g, OpKind::kDequantize, b, f);
  node(g, OpKind::kQuantize, f, c);
  node(g, OpKind::kRelu, c, d);
  g.inputs = {a};
  g.outputs = {d};
  EXPECT_THAT(error_of(g), HasSubstr("operator #3 RELU: follows a float operator"));
}

TEST(Partition, FloatReshapesRunWhereTheirNeighboursDo) {
  Graph edge;  // DEQUANTIZE, RESHAPE
  const auto q = add(edge, DType::kInt8, {4});
  const auto d = add(edge, DType::kFloat32, {4});
  const auto r = add(edge, DType::kFloat32, {2, 2});
  const auto raw = add(edge, DType::kInt8, {4});
  node(edge, OpKind::kRelu, raw, q);
  node(edge, OpKind::kDequantize, q, d);
  node(edge, OpKind::kReshape, d, r);
  edge.inputs = {raw};
  edge.outputs = {r};
  EXPECT_THAT(partition(edge).host_after, ElementsAre(1, 2));

  Graph floats;  // RESHAPE, SOFTMAX, RESHAPE
  const auto x = add(floats, DType::kFloat32, {4});
  const auto rows = add(floats, DType::kFloat32, {2, 2});
  const auto soft = add(floats, DType::kFloat32, {2, 2});
  const auto y = add(floats, DType::kFloat32, {4});
  node(floats, OpKind::kReshape, x, rows);
  node(floats, OpKind::kSoftmax, rows, soft, graph::SoftmaxAttrs{});
  node(floats, OpKind::kReshape, soft, y);
  floats.inputs = {x};
  floats.outputs = {y};
  const mapper::Partition p = partition(floats);
  EXPECT_THAT(p.aliases, ElementsAre(0, 2));
  EXPECT_THAT(p.layers, ElementsAre(1));
}

TEST(Partition, GatherNeedsConstantIndices) {
  Graph g;
  const auto table = add(g, DType::kFloat32, {5, 2});
  const auto at = add(g, DType::kInt32, {3});
  const auto y = add(g, DType::kFloat32, {3, 2});
  g.nodes.push_back({OpKind::kGather, {table, at}, {y}, {}, 0});
  g.inputs = {table, at};
  g.outputs = {y};
  EXPECT_EQ(place_of(g, g.nodes[0]), Place::kUnsupported);
  EXPECT_THAT(error_of(g), HasSubstr("operator #0 GATHER: not supported with operands "
                                     "(float32[5,2], int32[3]) -> float32[3,2]"));
  g.tensors[static_cast<std::size_t>(at)].is_constant = true;
  EXPECT_EQ(place_of(g, g.nodes[0]), Place::kNpu);
}

TEST(Partition, RescaledConcatenationIsSplit) {
  Graph g;
  const auto a = add(g, DType::kUint8, {4});
  const auto b = add(g, DType::kUint8, {4});
  const auto y = add(g, DType::kUint8, {8});
  g.tensors[static_cast<std::size_t>(b)].quantization->scale = {0.25F};
  g.nodes.push_back({OpKind::kConcatenation, {a, b}, {y}, graph::ActivationAttrs{}, 0});
  const Graph split = split_rescaled_concatenations(g);
  ASSERT_EQ(split.nodes.size(), 2U);
  EXPECT_THAT(split.nodes[0].inputs, ElementsAre(b));
  EXPECT_THAT(split.nodes[1].inputs, ElementsAre(a, 3));
}

}  // namespace
}  // namespace npu::kernels
