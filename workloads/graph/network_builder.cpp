#include "workloads/graph/network_builder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/error.h"
#include "workloads/graph/drawn_values.h"
#include "workloads/graph/node_rules.h"

namespace npu::graph {
namespace {

// Of plain networks: these scales keep every requantization multiplier below one.
constexpr float kActivationScale = 0.05F;
constexpr float kWeightScale = 0.01F;
constexpr float kLeakySlope = 0.2F;
/// Of results from 0 to 1, as TFLite wants it.
constexpr float kUnitScale = 1.0F / 256;
/// What a tensor's scale spans, in units of its root mean square.
constexpr double kSpan = 4;
constexpr double kBiasDeviation = 0.1;
/// Keeps scales within verify()'s bounds however deep the network is.
constexpr double kSmallestRange = 0x1p-40, kLargestRange = 0x1p40;
constexpr std::int64_t kMaxDrawnBytes = std::int64_t{1} << 32;

std::int64_t window_outputs(std::int64_t in, int kernel, int stride, int dilation, int pads) {
  return (in + pads - (std::int64_t{kernel - 1} * dilation + 1)) / stride + 1;
}

bool rectifies(Activation activation) {
  return activation == Activation::kRelu || activation == Activation::kRelu6;
}

/// After a fused activation, of values with the root mean square r.
double after(Activation activation, double r) {
  return rectifies(activation) ? r / std::sqrt(2.0) : r;
}

}  // namespace

Window square_window(int kernel, int stride, int pad) {
  return {.kernel_h = kernel,
          .kernel_w = kernel,
          .stride_h = stride,
          .stride_w = stride,
          .pad_top = pad,
          .pad_bottom = pad,
          .pad_left = pad,
          .pad_right = pad};
}

NetworkBuilder::NetworkBuilder(std::string name, Payload payload)
    : options_{.type = DType::kInt8, .payload = payload, .seed = 0} {
  graph_.name = std::move(name);
}

NetworkBuilder::NetworkBuilder(std::string name, const DrawnNetwork& drawn)
    : options_(drawn), is_drawn_(true) {
  graph_.name = std::move(name);
}

TensorId NetworkBuilder::add(Tensor tensor, std::string_view role, double r) {
  if (layer_.empty()) {
    tensor.name = fmt::format("t{}", graph_.tensors.size());
  } else {
    tensor.name = role.empty() ? layer_ : fmt::format("{}.{}", layer_, role);
  }
  graph_.tensors.push_back(std::move(tensor));
  r_.push_back(std::clamp(r, kSmallestRange, kLargestRange));
  return static_cast<TensorId>(graph_.tensors.size() - 1);
}

Quantization NetworkBuilder::quantization_of(Range range) const {
  if (!is_drawn_) return {{kActivationScale}, {0}, 0};
  range.r = std::clamp(range.r, kSmallestRange, kLargestRange);
  // A rectifier keeps the upper half of the values: √2 · r was theirs.
  if (range.is_rectified) {
    return {{static_cast<float>(kSpan * std::sqrt(2.0) * range.r / 255)}, {-128}, 0};
  }
  return {{static_cast<float>(kSpan * range.r / 127)}, {0}, 0};
}

TensorId NetworkBuilder::activation(Shape shape, Range range) {
  Tensor t;
  t.type = options_.type;
  t.shape = std::move(shape);
  if (t.type == DType::kInt8) t.quantization = quantization_of(range);
  return add(std::move(t), "", range.r);
}

TensorId NetworkBuilder::add_constant(std::string_view role, Shape shape, DType type,
                                      double deviation, double mean) {
  for (const std::int64_t d : shape) {
    if (d < 1) fail("{}: a dimension of the weights is {}", graph_.name, d);
  }
  Tensor t;
  t.type = type;
  t.shape = std::move(shape);
  t.is_constant = true;
  if (element_count(t.shape) > kMaxTensorBytes) {
    fail("{}: weights of more than {} bytes", graph_.name, kMaxTensorBytes);
  }
  if (type == DType::kInt8) {
    const auto scale = static_cast<float>(deviation / kDrawnInt8Deviation);
    t.quantization = Quantization{{is_drawn_ ? scale : kWeightScale}, {0}, 0};
  }
  const TensorId id = add(std::move(t), role, 1);
  if (options_.payload == Payload::kRequired) fill(at(id), deviation, mean);
  return id;
}

void NetworkBuilder::fill(Tensor& constant, double deviation, double mean) {
  if (!is_drawn_) return constant.data.resize(static_cast<std::size_t>(constant.bytes()));
  drawn_bytes_ += constant.bytes();
  if (drawn_bytes_ > kMaxDrawnBytes) {
    fail("{}: weights of more than {} bytes are not drawn", graph_.name, kMaxDrawnBytes);
  }
  constant.data = draw_values(constant.type, element_count(constant.shape), deviation, mean,
                              options_.seed, constant.name);
}

TensorId NetworkBuilder::weights(Shape shape, std::int64_t inputs, TensorId x) {
  const double deviation =
      1 / (r_of(x) * std::sqrt(static_cast<double>(std::max<std::int64_t>(inputs, 1))));
  return add_constant("weights", std::move(shape), options_.type, deviation);
}

TensorId NetworkBuilder::bias(bool has_bias, std::int64_t channels, TensorId x, TensorId weights) {
  if (!has_bias) return kAbsent;
  if (!is_quantized()) return add_constant("bias", {channels}, DType::kFloat32, kBiasDeviation);
  const double step = static_cast<double>(at(x).quantization->scale[0]) *
                      static_cast<double>(at(weights).quantization->scale[0]);
  return add_constant("bias", {channels}, DType::kInt32, kBiasDeviation / step);
}

const Shape& NetworkBuilder::image_shape(TensorId id) const {
  const Shape& s = shape(id);
  if (s.size() != 4) fail("{}: {} has rank {}, expected [1,H,W,C]", graph_.name, id, s.size());
  return s;
}

TensorId NetworkBuilder::node(OpKind kind, std::vector<TensorId> inputs, Shape shape, Attrs attrs,
                              Range range) {
  const TensorId y = activation(std::move(shape), range);
  const auto index = static_cast<int>(graph_.nodes.size());
  graph_.nodes.push_back({kind, std::move(inputs), {y}, std::move(attrs), index});
  return y;
}

TensorId NetworkBuilder::same_range_node(OpKind kind, std::vector<TensorId> inputs, Shape shape,
                                         Attrs attrs) {
  const TensorId x = inputs.at(0);
  const TensorId y =
      node(kind, std::move(inputs), std::move(shape), std::move(attrs), {.r = r_of(x)});
  at(y).quantization = at(x).quantization;
  return y;
}

TensorId NetworkBuilder::input(Shape shape) {
  const TensorId id = activation(std::move(shape), {});
  // Random inputs use all values of int8 alike.
  if (is_drawn_ && is_quantized()) {
    at(id).quantization = Quantization{{static_cast<float>(1 / kDrawnInt8Deviation)}, {0}, 0};
  }
  graph_.inputs.push_back(id);
  return id;
}

TensorId NetworkBuilder::constant(Shape shape) {
  return add_constant("values", std::move(shape), options_.type, 1);
}

TensorId NetworkBuilder::window_node(OpKind kind, std::vector<TensorId> inputs,
                                     std::int64_t channels, const WindowAttrs& attrs, Range range) {
  const Shape& x = image_shape(inputs[0]);
  const Window& w = attrs.window;
  if (w.stride_h < 1 || w.stride_w < 1) fail("{}: a stride is below 1", graph_.name);
  Shape y = {x[0],
             window_outputs(x[1], w.kernel_h, w.stride_h, w.dilation_h, w.pad_top + w.pad_bottom),
             window_outputs(x[2], w.kernel_w, w.stride_w, w.dilation_w, w.pad_left + w.pad_right),
             channels};
  return node(kind, std::move(inputs), std::move(y), attrs, range);
}

TensorId NetworkBuilder::conv(TensorId x, std::int64_t channels, const Window& window,
                              Activation activation, int groups, bool has_bias) {
  if (groups < 1) fail("{}: {} groups", graph_.name, groups);
  const std::int64_t depth = image_shape(x)[3] / groups;
  const TensorId w = weights({channels, window.kernel_h, window.kernel_w, depth},
                             depth * window.kernel_h * window.kernel_w, x);
  return window_node(OpKind::kConv2d, {x, w, bias(has_bias, channels, x, w)}, channels,
                     {.window = window, .groups = groups, .activation = activation},
                     {after(activation, 1), rectifies(activation)});
}

TensorId NetworkBuilder::depthwise(TensorId x, const Window& window, Activation activation,
                                   int multiplier, bool has_bias) {
  const std::int64_t channels = image_shape(x)[3] * multiplier;
  const TensorId w = weights({1, window.kernel_h, window.kernel_w, channels},
                             std::int64_t{window.kernel_h} * window.kernel_w, x);
  return window_node(OpKind::kDepthwiseConv2d, {x, w, bias(has_bias, channels, x, w)}, channels,
                     {.window = window, .depth_multiplier = multiplier, .activation = activation},
                     {after(activation, 1), rectifies(activation)});
}

TensorId NetworkBuilder::fully_connected(TensorId x, std::int64_t units, Activation activation,
                                         bool has_bias) {
  const Shape& s = shape(x);
  if (s.empty() || s[0] < 1) fail("{}: {} cannot be flattened to rows", graph_.name, x);
  const std::int64_t rows = s[0];
  const std::int64_t features = element_count(s) / rows;
  const TensorId w = weights({units, features}, features, x);
  return node(OpKind::kFullyConnected, {x, w, bias(has_bias, units, x, w)}, {rows, units},
              ActivationAttrs{.activation = activation},
              {after(activation, 1), rectifies(activation)});
}

TensorId NetworkBuilder::pool(TensorId x, OpKind kind, const Window& window) {
  const TensorId y = window_node(kind, {x}, image_shape(x)[3], {.window = window}, {});
  at(y).quantization = at(x).quantization;
  const double taps = std::max(1.0, double{1} * window.kernel_h * window.kernel_w);
  const double growth = kind == OpKind::kMaxPool2d ? std::sqrt(1 + 2 * std::log(taps)) : 1;
  r_[static_cast<std::size_t>(y)] = std::min(kSpan, growth) * r_of(x);
  return y;
}

TensorId NetworkBuilder::global_mean(TensorId x) {
  const Shape s = image_shape(x);
  if (is_float(options_.type)) return float_mean(x);
  return same_range_node(OpKind::kMean, {x}, {s[0], s[3]}, ReduceAttrs{.axes = {1, 2}});
}

TensorId NetworkBuilder::binary(OpKind kind, TensorId a, TensorId b, Activation activation) {
  const bool has_activation = kind == OpKind::kAdd || kind == OpKind::kSub || kind == OpKind::kMul;
  if (shape(a) != shape(b)) fail("{}: {} of two shapes", graph_.name, name_of(kind));
  if (is_float(options_.type)) return float_binary(kind, a, b, activation);
  if (!has_activation) return same_range_node(kind, {a, b}, shape(a), {});
  const double r = kind == OpKind::kMul ? r_of(a) * r_of(b) : std::hypot(r_of(a), r_of(b));
  return node(kind, {a, b}, shape(a), ActivationAttrs{.activation = activation},
              {after(activation, r), rectifies(activation)});
}

TensorId NetworkBuilder::concatenation(const std::vector<TensorId>& parts, int axis) {
  Shape y = shape(parts.at(0));
  const auto dimension = static_cast<std::size_t>(axis);
  if (dimension >= y.size()) fail("{}: CONCATENATION has no axis {}", graph_.name, axis);
  y[dimension] = 0;
  for (const TensorId part : parts) y[dimension] += shape(part).at(dimension);
  TensorId coarsest = parts[0];
  for (const TensorId part : parts) {
    if (options_.type != DType::kInt8) break;
    if (at(part).quantization->scale[0] > at(coarsest).quantization->scale[0]) coarsest = part;
  }
  std::vector<TensorId> operands;
  for (const TensorId part : parts) {
    operands.push_back(part);
    if (same_quantization(at(part), at(coarsest))) continue;
    if (at(part).is_constant) {  // Its values do not matter.
      at(part).quantization = at(coarsest).quantization;
      continue;
    }
    operands.back() = node(OpKind::kQuantize, {part}, shape(part), {}, {.r = r_of(part)});
    at(operands.back()).quantization = at(coarsest).quantization;
  }
  return same_range_node(OpKind::kConcatenation, operands, std::move(y),
                         ActivationAttrs{.axis = axis});
}

TensorId NetworkBuilder::reshape(TensorId x, Shape shape) {
  return same_range_node(OpKind::kReshape, {x}, std::move(shape), {});
}

TensorId NetworkBuilder::slice(TensorId x, int axis, std::int64_t begin, std::int64_t count) {
  const Shape& s = shape(x);
  const auto dimension = static_cast<std::size_t>(axis);
  if (dimension >= s.size()) fail("{}: a slice has no axis {}", graph_.name, axis);
  SliceAttrs attrs{.begin = Shape(s.size(), 0), .stride = Shape(s.size(), 1), .sizes = s};
  attrs.begin[dimension] = begin;
  attrs.sizes[dimension] = count;
  Shape y = attrs.sizes;
  return same_range_node(OpKind::kStridedSlice, {x}, std::move(y), std::move(attrs));
}

TensorId NetworkBuilder::unary(OpKind kind, TensorId x) {
  if (is_float(options_.type) && kind != OpKind::kSoftmax) return float_unary(kind, x);
  Attrs attrs;
  if (kind == OpKind::kSoftmax) attrs = SoftmaxAttrs{};
  if (kind == OpKind::kLeakyRelu) attrs = LeakyReluAttrs{.alpha = kLeakySlope};
  const bool is_rectified = kind == OpKind::kRelu || kind == OpKind::kRelu6;
  const double r = is_rectified ? r_of(x) / std::sqrt(2.0) : r_of(x);
  const TensorId y = node(kind, {x}, shape(x), std::move(attrs), {r, is_rectified});
  const auto fix = [&](float scale, std::int32_t zero_point, double root_mean_square) {
    if (is_quantized()) at(y).quantization = Quantization{{scale}, {zero_point}, 0};
    r_[static_cast<std::size_t>(y)] = root_mean_square;
  };
  if (kind == OpKind::kSoftmax) {
    // Of exponentials of normal values: √(E e^2x) / (n · E e^x) = √e / n.
    fix(kUnitScale, -128, std::sqrt(std::exp(1.0)) / static_cast<double>(shape(x).back()));
  }
  if (kind == OpKind::kLogistic) fix(kUnitScale, -128, 0.5);
  if (kind == OpKind::kTanh) fix(2 * kUnitScale, 0, std::min(1.0, r_of(x)));
  return y;
}

void NetworkBuilder::check_new_nodes() {
  for (; checked_ < graph_.nodes.size(); ++checked_) {
    check_node({graph_, graph_.nodes[checked_]});
  }
}

Graph NetworkBuilder::finish(std::vector<TensorId> outputs) {
  graph_.outputs = std::move(outputs);
  try {
    verify(graph_, options_.payload);
  } catch (const Error& error) {
    fail("{}: {}", graph_.name, error.what());
  }
  return std::move(graph_);
}

}  // namespace npu::graph
