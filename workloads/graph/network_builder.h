#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::graph {

/// Window with the same kernel, stride and padding in both directions.
[[nodiscard]] Window square_window(int kernel, int stride, int pad);

/// How a network with drawn values is built.
struct DrawnNetwork {
  DType type = DType::kInt8;  ///< Of activations and weights: kInt8 or a float type.
  /// kRequired: constants are drawn (drawn_values.h). kOptional: the same network without them.
  Payload payload = Payload::kOptional;
  std::uint64_t seed = 0;
};

/// Builds networks whose shapes are known and whose values do not matter: activations in NHWC or
/// [rows, features].
///
/// Plain: int8, one scale for all activations (softmax excepted) and one for all weights, which are
/// without their values, or all zero where they are required.
///
/// Drawn: scales keep int8 activations in range. The builder carries an estimate of every tensor's
/// root mean square r, 1 for an input. Weights of K inputs per output have the deviation
/// 1 / (r·√K), so that the output has r = 1; biases have 0.1. A sum has √(r₁² + r₂²), a product
/// r₁·r₂, what a rectifier leaves r / √2, the largest of n values r·√(1 + 2·ln n). The scale of a
/// tensor spans four times its r.
///
/// Operators throw Error where the operands do not have the rank that they need, finish() for
/// everything that verify() refuses.
class NetworkBuilder {
 public:
  explicit NetworkBuilder(std::string name, Payload payload = Payload::kOptional);
  NetworkBuilder(std::string name, const DrawnNetwork& drawn);

  /// Names the tensors made from now on: the output `layer`, constants `layer.weights`, ….
  void set_layer(std::string layer) { layer_ = std::move(layer); }

  /// @param shape  [1,H,W,C] for windows, [B,K] for fully connected layers.
  TensorId input(Shape shape);
  TensorId conv(TensorId x, std::int64_t channels, const Window& window,
                Activation activation = Activation::kNone, int groups = 1, bool has_bias = false);
  TensorId depthwise(TensorId x, const Window& window, Activation activation = Activation::kNone,
                     int multiplier = 1, bool has_bias = false);
  /// x of any rank is flattened to [first dimension, rest].
  TensorId fully_connected(TensorId x, std::int64_t units,
                           Activation activation = Activation::kNone, bool has_bias = false);
  /// kMaxPool2d or kAveragePool2d.
  TensorId pool(TensorId x, OpKind kind, const Window& window);
  /// Mean over H and W: [1,H,W,C] to [1,C].
  TensorId global_mean(TensorId x);
  /// ADD, SUB, MUL, MAXIMUM or MINIMUM of two tensors of one shape.
  TensorId binary(OpKind kind, TensorId a, TensorId b, Activation activation = Activation::kNone);
  /// Parts of other quantization than the coarsest are brought to it first (QUANTIZE).
  TensorId concatenation(const std::vector<TensorId>& parts, int axis);
  TensorId reshape(TensorId x, Shape shape);
  /// `count` slices from `begin` on along an axis.
  TensorId slice(TensorId x, int axis, std::int64_t begin, std::int64_t count);
  /// A learned constant with r = 1.
  TensorId constant(Shape shape);
  /// SOFTMAX (over the last axis), LOGISTIC, TANH, RELU, RELU6, HARD_SWISH or LEAKY_RELU (slope 0.2
  /// below zero).
  TensorId unary(OpKind kind, TensorId x);
  TensorId softmax(TensorId x) { return unary(OpKind::kSoftmax, x); }

  /// An elementwise function of one or two operands that broadcast.
  TensorId map(MapFunction function, const std::vector<TensorId>& x);
  TensorId transpose(TensorId x, std::vector<int> permutation);
  /// a[…,M,K] · b[…,K,N], or b[…,N,K] transposed.
  TensorId matmul(TensorId a, TensorId b, bool transpose_b);
  /// Over the last axis; scale around 1, bias around 0.
  TensorId layer_norm(TensorId x, float epsilon);
  TensorId rms_norm(TensorId x, float epsilon);
  /// x[batch,tokens,heads,D] rotated in pairs (i, i + rotated / 2) by the angles
  /// (first + token) · base^(−2i / rotated).
  TensorId rope(TensorId x, std::int64_t rotated, std::int64_t first, double base);
  /// q[B,H,M,D], k and v[B,G,T,D]; row m sees keys up to m + T − M if causal.
  TensorId attention(TensorId q, TensorId k, TensorId v, bool causal);
  /// The same in single steps: products, softmax(scores / √D), products. The keys and values may
  /// come in two parts, the older first: their scores are put side by side.
  struct KeyValue {
    TensorId k = kAbsent, v = kAbsent;
  };
  TensorId attention_steps(TensorId q, const std::vector<KeyValue>& parts, bool causal);
  /// An input like x but for its shape.
  TensorId input_like(TensorId x, Shape shape);

  [[nodiscard]] const Graph& graph() const { return graph_; }
  [[nodiscard]] const Shape& shape(TensorId id) const { return graph_.tensor(id).shape; }
  /// verify()'s rules for the nodes since the last call. @throws Error.
  void check_new_nodes();
  /// Verified. The builder is spent.
  [[nodiscard]] Graph finish(std::vector<TensorId> outputs);

 private:
  /// Of a tensor about to be made: r, and whether it has no values below zero.
  struct Range {
    double r = 1;
    bool is_rectified = false;
  };
  [[nodiscard]] Quantization quantization_of(Range range) const;
  [[nodiscard]] bool is_quantized() const { return options_.type == DType::kInt8; }
  /// Of biases, and of constants that int8 networks have in floating point.
  [[nodiscard]] DType real_type() const { return is_quantized() ? DType::kFloat32 : options_.type; }
  /// Sets a tensor's r and, of int8, a scale that spans four times `span`.
  void set_range(TensorId id, double r, double span);
  /// What networks of floats have instead of TFLite's operators: MAP and REDUCE.
  TensorId float_unary(OpKind kind, TensorId x);
  TensorId float_binary(OpKind kind, TensorId a, TensorId b, Activation activation);
  TensorId float_mean(TensorId x);
  TensorId map_with(const MapAttrs& attrs, const std::vector<TensorId>& x);
  TensorId causal_mask(TensorId scores);
  TensorId add_table(std::string_view role, Shape shape, const std::vector<double>& values);
  TensorId rotation(std::string_view role, TensorId x, std::int64_t rotated, std::int64_t first,
                    double base);
  [[nodiscard]] double r_of(TensorId id) const { return r_.at(static_cast<std::size_t>(id)); }
  [[nodiscard]] Tensor& at(TensorId id) { return graph_.tensors[static_cast<std::size_t>(id)]; }
  TensorId activation(Shape shape, Range range);
  /// A constant of the network's type or another, with values of the deviation.
  TensorId add_constant(std::string_view role, Shape shape, DType type, double deviation,
                        double mean = 0);
  void fill(Tensor& constant, double deviation, double mean);
  /// @param inputs  that every output sums.
  TensorId weights(Shape shape, std::int64_t inputs, TensorId x);
  /// kAbsent without one.
  TensorId bias(bool has_bias, std::int64_t channels, TensorId x, TensorId weights);
  TensorId window_node(OpKind kind, std::vector<TensorId> inputs, std::int64_t channels,
                       const WindowAttrs& attrs, Range range);
  /// Appends a node with one output of the shape.
  TensorId node(OpKind kind, std::vector<TensorId> inputs, Shape shape, Attrs attrs, Range range);
  /// The same with the first input's quantization.
  TensorId same_range_node(OpKind kind, std::vector<TensorId> inputs, Shape shape, Attrs attrs);
  [[nodiscard]] const Shape& image_shape(TensorId id) const;
  TensorId add(Tensor tensor, std::string_view role, double r);

  Graph graph_;
  DrawnNetwork options_;
  bool is_drawn_ = false;
  std::string layer_;
  std::vector<double> r_;  ///< By tensor.
  std::size_t checked_ = 0;
  std::int64_t drawn_bytes_ = 0;
};

}  // namespace npu::graph
