#pragma once

#include <string>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::graph {

/// Window with the same kernel, stride and padding in both directions.
[[nodiscard]] Window square_window(int kernel, int stride, int pad);

/// Builds networks whose shapes are known and whose values do not matter, for the timing of
/// measured or published layers: int8 activations in NHWC, int8 weights without their values (or
/// all zero, where they are required), no bias, one scale for all activations (softmax excepted).
///
/// Operators throw Error where the operands do not have the rank that they need, finish() for
/// everything that verify() refuses.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(std::string name, Payload payload = Payload::kOptional)
      : payload_(payload) {
    graph_.name = std::move(name);
  }

  /// @param shape  [1,H,W,C] for windows, [B,K] for fully connected layers.
  TensorId input(Shape shape);
  TensorId conv(TensorId x, std::int64_t channels, const Window& window,
                Activation activation = Activation::kNone, int groups = 1);
  TensorId depthwise(TensorId x, const Window& window, Activation activation = Activation::kNone,
                     int multiplier = 1);
  /// x of any rank is flattened to [first dimension, rest].
  TensorId fully_connected(TensorId x, std::int64_t units,
                           Activation activation = Activation::kNone);
  /// kMaxPool2d or kAveragePool2d.
  TensorId pool(TensorId x, OpKind kind, const Window& window);
  /// Mean over H and W: [1,H,W,C] to [1,C].
  TensorId global_mean(TensorId x);
  /// ADD, SUB, MUL, MAXIMUM or MINIMUM of two tensors of one shape.
  TensorId binary(OpKind kind, TensorId a, TensorId b, Activation activation = Activation::kNone);
  TensorId concatenation(const std::vector<TensorId>& parts, int axis);
  TensorId reshape(TensorId x, Shape shape);
  /// SOFTMAX (over the last axis), LOGISTIC, TANH or LEAKY_RELU (slope 0.2 below zero).
  TensorId unary(OpKind kind, TensorId x);
  TensorId softmax(TensorId x) { return unary(OpKind::kSoftmax, x); }

  [[nodiscard]] const Shape& shape(TensorId id) const { return graph_.tensor(id).shape; }
  /// Verified. The builder is spent.
  [[nodiscard]] Graph finish(std::vector<TensorId> outputs);

 private:
  TensorId activation(Shape shape);
  TensorId weights(Shape shape);
  TensorId window_node(OpKind kind, std::vector<TensorId> inputs, std::int64_t channels,
                       const WindowAttrs& attrs);
  /// Appends a node with one output of the shape.
  TensorId node(OpKind kind, std::vector<TensorId> inputs, Shape shape, Attrs attrs);
  [[nodiscard]] const Shape& image_shape(TensorId id) const;
  TensorId add(Tensor tensor);

  Payload payload_;
  Graph graph_;
};

}  // namespace npu::graph
