// Indices, order, operand counts, sizes and constants.

#include <cmath>

#include "tests/unit/graph/sample_graphs.h"

namespace npu::test {
namespace {

/// x → RELU → RELU → y. Tensors 0, 1, 2.
Graph chain() {
  GraphMaker maker("chain");
  const TensorId x = maker.input(DType::kInt8, {2, 3}, kUnit);
  const TensorId middle = maker.activation(DType::kInt8, {2, 3}, kUnit);
  const TensorId y = maker.activation(DType::kInt8, {2, 3}, kUnit);
  maker.node(OpKind::kRelu, {x}, {middle});
  maker.node(OpKind::kRelu, {middle}, {y});
  return maker.finish({y});
}

TEST(VerifyStructure, EmptyParts) {
  Graph g = chain();
  g.nodes.clear();
  expect_refused(g, "the graph has no operators");
  g = chain();
  g.inputs.clear();
  expect_refused(g, "the graph has no inputs");
  g = chain();
  g.outputs.clear();
  expect_refused(g, "the graph has no outputs");
}

TEST(VerifyStructure, Indices) {
  Graph g = chain();
  g.nodes[1].inputs[0] = 3;
  expect_refused(g, "operator #1 RELU: tensor index 3 is out of range, the graph has 3 tensors");
  g = chain();
  g.nodes[1].outputs[0] = -1;
  expect_refused(g, "tensor index -1 is out of range");
  g = chain();
  g.inputs[0] = 9;
  expect_refused(g, "graph inputs: tensor index 9 is out of range");
  g = chain();
  g.outputs[0] = -2;
  expect_refused(g, "graph outputs: tensor index -2 is out of range");
}

TEST(VerifyStructure, OrderAndProducers) {
  Graph g = chain();
  std::swap(g.nodes[0], g.nodes[1]);
  expect_refused(g, "tensor #1 `t1` int8[2,3] is read before any operator writes it");
  g = chain();
  g.nodes[1].outputs[0] = 1;
  expect_refused(g, "tensor #1 `t1` int8[2,3] is written twice");
  g = chain();
  g.nodes[0].outputs[0] = 0;
  expect_refused(g, "tensor #0 `t0` int8[2,3] is written twice");
  g = chain();
  g.inputs = {0, 0};
  expect_refused(g, "graph inputs: tensor #0 `t0` int8[2,3] is listed twice");
  g = chain();
  g.outputs = {2, 2};
  expect_refused(g, "graph outputs: tensor #2 `t2` int8[2,3] is listed twice");
  g = chain();
  g.outputs = {0};
  expect_refused(g, "graph outputs: tensor #0 `t0` int8[2,3] is written by no operator");
}

TEST(VerifyStructure, ConstantsAndVariables) {
  Graph g = conv_graph();
  g.tensors[1].data.pop_back();
  expect_refused(g, "tensor #1 `t1`: constant of 287 bytes for int8[8,3,3,4], which needs 288");
  g.tensors[1].data.clear();
  expect_refused(g, "tensor #1 `t1`: constant of 0 bytes for int8[8,3,3,4], which needs 288");
  EXPECT_NO_THROW(verify(g, graph::Payload::kOptional));
  EXPECT_FALSE(graph::has_payload(g.tensors[1]));
  g.tensors[1].data.resize(1);
  EXPECT_THROW(verify(g, graph::Payload::kOptional), Error);
  g = chain();
  EXPECT_TRUE(graph::has_payload(g.tensors[1]));
  g.tensors[1].data.resize(6);
  expect_refused(g, "6 bytes of data in a tensor that is not constant");
  g = conv_graph();
  g.tensors[1].is_variable = true;
  expect_refused(g, "both constant and variable");
  g = conv_graph();
  g.inputs.push_back(1);
  expect_refused(g, "graph inputs: tensor #1 `t1` int8[8,3,3,4] is a constant");
  g = svdf_graph();
  g.inputs.push_back(4);
  expect_refused(g, "graph inputs: tensor #4 `t4` int16[1,30] is a variable");
  g = conv_graph();
  g.tensors.push_back(g.tensors[2]);
  g.nodes.push_back(g.nodes[0]);
  g.nodes[1].outputs[0] = 4;
  expect_refused(g, "writes tensor #4 `t2` int32[8], a constant");
  g = chain();
  g.tensors[2].is_variable = true;
  expect_refused(g, "writes tensor #2 `t2` int8[2,3], a variable");
}

TEST(VerifyStructure, OnlySvdfHasAState) {
  Graph g = chain();
  g.tensors.push_back(g.tensors[0]);
  g.tensors[3].is_variable = true;
  g.nodes[0].inputs[0] = 3;
  expect_refused(g, "is a variable, only SVDF has a state");
  g = svdf_graph();
  g.tensors.push_back(g.tensors[5]);
  g.nodes.push_back(g.nodes[0]);
  g.nodes[1].outputs[0] = 6;
  expect_refused(g, "tensor #4 `t4` int16[1,30] is the state of two operators");
}

TEST(VerifyStructure, SizesAreBounded) {
  Graph g = chain();
  for (auto& t : g.tensors) t.shape = {std::int64_t{1} << 31};
  EXPECT_NO_THROW(graph::verify(g));
  for (auto& t : g.tensors) t.shape = {(std::int64_t{1} << 31) + 1};
  expect_refused(g, "tensor #0 `t0`: more than 2^31 bytes, shape [2147483649]");
  for (auto& t : g.tensors) t.shape = {std::int64_t{1} << 40, std::int64_t{1} << 40};
  expect_refused(g, "more than 2^31 bytes");
  for (auto& t : g.tensors) t.shape = {3, 0};
  expect_refused(g, "sizes must be at least 1, got [3,0]");
  for (auto& t : g.tensors) t.shape = Shape(8, 1);
  EXPECT_NO_THROW(graph::verify(g));
  for (auto& t : g.tensors) t.shape = Shape(9, 1);
  expect_refused(g, "rank must be at most 8, got 9");
}

TEST(VerifyStructure, ArithmeticIsBounded) {
  // 46340² outputs of 1024² products each, almost 2^51 in every node.
  GraphMaker maker("large");
  const TensorId x = maker.input(DType::kInt8, {1, 1, 1, 1}, kUnit);
  const TensorId w = weights(maker, {1, 1024, 1024, 1});
  graph::WindowAttrs a;
  a.window = window(1024);
  a.window.pad_top = a.window.pad_bottom = a.window.pad_left = a.window.pad_right = 23681;
  TensorId y = 0;
  for (int i = 0; i < 33; ++i) {
    y = maker.activation(DType::kInt8, {1, 46340, 46340, 1}, kUnit);
    maker.node(OpKind::kConv2d, {x, w, graph::kAbsent}, {y}, a);
  }
  Graph g = maker.unchecked({y});
  expect_refused(g, "operator #32 CONV_2D: the network has more than 2^56 multiply-accumulates");
  g.nodes.pop_back();
  g.outputs[0] -= 1;
  EXPECT_NO_THROW(graph::verify(g));
}

TEST(VerifyStructure, OperandCounts) {
  Graph g = conv_graph();
  g.nodes[0].inputs.pop_back();
  expect_refused(g, "operator #0 CONV_2D: needs 3 inputs, got 2");
  g = plain_graph(OpKind::kConcatenation, {}, {2}, graph::ActivationAttrs{});
  g.inputs = {0};
  expect_refused(g, "needs at least 1 inputs, got 0");
  g = chain();
  g.nodes[0].outputs.clear();
  expect_refused(g, "needs 1 output, got 0");
  g = plain_graph(OpKind::kSplit, {{2}}, {2}, graph::ActivationAttrs{});
  g.nodes[0].outputs.clear();
  expect_refused(g, "needs at least 1 output, got 0");
  g = conv_graph();
  g.nodes[0].inputs[1] = graph::kAbsent;
  expect_refused(g, "input 1 is absent");
  g = conv_graph();
  g.nodes[0].inputs[2] = graph::kAbsent;
  EXPECT_NO_THROW(graph::verify(g));
  g.nodes[0].attrs = graph::SoftmaxAttrs{};
  expect_refused(g, "has the attributes of another operator");
}

TEST(VerifyStructure, Quantization) {
  Graph g = conv_graph();
  g.tensors[1].quantization->zero_point.pop_back();
  expect_refused(g, "tensor #1 `t1`: 7 zero points for 8 scales");
  g = conv_graph();
  g.tensors[0].quantization = graph::Quantization{};
  expect_refused(g, "tensor #0 `t0`: quantization without a scale");
  g = conv_graph();
  g.tensors[1].quantization->axis = 4;
  expect_refused(g, "quantized dimension 4 is out of range for shape [8,3,3,4]");
  g.tensors[1].quantization->axis = 1;
  expect_refused(g, "8 scales along dimension 1 of shape [8,3,3,4]");
  for (const float scale : {0.0F, -1.0F, 0x1p-61F, 0x1p61F, std::nanf(""), HUGE_VALF}) {
    g = conv_graph();
    g.tensors[1].quantization->scale[3] = scale;
    expect_refused(g, "scale must be positive and between 2^-60 and 2^60");
  }
  g = conv_graph();
  g.tensors[0].quantization->zero_point[0] = 128;
  expect_refused(g, "zero point must be in [-128, 127] for int8, got 128");
  g = plain_graph(OpKind::kRelu, {{2}}, {2}, {}, DType::kUint8);
  EXPECT_NO_THROW(graph::verify(g));
  g.tensors[0].quantization->zero_point[0] = -1;
  expect_refused(g, "zero point must be in [0, 255] for uint8, got -1");
  g = plain_graph(OpKind::kDequantize, {{2}}, {2}, {}, DType::kInt16);
  g.tensors[1].type = DType::kFloat32;
  g.tensors[0].quantization->zero_point[0] = 32768;
  expect_refused(g, "zero point must be in [-32768, 32767] for int16, got 32768");
}

}  // namespace
}  // namespace npu::test
