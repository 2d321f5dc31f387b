#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/graph_maker.h"

namespace npu::test {

using graph::Graph;
using graph::OpKind;
using graph::TensorId;

/// Expects verify() to refuse `graph` with a message that has `part`.
inline void expect_refused(const Graph& graph, const std::string& part) {
  EXPECT_THAT([&] { graph::verify(graph); },
              testing::ThrowsMessage<Error>(testing::HasSubstr(part)));
}

inline constexpr Affine kUnit{0.5F, 3};

/// int8 weights with one scale, or one per entry of `axis`.
inline TensorId weights(GraphMaker& maker, Shape shape, int channels = 1, int axis = 0) {
  graph::Quantization q;
  q.scale.assign(static_cast<std::size_t>(channels), 0.25F);
  q.zero_point.assign(static_cast<std::size_t>(channels), 0);
  q.axis = axis;
  const auto count = static_cast<std::size_t>(element_count(shape));
  return maker.constant(DType::kInt8, std::move(shape), q, std::vector<std::byte>(count));
}

inline TensorId bias(GraphMaker& maker, std::int64_t channels) {
  return maker.constant(DType::kInt32, {channels}, std::nullopt,
                        std::vector<std::byte>(static_cast<std::size_t>(4 * channels)));
}

inline graph::Window window(int kernel, int stride = 1) {
  graph::Window w;
  w.kernel_h = w.kernel_w = kernel;
  w.stride_h = w.stride_w = stride;
  return w;
}

/// x int8[1,5,6,4] → CONV_2D 3×3, 8 channels, per channel, bias → y[1,3,4,8].
/// Tensors: x 0, w 1, bias 2, y 3.
inline Graph conv_graph() {
  GraphMaker maker("conv");
  const TensorId x = maker.input(DType::kInt8, {1, 5, 6, 4}, kUnit);
  const TensorId w = weights(maker, {8, 3, 3, 4}, 8);
  const TensorId b = bias(maker, 8);
  const TensorId y = maker.activation(DType::kInt8, {1, 3, 4, 8}, kUnit);
  graph::WindowAttrs a;
  a.window = window(3);
  maker.node(OpKind::kConv2d, {x, w, b}, {y}, a);
  return maker.finish({y});
}

/// x int8[1,5,6,4] → DEPTHWISE_CONV_2D 3×3, multiplier 2 → y[1,3,4,8].
inline Graph depthwise_graph() {
  GraphMaker maker("depthwise");
  const TensorId x = maker.input(DType::kInt8, {1, 5, 6, 4}, kUnit);
  const TensorId w = weights(maker, {1, 3, 3, 8}, 8, 3);
  const TensorId y = maker.activation(DType::kInt8, {1, 3, 4, 8}, kUnit);
  graph::WindowAttrs a;
  a.window = window(3);
  a.depth_multiplier = 2;
  maker.node(OpKind::kDepthwiseConv2d, {x, w, graph::kAbsent}, {y}, a);
  return maker.finish({y});
}

/// x int8[1,3,4,5] → TRANSPOSE_CONV 3×3, stride 2, VALID → y[1,7,9,2].
inline Graph transpose_conv_graph() {
  GraphMaker maker("transpose_conv");
  const TensorId x = maker.input(DType::kInt8, {1, 3, 4, 5}, kUnit);
  const TensorId w = weights(maker, {2, 3, 3, 5});
  const TensorId y = maker.activation(DType::kInt8, {1, 7, 9, 2}, kUnit);
  graph::WindowAttrs a;
  a.window = window(3, 2);
  maker.node(OpKind::kTransposeConv, {x, w, graph::kAbsent}, {y}, a);
  return maker.finish({y});
}

/// x int8[2,3,4] → FULLY_CONNECTED with 12 inputs and 5 units → y[2,5].
inline Graph fully_connected_graph() {
  GraphMaker maker("fully_connected");
  const TensorId x = maker.input(DType::kInt8, {2, 3, 4}, kUnit);
  const TensorId w = weights(maker, {5, 12});
  const TensorId y = maker.activation(DType::kInt8, {2, 5}, kUnit);
  maker.node(OpKind::kFullyConnected, {x, w, graph::kAbsent}, {y}, graph::ActivationAttrs{});
  return maker.finish({y});
}

/// x[1,4,4,2] → pooling 2×2, stride 2 → y[1,2,2,2].
inline Graph pool_graph() {
  GraphMaker maker("pool");
  const TensorId x = maker.input(DType::kInt8, {1, 4, 4, 2}, kUnit);
  const TensorId y = maker.activation(DType::kInt8, {1, 2, 2, 2}, kUnit);
  graph::WindowAttrs a;
  a.window = window(2, 2);
  maker.node(OpKind::kAveragePool2d, {x}, {y}, a);
  return maker.finish({y});
}

/// Rank 2, 3 units: x[1,4], wFeature[6,4], wTime[6,5], bias[3], state[1,30] → y[1,3].
/// Tensors: x 0, wFeature 1, wTime 2, bias 3, state 4, y 5.
inline Graph svdf_graph() {
  GraphMaker maker("svdf");
  const TensorId x = maker.input(DType::kInt8, {1, 4}, kUnit);
  const TensorId feature = weights(maker, {6, 4});
  const TensorId time = maker.constant(DType::kInt16, {6, 5}, graph::Quantization{{0.25F}, {0}, 0},
                                       std::vector<std::byte>(60));
  const TensorId b = bias(maker, 3);
  const TensorId state = maker.state(DType::kInt16, {1, 30}, {0.5F, 0});
  const TensorId y = maker.activation(DType::kInt8, {1, 3}, kUnit);
  maker.node(OpKind::kSvdf, {x, feature, time, b, state}, {y}, graph::SvdfAttrs{2, {}});
  return maker.finish({y});
}

/// One operator from `in` tensors to one output, all of `type` with kUnit's quantization (int16:
/// zero point 0); not verified.
inline Graph plain_graph(OpKind kind, const std::vector<Shape>& in, Shape out,
                         graph::Attrs attrs = {}, DType type = DType::kInt8) {
  GraphMaker maker("plain");
  const Affine q = type == DType::kInt16 ? Affine{0.5F, 0} : kUnit;
  std::vector<TensorId> inputs;
  for (const Shape& shape : in) inputs.push_back(maker.input(type, shape, q));
  const TensorId y = maker.activation(type, std::move(out), q);
  maker.node(kind, inputs, {y}, std::move(attrs));
  return maker.unchecked({y});
}

}  // namespace npu::test
