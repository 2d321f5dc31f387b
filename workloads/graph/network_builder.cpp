#include "workloads/graph/network_builder.h"

#include <utility>

#include "sim/base/error.h"

namespace npu::graph {
namespace {

// Values do not matter; these scales keep every requantization multiplier below one.
constexpr float kActivationScale = 0.05F;
constexpr float kWeightScale = 0.01F;
constexpr float kLeakySlope = 0.2F;
/// Of results from 0 to 1, as TFLite wants it.
constexpr float kUnitScale = 1.0F / 256;

std::int64_t window_outputs(std::int64_t in, int kernel, int stride, int dilation, int pads) {
  return (in + pads - (std::int64_t{kernel - 1} * dilation + 1)) / stride + 1;
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

TensorId NetworkBuilder::add(Tensor tensor) {
  tensor.name = fmt::format("t{}", graph_.tensors.size());
  graph_.tensors.push_back(std::move(tensor));
  return static_cast<TensorId>(graph_.tensors.size() - 1);
}

TensorId NetworkBuilder::activation(Shape shape) {
  Tensor t;
  t.shape = std::move(shape);
  t.quantization = Quantization{{kActivationScale}, {0}, 0};
  return add(std::move(t));
}

TensorId NetworkBuilder::weights(Shape shape) {
  for (const std::int64_t d : shape) {
    if (d < 1) fail("{}: a dimension of the weights is {}", graph_.name, d);
  }
  Tensor t;
  t.shape = std::move(shape);
  t.quantization = Quantization{{kWeightScale}, {0}, 0};
  t.is_constant = true;
  if (element_count(t.shape) > kMaxTensorBytes) {
    fail("{}: weights of more than {} bytes", graph_.name, kMaxTensorBytes);
  }
  if (payload_ == Payload::kRequired) t.data.resize(static_cast<std::size_t>(t.bytes()));
  return add(std::move(t));
}

const Shape& NetworkBuilder::image_shape(TensorId id) const {
  const Shape& s = shape(id);
  if (s.size() != 4) fail("{}: {} has rank {}, expected [1,H,W,C]", graph_.name, id, s.size());
  return s;
}

TensorId NetworkBuilder::node(OpKind kind, std::vector<TensorId> inputs, Shape shape, Attrs attrs) {
  const TensorId y = activation(std::move(shape));
  const auto index = static_cast<int>(graph_.nodes.size());
  graph_.nodes.push_back({kind, std::move(inputs), {y}, std::move(attrs), index});
  return y;
}

TensorId NetworkBuilder::input(Shape shape) {
  const TensorId id = activation(std::move(shape));
  graph_.inputs.push_back(id);
  return id;
}

TensorId NetworkBuilder::window_node(OpKind kind, std::vector<TensorId> inputs,
                                     std::int64_t channels, const WindowAttrs& attrs) {
  const Shape& x = image_shape(inputs[0]);
  const Window& w = attrs.window;
  if (w.stride_h < 1 || w.stride_w < 1) fail("{}: a stride is below 1", graph_.name);
  Shape y = {x[0],
             window_outputs(x[1], w.kernel_h, w.stride_h, w.dilation_h, w.pad_top + w.pad_bottom),
             window_outputs(x[2], w.kernel_w, w.stride_w, w.dilation_w, w.pad_left + w.pad_right),
             channels};
  return node(kind, std::move(inputs), std::move(y), attrs);
}

TensorId NetworkBuilder::conv(TensorId x, std::int64_t channels, const Window& window,
                              Activation activation, int groups) {
  if (groups < 1) fail("{}: {} groups", graph_.name, groups);
  const TensorId w =
      weights({channels, window.kernel_h, window.kernel_w, image_shape(x)[3] / groups});
  return window_node(OpKind::kConv2d, {x, w, kAbsent}, channels,
                     {.window = window, .groups = groups, .activation = activation});
}

TensorId NetworkBuilder::depthwise(TensorId x, const Window& window, Activation activation,
                                   int multiplier) {
  const std::int64_t channels = image_shape(x)[3] * multiplier;
  const TensorId w = weights({1, window.kernel_h, window.kernel_w, channels});
  return window_node(OpKind::kDepthwiseConv2d, {x, w, kAbsent}, channels,
                     {.window = window, .depth_multiplier = multiplier, .activation = activation});
}

TensorId NetworkBuilder::fully_connected(TensorId x, std::int64_t units, Activation activation) {
  const Shape& s = shape(x);
  if (s.empty() || s[0] < 1) fail("{}: {} cannot be flattened to rows", graph_.name, x);
  const std::int64_t rows = s[0];
  const std::int64_t features = element_count(s) / rows;
  const TensorId w = weights({units, features});
  return node(OpKind::kFullyConnected, {x, w, kAbsent}, {rows, units},
              ActivationAttrs{.activation = activation});
}

TensorId NetworkBuilder::pool(TensorId x, OpKind kind, const Window& window) {
  return window_node(kind, {x}, image_shape(x)[3], {.window = window});
}

TensorId NetworkBuilder::global_mean(TensorId x) {
  const Shape& s = image_shape(x);
  return node(OpKind::kMean, {x}, {s[0], s[3]}, ReduceAttrs{.axes = {1, 2}});
}

TensorId NetworkBuilder::binary(OpKind kind, TensorId a, TensorId b, Activation activation) {
  const bool has_activation = kind == OpKind::kAdd || kind == OpKind::kSub || kind == OpKind::kMul;
  if (shape(a) != shape(b)) fail("{}: {} of two shapes", graph_.name, name_of(kind));
  Attrs attrs;
  if (has_activation) attrs = ActivationAttrs{.activation = activation};
  return node(kind, {a, b}, shape(a), std::move(attrs));
}

TensorId NetworkBuilder::concatenation(const std::vector<TensorId>& parts, int axis) {
  Shape y = shape(parts.at(0));
  const auto dimension = static_cast<std::size_t>(axis);
  if (dimension >= y.size()) fail("{}: CONCATENATION has no axis {}", graph_.name, axis);
  y[dimension] = 0;
  for (const TensorId part : parts) y[dimension] += shape(part).at(dimension);
  return node(OpKind::kConcatenation, parts, std::move(y), ActivationAttrs{.axis = axis});
}

TensorId NetworkBuilder::reshape(TensorId x, Shape shape) {
  return node(OpKind::kReshape, {x}, std::move(shape), {});
}

TensorId NetworkBuilder::unary(OpKind kind, TensorId x) {
  Attrs attrs;
  if (kind == OpKind::kSoftmax) attrs = SoftmaxAttrs{};
  if (kind == OpKind::kLeakyRelu) attrs = LeakyReluAttrs{.alpha = kLeakySlope};
  const TensorId y = node(kind, {x}, shape(x), std::move(attrs));
  auto& quantization = graph_.tensors[static_cast<std::size_t>(y)].quantization;
  if (kind == OpKind::kSoftmax || kind == OpKind::kLogistic) {
    quantization = Quantization{{kUnitScale}, {-128}, 0};
  }
  if (kind == OpKind::kTanh) quantization = Quantization{{2 * kUnitScale}, {0}, 0};
  return y;
}

Graph NetworkBuilder::finish(std::vector<TensorId> outputs) {
  graph_.outputs = std::move(outputs);
  try {
    verify(graph_, payload_);
  } catch (const Error& error) {
    fail("{}: {}", graph_.name, error.what());
  }
  return std::move(graph_);
}

}  // namespace npu::graph
