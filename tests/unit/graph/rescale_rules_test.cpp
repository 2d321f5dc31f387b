// Convolutions whose sums are rescaled in fp32.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "workloads/graph/graph.h"
#include "workloads/graph/node_rules.h"

namespace npu::graph {
namespace {

using testing::HasSubstr;

Graph convolution(DType x, DType w, DType y, DType bias = DType::kInt32) {
  const auto tensor = [](const char* name, DType type, Shape shape, bool is_constant) {
    Tensor t;
    t.name = name;
    t.type = type;
    t.shape = std::move(shape);
    t.is_constant = is_constant;
    if (type != DType::kInt32) t.quantization = Quantization{{0.5F}, {0}, 0};
    if (is_constant) t.data.resize(static_cast<std::size_t>(t.bytes()));
    return t;
  };
  Graph graph;
  graph.tensors = {tensor("x", x, {1, 4, 4, 2}, false), tensor("w", w, {3, 1, 1, 2}, true),
                   tensor("b", bias, {3}, true), tensor("y", y, {1, 4, 4, 3}, false)};
  WindowAttrs attrs;
  attrs.rescale = Rescale::kFloat;
  graph.nodes = {{OpKind::kConv2d, {0, 1, 2}, {3}, attrs, 0}};
  graph.inputs = {0};
  graph.outputs = {3};
  return graph;
}

std::string error_of(const Graph& graph) {
  try {
    verify(graph);
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(RescaleRules, BytesOfAnySign) {
  for (const DType x : {DType::kInt8, DType::kUint8}) {
    for (const DType w : {DType::kInt8, DType::kUint8}) {
      for (const DType y : {DType::kInt8, DType::kUint8}) {
        EXPECT_EQ(error_of(convolution(x, w, y)), "");
      }
    }
  }
}

TEST(RescaleRules, NothingElse) {
  const auto message = HasSubstr("are not supported with sums that are rescaled in fp32");
  EXPECT_THAT(error_of(convolution(DType::kInt16, DType::kInt8, DType::kInt16)), message);
  EXPECT_THAT(error_of(convolution(DType::kInt8, DType::kInt8, DType::kInt32)), message);
  EXPECT_THAT(error_of(convolution(DType::kInt8, DType::kInt8, DType::kInt8, DType::kFloat32)),
              message);
}

TEST(RescaleRules, TheAttributesSayIt) {
  const Graph graph = convolution(DType::kInt8, DType::kInt8, DType::kInt8);
  EXPECT_THAT(describe_attributes(graph.nodes[0]), HasSubstr("rescale in fp32"));
  EXPECT_TRUE(rescales_in_float(graph.nodes[0]));
}

}  // namespace
}  // namespace npu::graph
