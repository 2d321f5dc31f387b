// Float operators between DequantizeLinear and QuantizeLinear: what multiplies, and that it gives
// what ONNX says.
#include <algorithm>

#include "tests/unit/onnx_import/quantized_models.h"

namespace npu::onnx_import {
namespace {

using graph::OpKind;
using testing::ElementsAre;

TEST(Quantization, ConvolutionsOfDequantizedOperandsMultiplyBytes) {
  Qdq q;
  q.maker().input("x", {2, 6, 7, 5}, kU8);
  const std::string x = q.dequantize("x", 0.02, 120);
  const std::string w = q.weights({8, 3, 3, 3}, 0);
  const std::string y =
      q.op("Conv", {x, w, q.bias(0.02)},
           {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}, {"group", std::int64_t{2}}});
  q.quantize(q.op("Relu", {y}), 0.03, 10, "y");
  q.maker().output("y");
  const graph::Graph graph = expect_equal(q.maker());
  EXPECT_THAT(kinds(graph), ElementsAre("TRANSPOSE", "CONV_2D", "TRANSPOSE"));
  const auto conv = std::ranges::find(graph.nodes, OpKind::kConv2d, &graph::Node::kind);
  EXPECT_TRUE(rescales_in_float(*conv));
  EXPECT_EQ(graph.tensor(conv->inputs[0]).type, DType::kUint8);
  EXPECT_EQ(graph.tensor(conv->inputs[1]).type, DType::kInt8);
  EXPECT_EQ(graph.tensor(conv->inputs[2]).type, DType::kInt32);
  EXPECT_EQ(graph.tensor(conv->outputs[0]).type, DType::kUint8);
  EXPECT_EQ(std::get<graph::WindowAttrs>(conv->attrs).activation, graph::Activation::kRelu);
}

TEST(Quantization, ANetworkOfBytesFromEndToEnd) {
  for (const ElementType bytes : {kU8, kI8}) {
    const double low = bytes == kU8 ? 0 : -128;
    Qdq q(bytes);
    q.maker().input("x", {1, 4, 8, 8}, bytes);
    std::string x = q.dequantize("x", 0.02, low + 128);
    std::string w = q.weights({6, 4, 3, 3}, 0);
    x = q.op("Relu", {q.op("Conv", {x, w, q.bias(0.02)})});  // Saturation is the ReLU.
    x = q.dequantize(q.quantize(x, 0.01, low), 0.01, low);
    w = q.weights({6, 1, 3, 3}, 0);
    std::string t =
        q.op("Conv", {x, w, q.bias(0.01)},
             {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}, {"group", std::int64_t{6}}});
    t = q.op("Clip", {t, q.scalar(0), q.scalar(6)});
    t = q.dequantize(q.quantize(t, 6.0 / 255, low), 6.0 / 255, low);
    x = q.op("Relu", {q.op("Add", {x, t})});
    x = q.dequantize(q.quantize(x, 0.02, low), 0.02, low);
    x = q.op("MaxPool", {x}, {{"kernel_shape", std::vector<std::int64_t>{2, 2}}});
    x = q.dequantize(q.quantize(x, 0.02, low), 0.02, low);
    x = q.op("Flatten", {x});
    w = q.weights({5, 150}, 0);
    x = q.op("Gemm", {x, w, q.bias(0.02)}, {{"transB", std::int64_t{1}}});
    q.quantize(x, 0.05, low + 100, "y");
    q.maker().output("y");
    EXPECT_THAT(kinds(expect_equal(q.maker())),
                ElementsAre("TRANSPOSE", "CONV_2D", "DEPTHWISE_CONV_2D", "MAP", "MAX_POOL_2D",
                            "TRANSPOSE", "MATMUL"));
  }
}

TEST(Quantization, ProductsOfTwoActivations) {
  Qdq q(kI8);
  q.maker().input("a", {2, 3, 5}, kI8).input("b", {2, 5, 4}, kI8);
  const std::string y = q.op("MatMul", {q.dequantize("a", 0.02, 3), q.dequantize("b", 0.04, -7)});
  q.quantize(y, 0.06, 1, "y");
  q.maker().output("y");
  EXPECT_THAT(kinds(expect_equal(q.maker())), ElementsAre("MATMUL"));
}

TEST(Quantization, ProductsMayHaveFloatResults) {
  Qdq q(kI8);
  q.maker().input("a", {3, 8}, kI8);
  const std::string a = q.dequantize("a", 0.03125, 3);
  q.maker().constant("w", {8, 4}, q.numbers().whole(32, -127, 127), kI8);
  q.maker().node("DequantizeLinear", {"w", q.scalar(0.125)}, {"wd"});
  q.maker().node("MatMul", {a, "wd"}, {"y"}).output("y");
  EXPECT_THAT(kinds(expect_equal(q.maker())), ElementsAre("MATMUL"));
}

TEST(Quantization, ElementwiseOperatorsReadAndWriteBytes) {
  Qdq q;
  q.maker().input("a", {2, 3, 4}, kU8).input("b", {3, 1}, kU8);
  std::string y = q.op("Mul", {q.dequantize("a", 0.02, 128), q.dequantize("b", 0.03, 7)});
  y = q.dequantize(q.quantize(y, 0.05, 100), 0.05, 100);
  y = q.op("Sigmoid", {y});
  y = q.dequantize(q.quantize(y, 1.0 / 256, 0), 1.0 / 256, 0);
  y = q.op("ReduceMax", {y}, {{"axes", std::vector<std::int64_t>{2}}});
  q.quantize(y, 1.0 / 256, 0, "y");
  q.maker().output("y");
  const graph::Graph graph = expect_equal(q.maker());
  EXPECT_THAT(kinds(graph), ElementsAre("MAP", "MAP", "REDUCE"));
  for (const graph::Node& node : graph.nodes) {
    EXPECT_EQ(graph.tensor(node.outputs[0]).type, DType::kUint8);
  }
}

TEST(Quantization, ConcatenationsOfUnlikeScalesRequantize) {
  Qdq q;
  q.maker().input("a", {2, 3}, kU8).input("b", {2, 5}, kU8);
  const std::string y = q.op("Concat", {q.dequantize("a", 0.02, 128), q.dequantize("b", 0.05, 7)},
                             {{"axis", std::int64_t{1}}});
  q.quantize(y, 0.05, 7, "y");
  q.maker().output("y");
  EXPECT_THAT(kinds(expect_equal(q.maker())), ElementsAre("MAP", "CONCATENATION"));
}

// Three scales along the input channels, eight output channels.
TEST(Quantization, ABiasOverScalesOfAnotherAxisStaysFloat) {
  Qdq q;
  q.maker().input("x", {1, 3, 5, 5}, kU8);
  const std::string x = q.dequantize("x", 0.02, 120);
  const std::string y = q.op("Conv", {x, q.weights({8, 3, 3, 3}, 1), q.reals({8}, -1, 1)},
                             {{"pads", std::vector<std::int64_t>{1, 1, 1, 1}}});
  q.quantize(y, 0.03, 10, "y");
  q.maker().output("y");
  const Plan plan = make_plan(simplify(q.maker().model(), {}), {});
  const graph::Graph& graph = std::get<NpuStage>(plan.stages[0]).graph;
  const auto conv = std::ranges::find(graph.nodes, OpKind::kConv2d, &graph::Node::kind);
  ASSERT_NE(conv, graph.nodes.end());
  EXPECT_EQ(graph.tensor(conv->inputs[0]).type, DType::kFloat32);
}

TEST(Quantization, WhatIsNotQuantizedAgainStaysFloat) {
  Qdq q;
  q.maker().input("x", {1, 2, 5, 5}, kU8);
  const std::string x = q.dequantize("x", 0.02, 120);
  q.maker().node("Conv", {x, q.weights({3, 2, 3, 3}, 0)}, {"y"}).output("y");
  const Network network = simplify(q.maker().model(), {});
  const Plan plan = make_plan(network, {});
  const graph::Graph& graph = std::get<NpuStage>(plan.stages[0]).graph;
  EXPECT_THAT(kinds(graph), ElementsAre("TRANSPOSE", "MAP", "CONV_2D", "TRANSPOSE"));
}

}  // namespace
}  // namespace npu::onnx_import
