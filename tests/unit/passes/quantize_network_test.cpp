#include "workloads/passes/quantize_network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/reference/reference.h"
#include "tests/support/graph_maker.h"

namespace npu::test {
namespace {

using graph::Graph;
using graph::OpKind;
using graph::Tensor;
using graph::TensorId;
using passes::activation_quantization;
using passes::quantize_network;
using passes::Ranges;
using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::byte> bytes_of(const std::vector<float>& values) {
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

/// Float networks, operator by operator.
class FloatMaker {
 public:
  TensorId input(Shape shape) { return plain(maker_.input(DType::kFloat32, std::move(shape), {})); }
  TensorId activation(Shape shape) {
    return plain(maker_.activation(DType::kFloat32, std::move(shape), {}));
  }
  TensorId constant(Shape shape, const std::vector<float>& values) {
    return maker_.constant(DType::kFloat32, std::move(shape), std::nullopt, bytes_of(values));
  }
  /// An operator of one result.
  TensorId node(OpKind kind, std::vector<TensorId> inputs, Shape shape, graph::Attrs attrs = {}) {
    const TensorId y = activation(std::move(shape));
    maker_.node(kind, std::move(inputs), {y}, std::move(attrs));
    return y;
  }
  TensorId map(MapFunction function, std::vector<TensorId> inputs, Shape shape, double imm0 = 0) {
    return node(OpKind::kMap, std::move(inputs), std::move(shape),
                graph::MapAttrs{function, imm0, 0});
  }
  GraphMaker& maker() { return maker_; }
  Graph finish(std::vector<TensorId> outputs) { return maker_.finish(std::move(outputs)); }

 private:
  TensorId plain(TensorId id) {
    maker_.requantize(id, std::nullopt);
    return id;
  }
  GraphMaker maker_{"float"};
};

/// The same range for every tensor that is not constant.
Ranges everywhere(const Graph& g, float low, float high) {
  Ranges ranges;
  for (std::size_t id = 0; id < g.tensors.size(); ++id) {
    if (!g.tensors[id].is_constant) ranges[static_cast<TensorId>(id)] = {low, high};
  }
  return ranges;
}

std::vector<OpKind> kinds(const Graph& g) {
  std::vector<OpKind> kinds;
  for (const graph::Node& n : g.nodes) kinds.push_back(n.kind);
  return kinds;
}

TensorData floats(Shape shape, const std::vector<float>& values) {
  return {DType::kFloat32, std::move(shape), bytes_of(values)};
}

/// Largest difference of an output between the float network and the int8 one.
float error_of(const Graph& real, const Graph& quantized, const std::vector<TensorData>& inputs) {
  const auto expected = reference::run_integer(real, inputs);
  const auto got = reference::run_integer(quantized, inputs);
  const auto& a = expected.tensors.at(static_cast<std::size_t>(real.outputs[0]));
  const auto& b = got.tensors.at(static_cast<std::size_t>(quantized.outputs[0]));
  EXPECT_EQ(a.shape, b.shape);
  float error = 0;
  for (std::size_t i = 0; i < a.as<float>().size(); ++i) {
    error = std::max(error, std::abs(a.as<float>()[i] - b.as<float>()[i]));
  }
  return error;
}

/// x[2,3] · w[2,3]' + bias.
Graph fully_connected(const std::vector<float>& w, const std::vector<float>& bias,
                      graph::Activation activation = graph::Activation::kNone) {
  FloatMaker m;
  const TensorId x = m.input({2, 3});
  const TensorId weights = m.constant({2, 3}, w);
  const TensorId b = m.constant({2}, bias);
  return m.finish({m.node(OpKind::kFullyConnected, {x, weights, b}, {2, 2},
                          graph::ActivationAttrs{activation, 0})});
}

void expect_error(const Graph& g, const Ranges& ranges, const std::string& part) {
  EXPECT_THAT([&] { (void)quantize_network(g, ranges); },
              testing::ThrowsMessage<Error>(HasSubstr(part)));
}

TEST(QuantizeNetwork, RangesHoldZero) {
  const auto both = activation_quantization({-1.0F, 1.55F});
  EXPECT_FLOAT_EQ(both.scale[0], 0.01F);
  EXPECT_EQ(both.zero_point[0], -28);
  const auto positive = activation_quantization({2.0F, 25.5F});
  EXPECT_FLOAT_EQ(positive.scale[0], 0.1F);
  EXPECT_EQ(positive.zero_point[0], -128);
  const auto negative = activation_quantization({-25.5F, -2.0F});
  EXPECT_FLOAT_EQ(negative.scale[0], 0.1F);
  EXPECT_EQ(negative.zero_point[0], 127);
  EXPECT_FLOAT_EQ(activation_quantization({}).scale[0], 1.0F / 255);
}

TEST(QuantizeNetwork, WeightsHaveAScalePerChannelAndTheBiasTheirProduct) {
  const Graph real = fully_connected({1.27F, -0.5F, 0, 0.1F, 0.2F, -2.54F}, {0.5F, -1.0F});
  const Graph g = quantize_network(real, everywhere(real, -1.0F, 1.55F));
  EXPECT_THAT(kinds(g),
              ElementsAre(OpKind::kQuantize, OpKind::kFullyConnected, OpKind::kDequantize));
  const graph::Node& node = g.nodes[1];
  const Tensor& w = g.tensor(node.inputs[1]);
  ASSERT_EQ(w.quantization->scale.size(), 2U);
  EXPECT_FLOAT_EQ(w.quantization->scale[0], 0.01F);
  EXPECT_FLOAT_EQ(w.quantization->scale[1], 0.02F);
  EXPECT_THAT(w.data, ElementsAre(std::byte{127}, std::byte{206}, std::byte{0}, std::byte{5},
                                  std::byte{10}, std::byte{129}));
  std::int32_t bias[2] = {};
  std::memcpy(bias, g.tensor(node.inputs[2]).data.data(), sizeof bias);
  EXPECT_EQ(bias[0], 5000);
  EXPECT_EQ(bias[1], -5000);
  EXPECT_EQ(g.inputs, real.inputs);
  EXPECT_EQ(g.tensor(g.outputs[0]).type, DType::kFloat32);
}

TEST(QuantizeNetwork, ABiasBeyondInt32EnlargesTheWeightScale) {
  const Graph real = fully_connected({0, 0, 0, 1e-12F, 0, 0}, {100.0F, 1.0F});
  const Graph g = quantize_network(real, everywhere(real, -1.0F, 127.0F));
  const auto expected = floats({2, 3}, {1, 0, 1, 0, 1, 0});
  EXPECT_LT(error_of(real, g, {expected}), 0.51F);
}

TEST(QuantizeNetwork, ResultsAreWithinAStepOfTheFloatOnes) {
  const Graph real = fully_connected({1.27F, -0.5F, 0, 0.1F, 0.2F, -2.54F}, {0.5F, -1.0F},
                                     graph::Activation::kRelu);
  Ranges ranges = everywhere(real, 0, 2.55F);
  ranges[real.inputs[0]] = {-1, 1};
  const Graph g = quantize_network(real, ranges);
  EXPECT_LT(error_of(real, g, {floats({2, 3}, {0.25F, -0.5F, -1, 0.7F, 0.1F, -0.3F})}), 0.03F);
}

TEST(QuantizeNetwork, AdditionsAreIntegerAndTakeTheReluAfterThem) {
  FloatMaker m;
  const TensorId a = m.input({4});
  const TensorId b = m.input({4});
  const TensorId sum = m.map(MapFunction::kAdd, {a, b}, {4});
  const TensorId clipped = m.map(MapFunction::kRelu, {sum}, {4});
  const TensorId c = m.constant({4}, {1, 2, 3, -4});
  const TensorId product = m.map(MapFunction::kMul, {clipped, c}, {4});
  const Graph real = m.finish({product});
  const Graph g = quantize_network(
      real, {{a, {-1, 1}}, {b, {-1, 1}}, {sum, {-2, 2}}, {clipped, {0, 2}}, {product, {-8, 8}}});
  EXPECT_THAT(kinds(g), ElementsAre(OpKind::kQuantize, OpKind::kQuantize, OpKind::kAdd,
                                    OpKind::kMul, OpKind::kDequantize));
  EXPECT_EQ(std::get<graph::ActivationAttrs>(g.nodes[2].attrs).activation,
            graph::Activation::kRelu);
  EXPECT_LT(error_of(real, g, {floats({4}, {0.5F, -1, 1, 1}), floats({4}, {1, 0.5F, 1, 0.25F})}),
            0.13F);
}

TEST(QuantizeNetwork, WhatMovesValuesKeepsTheirQuantization) {
  FloatMaker m;
  const TensorId x = m.input({1, 2, 2, 1});
  const TensorId padded =
      m.node(OpKind::kPad, {x}, {1, 4, 4, 1}, graph::PadAttrs{{0, 1, 1, 0}, {0, 1, 1, 0}, 0});
  graph::WindowAttrs pool;
  pool.window.kernel_h = pool.window.kernel_w = pool.window.stride_h = pool.window.stride_w = 2;
  const TensorId pooled = m.node(OpKind::kMaxPool2d, {padded}, {1, 2, 2, 1}, pool);
  const TensorId flat = m.node(OpKind::kReshape, {pooled}, {1, 4});
  const TensorId soft = m.node(OpKind::kSoftmax, {flat}, {1, 4}, graph::SoftmaxAttrs{});
  const TensorId both = m.node(OpKind::kConcatenation, {soft, flat}, {1, 8},
                               graph::ActivationAttrs{graph::Activation::kNone, 1});
  const Graph real = m.finish({both});
  Ranges ranges = everywhere(real, 0, 9);
  ranges[x] = {-2, 3.1F};
  ranges[both] = {-2, 3.1F};
  const Graph g = quantize_network(real, ranges);
  // Only the softmax, whose scale is fixed, is requantized for the concatenation.
  EXPECT_THAT(kinds(g), ElementsAre(OpKind::kQuantize, OpKind::kPad, OpKind::kMaxPool2d,
                                    OpKind::kReshape, OpKind::kSoftmax, OpKind::kQuantize,
                                    OpKind::kConcatenation, OpKind::kDequantize));
  EXPECT_EQ(g.tensor(flat).quantization, activation_quantization({-2, 3.1F}));
  EXPECT_EQ(std::get<graph::PadAttrs>(g.nodes[1].attrs).value,
            activation_quantization({-2, 3.1F}).zero_point[0]);
  EXPECT_EQ(g.tensor(soft).quantization->zero_point[0], -128);
  EXPECT_LT(error_of(real, g, {floats({1, 2, 2, 1}, {-1, 2, 0.5F, 3})}), 0.03F);
}

TEST(QuantizeNetwork, ProductsOfActivationsAndByAConstant) {
  FloatMaker m;
  const TensorId a = m.input({2, 2});
  const TensorId b = m.input({2, 2});
  const TensorId product = m.node(OpKind::kMatMul, {a, b, graph::kAbsent}, {2, 2},
                                  graph::MatMulAttrs{false, graph::Activation::kNone, 0.5F});
  const TensorId w = m.constant({2, 2}, {1, 0.02F, -1, 0.01F});
  const TensorId bias = m.constant({2}, {0.25F, -0.25F});
  const TensorId y = m.node(OpKind::kMatMul, {product, w, bias}, {2, 2}, graph::MatMulAttrs{});
  const Graph real = m.finish({y});
  const Graph g = quantize_network(real, everywhere(real, -1, 1));
  EXPECT_TRUE(g.tensor(g.nodes[3].inputs[1]).quantization->per_channel());
  EXPECT_EQ(g.tensor(g.nodes[3].inputs[1]).quantization->axis, 1);
  EXPECT_LT(
      error_of(real, g,
               {floats({2, 2}, {0.5F, -1, 1, 0.75F}), floats({2, 2}, {0.1F, 0.9F, -0.5F, 0.3F})}),
      0.04F);
}

TEST(QuantizeNetwork, OthersComputeInFloatOnInt8Operands) {
  FloatMaker m;
  const TensorId x = m.input({2, 4});
  const TensorId scaled = m.map(MapFunction::kMul, {x}, {2, 4}, 0.5);
  const TensorId scale = m.constant({4}, {1, 2, 1, 2});
  const TensorId y = m.node(OpKind::kLayerNorm, {scaled, scale, graph::kAbsent}, {2, 4},
                            graph::NormAttrs{1, 1e-5F});
  const Graph real = m.finish({y});
  const Graph g = quantize_network(real, {{x, {-1, 1}}, {scaled, {-0.5F, 0.5F}}, {y, {-4, 4}}});
  EXPECT_THAT(kinds(g), ElementsAre(OpKind::kQuantize, OpKind::kMap, OpKind::kLayerNorm,
                                    OpKind::kDequantize));
  EXPECT_EQ(g.tensor(g.nodes[2].inputs[1]).type, DType::kFloat32);
  EXPECT_EQ(g.tensor(scaled).type, DType::kInt8);
  EXPECT_LT(error_of(real, g, {floats({2, 4}, {0.5F, -1, 1, 0.75F, 0.1F, 0.9F, -0.5F, 0.3F})}),
            0.1F);
}

TEST(QuantizeNetwork, Errors) {
  const Graph real = fully_connected({1, 1, 1, 1, 1, 1}, {0, 0});
  Ranges ranges = everywhere(real, -1, 1);
  ranges.erase(real.outputs[0]);
  expect_error(real, ranges, "calibration saw no values of it");
  ranges[real.outputs[0]] = {0, INFINITY};
  expect_error(real, ranges, "calibration saw values that are not finite");
  const Graph infinite = fully_connected({1, INFINITY, 1, 1, 1, 1}, {0, 0});
  expect_error(infinite, everywhere(infinite, -1, 1), "cannot quantize the constant inf");
}

TEST(QuantizeNetwork, OperatorsWithoutAnInt8Form) {
  FloatMaker m;
  const TensorId x = m.input({2, 3});
  const TensorId w = m.input({2, 3});
  const TensorId bias = m.constant({2}, {1, 2});
  const TensorId y = m.node(OpKind::kMatMul, {x, w, bias}, {2, 2},
                            graph::MatMulAttrs{true, graph::Activation::kNone, 1});
  const Graph product = m.finish({y});
  expect_error(product, everywhere(product, -1, 1),
               "MATMUL: a bias is quantized with a constant matrix only");

  GraphMaker quantized("quantized");
  const TensorId q = quantized.input(DType::kInt8, {2}, {0.5F, 3});
  const TensorId r = quantized.activation(DType::kInt8, {2}, {0.5F, 3});
  quantized.node(OpKind::kRelu, {q}, {r});
  const Graph done = quantized.finish({r});
  expect_error(done, everywhere(done, -1, 1), "is quantized already");

  GraphMaker edge("edge");
  const TensorId from = edge.input(DType::kFloat32, {2}, {});
  edge.requantize(from, std::nullopt);
  const TensorId to = edge.activation(DType::kInt8, {2}, {0.5F, 3});
  edge.node(OpKind::kQuantize, {from}, {to});
  const Graph converts = edge.finish({to});
  expect_error(converts, everywhere(converts, -1, 1),
               "operator #0 QUANTIZE: cannot be quantized after training");

  GraphMaker half("half");
  const TensorId a = half.input(DType::kFloat16, {2}, {});
  const TensorId b = half.activation(DType::kFloat16, {2}, {});
  half.requantize(a, std::nullopt);
  half.requantize(b, std::nullopt);
  half.node(OpKind::kMap, {a}, {b}, graph::MapAttrs{MapFunction::kRelu, 0, 0});
  const Graph narrow = half.finish({b});
  expect_error(narrow, everywhere(narrow, -1, 1), "quantization starts from float32, got float16");
}

/// Values in [−1, 1], the same in every run.
std::vector<float> some_values(std::size_t count) {
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(static_cast<float>(i * 37 % 101) / 50 - 1);
  }
  return values;
}

TEST(QuantizeNetwork, ConvolutionsHaveTheirOwnAxisOfChannels) {
  FloatMaker m;
  const TensorId x = m.input({1, 4, 4, 2});
  graph::WindowAttrs window;
  window.window.kernel_h = window.window.kernel_w = 3;
  const TensorId w = m.constant({3, 3, 3, 2}, some_values(54));
  const TensorId conv = m.node(OpKind::kConv2d, {x, w, graph::kAbsent}, {1, 2, 2, 3}, window);
  window.window.kernel_h = window.window.kernel_w = 2;
  const TensorId depth = m.constant({1, 2, 2, 3}, some_values(12));
  const TensorId bias = m.constant({3}, {1, -1, 0.5F});
  const TensorId y = m.node(OpKind::kDepthwiseConv2d, {conv, depth, bias}, {1, 1, 1, 3}, window);
  const Graph real = m.finish({y});
  const std::vector<TensorData> inputs = {floats({1, 4, 4, 2}, some_values(32))};
  Ranges ranges;
  const auto seen = reference::run_integer(real, inputs);
  for (const TensorId id : {x, conv, y}) {
    const auto values = seen.tensors.at(static_cast<std::size_t>(id)).as<float>();
    const auto [low, high] = std::ranges::minmax_element(values);
    ranges[id] = {*low, *high};
  }
  const Graph g = quantize_network(real, ranges);
  EXPECT_EQ(g.tensor(g.nodes[1].inputs[1]).quantization->axis, 0);
  EXPECT_EQ(g.tensor(g.nodes[2].inputs[1]).quantization->axis, 3);
  EXPECT_EQ(g.tensor(g.nodes[2].inputs[1]).quantization->scale.size(), 3U);
  const float extent = std::max(ranges[y].high, 0.0F) - std::min(ranges[y].low, 0.0F);
  EXPECT_LT(error_of(real, g, inputs), 0.05F * extent);
}

TEST(QuantizeNetwork, AMaskOfAttentionStaysFloat) {
  FloatMaker m;
  const TensorId q = m.input({1, 1, 2, 4});
  const TensorId mask = m.input({2, 3});
  const TensorId k = m.constant({1, 1, 3, 4}, some_values(12));
  const TensorId y = m.node(OpKind::kAttention, {q, k, k, mask}, {1, 1, 2, 4},
                            graph::AttentionAttrs{0.5F, false, 0});
  const Graph real = m.finish({y});
  const Graph g = quantize_network(real, everywhere(real, -1, 1));
  const graph::Node& attention = g.nodes.at(3);
  ASSERT_EQ(attention.kind, OpKind::kAttention);
  EXPECT_EQ(g.tensor(attention.inputs[1]).type, DType::kInt8);
  EXPECT_EQ(g.tensor(attention.inputs[3]).type, DType::kFloat32);
  EXPECT_LT(
      error_of(real, g,
               {floats({1, 1, 2, 4}, some_values(8)), floats({2, 3}, {0, -1, 0.5F, 1, 0, -0.25F})}),
      0.03F);
}

TEST(QuantizeNetwork, ProductsOfIntegersStay) {
  FloatMaker m;
  const TensorId x = m.input({2, 3});
  const TensorId whole = m.maker().activation(DType::kInt8, {2, 3}, {});
  m.maker().requantize(whole, std::nullopt);
  m.maker().node(OpKind::kMap, {x}, {whole}, graph::MapAttrs{});
  const TensorId w =
      m.maker().constant(DType::kInt8, {1, 3}, std::nullopt, std::vector<std::byte>(3));
  const TensorId sums = m.maker().activation(DType::kInt32, {2, 1}, {});
  m.maker().requantize(sums, std::nullopt);
  m.maker().node(OpKind::kFullyConnected, {whole, w, graph::kAbsent}, {sums},
                 graph::ActivationAttrs{});
  const Graph g = quantize_network(m.finish({sums}), {{x, {-1, 1}}});
  EXPECT_THAT(kinds(g), ElementsAre(OpKind::kQuantize, OpKind::kMap, OpKind::kFullyConnected));
  EXPECT_EQ(g.tensor(sums).type, DType::kInt32);
}

TEST(QuantizeNetwork, LogSoftmaxHasItsFixedScale) {
  FloatMaker m;
  const TensorId x = m.input({2, 3});
  const TensorId y = m.node(OpKind::kLogSoftmax, {x}, {2, 3});
  const Graph g = quantize_network(m.finish({y}), {{x, {-1, 1}}, {y, {-4, 0}}});
  EXPECT_FLOAT_EQ(g.tensor(y).quantization->scale[0], 16.0F / 256);
  EXPECT_EQ(g.tensor(y).quantization->zero_point[0], 127);
}

}  // namespace
}  // namespace npu::test
