#include <algorithm>
#include <cmath>
#include <cstring>

#include "tests/support/graph_maker.h"

namespace npu::test {
namespace {

using graph::OpKind;
using graph::TensorId;
using graph::Window;

std::int64_t outputs_along(std::int64_t in, int kernel, int stride, int dilation, int pads) {
  return (in + pads - ((kernel - 1) * dilation + 1)) / stride + 1;
}

Shape windowed(const Shape& x, const Window& w, std::int64_t channels) {
  return {x[0], outputs_along(x[1], w.kernel_h, w.stride_h, w.dilation_h, w.pad_top + w.pad_bottom),
          outputs_along(x[2], w.kernel_w, w.stride_w, w.dilation_w, w.pad_left + w.pad_right),
          channels};
}

int same_total(std::int64_t in, int kernel, int stride, int dilation) {
  const std::int64_t out = (in + stride - 1) / stride;
  const std::int64_t total = (out - 1) * stride + (kernel - 1) * dilation + 1 - in;
  return static_cast<int>(std::max<std::int64_t>(total, 0));
}

Affine affine_of(const graph::Tensor& t) {
  if (!t.quantization.has_value()) return {};
  return {t.quantization->scale[0], t.quantization->zero_point[0]};
}

template <typename T>
void append(std::vector<std::byte>& data, T value) {
  const std::size_t at = data.size();
  data.resize(at + sizeof value);
  std::memcpy(data.data() + at, &value, sizeof value);
}

}  // namespace

Window LayerMaker::pad(Window w, const Shape& image) {
  const bool fits =
      (w.kernel_h - 1) * w.dilation_h < image[1] && (w.kernel_w - 1) * w.dilation_w < image[2];
  if (fits && draw_.one_in(2)) return w;
  const int h = same_total(image[1], w.kernel_h, w.stride_h, w.dilation_h);
  const int v = same_total(image[2], w.kernel_w, w.stride_w, w.dilation_w);
  w.pad_top = h / 2;
  w.pad_bottom = h - h / 2;
  w.pad_left = v / 2;
  w.pad_right = v - v / 2;
  return w;
}

LayerMaker::Parameters LayerMaker::parameters(TensorId x, Shape shape, int axis,
                                              std::int64_t depth) {
  const graph::Tensor input = maker_.tensor(x);
  const std::int64_t channels = shape[static_cast<std::size_t>(axis)];
  if (is_float(input.type)) {
    const std::int64_t weights = element_count(shape);
    Parameters floats{maker_.constant(input.type, std::move(shape), std::nullopt,
                                      draw_.bytes(input.type, weights)),
                      graph::kAbsent,
                      {}};
    if (!draw_.one_in(4)) {
      floats.bias = maker_.constant(DType::kFloat32, {channels}, std::nullopt,
                                    draw_.bytes(DType::kFloat32, channels));
    }
    return floats;
  }
  const bool unsigned8 = input.type == DType::kUint8;
  const bool per_channel = !unsigned8 && channels > 1 && draw_.one_in(2);
  const double w_scale = draw_.ratio(0.001, 0.02);
  graph::Quantization q;
  q.axis = per_channel ? axis : 0;
  for (std::int64_t i = 0; i < (per_channel ? channels : 1); ++i) {
    q.scale.push_back(static_cast<float>(per_channel ? w_scale * draw_.ratio(0.3, 3) : w_scale));
    q.zero_point.push_back(unsigned8 ? draw_.small(98, 158) : 0);
  }
  const double w_spread = spread_of(unsigned8 ? DType::kUint8 : DType::kInt8, q.zero_point[0]);
  const Affine in = affine_of(input);
  const double x_spread = spread_of(input.type, in.zero_point);
  const double accumulator = std::sqrt(static_cast<double>(depth)) * x_spread * w_spread;
  const double real = accumulator * static_cast<double>(in.scale) * w_scale;

  Parameters p{};
  const DType w_type = unsigned8 ? DType::kUint8 : DType::kInt8;
  const std::int64_t count = element_count(shape);
  p.weights = maker_.constant(w_type, std::move(shape), q, draw_.bytes(w_type, count));
  p.output = draw_.affine(input.type, real / reach_of(input.type) * draw_.ratio(0.5, 2));
  p.bias = graph::kAbsent;
  if (draw_.one_in(4)) return p;
  const bool wide = input.type == DType::kInt16 && !draw_.one_in(4);
  std::vector<std::byte> bias;
  for (std::int64_t i = 0; i < channels; ++i) {
    const auto value = static_cast<std::int64_t>(draw_.real(-accumulator, accumulator));
    if (wide) {
      append(bias, value);
    } else {
      append(bias, static_cast<std::int32_t>(std::clamp<std::int64_t>(value, -(1 << 29), 1 << 29)));
    }
  }
  graph::Quantization bias_q = q;
  bias_q.axis = 0;
  for (float& s : bias_q.scale) s *= in.scale;
  std::fill(bias_q.zero_point.begin(), bias_q.zero_point.end(), 0);
  p.bias = maker_.constant(wide ? DType::kInt64 : DType::kInt32, {channels}, bias_q, bias);
  return p;
}

TensorId LayerMaker::conv(TensorId x, Window w, std::int64_t channels, int groups) {
  const Shape in = maker_.tensor(x).shape;
  const std::int64_t depth = in[3] / groups;
  const Parameters p =
      parameters(x, {channels, w.kernel_h, w.kernel_w, depth}, 0, w.kernel_h * w.kernel_w * depth);
  const TensorId y = maker_.activation(maker_.tensor(x).type, windowed(in, w, channels), p.output);
  graph::WindowAttrs a;
  a.window = w;
  a.groups = groups;
  a.activation = draw_.activation();
  maker_.node(OpKind::kConv2d, {x, p.weights, p.bias}, {y}, a);
  return y;
}

TensorId LayerMaker::depthwise(TensorId x, Window w, int multiplier) {
  const Shape in = maker_.tensor(x).shape;
  const std::int64_t channels = in[3] * multiplier;
  const Parameters p =
      parameters(x, {1, w.kernel_h, w.kernel_w, channels}, 3, w.kernel_h * w.kernel_w);
  const TensorId y = maker_.activation(maker_.tensor(x).type, windowed(in, w, channels), p.output);
  graph::WindowAttrs a;
  a.window = w;
  a.depth_multiplier = multiplier;
  a.activation = draw_.activation();
  maker_.node(OpKind::kDepthwiseConv2d, {x, p.weights, p.bias}, {y}, a);
  return y;
}

TensorId LayerMaker::transpose_conv(TensorId x, Window w, std::int64_t channels) {
  const Shape in = maker_.tensor(x).shape;
  const Parameters p = parameters(
      x, {channels, w.kernel_h, w.kernel_w, in[3]}, 0,
      std::max<std::int64_t>(1, w.kernel_h * w.kernel_w * in[3] / (w.stride_h * w.stride_w)));
  Shape out = {in[0], in[1] * w.stride_h, in[2] * w.stride_w, channels};
  if (draw_.one_in(2)) {  // VALID
    out[1] += std::max(w.kernel_h - w.stride_h, 0);
    out[2] += std::max(w.kernel_w - w.stride_w, 0);
  } else {
    const int h = same_total(out[1], w.kernel_h, w.stride_h, 1);
    const int v = same_total(out[2], w.kernel_w, w.stride_w, 1);
    w.pad_top = h / 2;
    w.pad_bottom = h - h / 2;
    w.pad_left = v / 2;
    w.pad_right = v - v / 2;
  }
  const TensorId y = maker_.activation(maker_.tensor(x).type, out, p.output);
  graph::WindowAttrs a;
  a.window = w;
  a.activation = draw_.activation();
  maker_.node(OpKind::kTransposeConv, {x, p.weights, p.bias}, {y}, a);
  return y;
}

TensorId LayerMaker::fully_connected(TensorId x, std::int64_t units, bool keep_dims) {
  const Shape in = maker_.tensor(x).shape;
  const std::int64_t depth = keep_dims ? in.back() : element_count(in) / in[0];
  const Parameters p = parameters(x, {units, depth}, 0, depth);
  Shape out = {element_count(in) / depth, units};
  if (keep_dims) {
    out = in;
    out.back() = units;
  }
  const TensorId y = maker_.activation(maker_.tensor(x).type, out, p.output);
  graph::ActivationAttrs a;
  a.activation = draw_.activation();
  maker_.node(OpKind::kFullyConnected, {x, p.weights, p.bias}, {y}, a);
  return y;
}

TensorId LayerMaker::pool(TensorId x, OpKind kind, Window w) {
  const graph::Tensor in = maker_.tensor(x);
  const TensorId y = maker_.activation(in.type, windowed(in.shape, w, in.shape[3]), affine_of(in));
  graph::WindowAttrs a;
  a.window = w;
  a.activation = draw_.activation();
  maker_.node(kind, {x}, {y}, a);
  return y;
}

TensorId LayerMaker::binary(OpKind kind, TensorId a, TensorId b) {
  const graph::Tensor ta = maker_.tensor(a);
  const graph::Tensor tb = maker_.tensor(b);
  Shape shape(std::max(ta.shape.size(), tb.shape.size()), 1);
  for (const Shape& s : {ta.shape, tb.shape}) {
    for (std::size_t i = 0; i < s.size(); ++i) {
      std::int64_t& d = shape[shape.size() - s.size() + i];
      d = std::max(d, s[i]);
    }
  }
  if (kind == OpKind::kMaximum || kind == OpKind::kMinimum) {
    const TensorId y = maker_.activation(ta.type, shape, affine_of(ta));
    maker_.node(kind, {a, b}, {y});
    return y;
  }
  const Affine qa = affine_of(ta);
  const Affine qb = affine_of(tb);
  const double ra = static_cast<double>(qa.scale) * spread_of(ta.type, qa.zero_point);
  const double rb = static_cast<double>(qb.scale) * spread_of(tb.type, qb.zero_point);
  const double real = kind == OpKind::kMul ? ra * rb : std::hypot(ra, rb);
  const Affine q = draw_.affine(ta.type, real / reach_of(ta.type) * draw_.ratio(0.4, 1.5));
  const TensorId y = maker_.activation(ta.type, shape, q);
  graph::ActivationAttrs attrs;
  attrs.activation = draw_.activation();
  maker_.node(kind, {a, b}, {y}, attrs);
  return y;
}

TensorId LayerMaker::reshape(TensorId x, Shape shape) {
  const graph::Tensor in = maker_.tensor(x);
  const TensorId y = maker_.activation(in.type, std::move(shape), affine_of(in));
  maker_.node(OpKind::kReshape, {x}, {y});
  return y;
}

TensorId LayerMaker::concatenation(const std::vector<TensorId>& parts, int axis, Affine q) {
  Shape shape = maker_.tensor(parts[0]).shape;
  const auto along = static_cast<std::size_t>(axis);
  for (std::size_t i = 1; i < parts.size(); ++i)
    shape[along] += maker_.tensor(parts[i]).shape[along];
  const TensorId y = maker_.activation(maker_.tensor(parts[0]).type, shape, q);
  graph::ActivationAttrs a;
  a.axis = axis;
  maker_.node(OpKind::kConcatenation, parts, {y}, a);
  return y;
}

TensorId LayerMaker::softmax(TensorId x, DType out, float beta) {
  const graph::Tensor in = maker_.tensor(x);
  Affine q{1.0F / 256, out == DType::kUint8 ? 0 : -128};
  if (out == DType::kInt16) {
    q = in.type == DType::kInt8 ? Affine{1.0F / 65536, -32768} : Affine{1.0F / 32768, 0};
  }
  const TensorId y = maker_.activation(out, in.shape, q);
  maker_.node(OpKind::kSoftmax, {x}, {y}, graph::SoftmaxAttrs{beta});
  return y;
}

}  // namespace npu::test
