// Geometry and shapes of convolutions and pooling.
#include "kernels/onnx_import/windows.h"

#include <algorithm>

namespace npu::onnx_import {
namespace {

using onnx::ElementType;
using Types = std::vector<ValueType>;

Shape spatial_of(const Shape& shape) {
  if (shape.size() < 3) fail("expected [N,C,...], got {}", to_string(shape));
  return {shape.begin() + 2, shape.end()};
}

Shape with_channels(std::int64_t batch, std::int64_t channels, const Shape& spatial) {
  Shape shape = {batch, channels};
  shape.insert(shape.end(), spatial.begin(), spatial.end());
  onnx::checked_count(shape);
  return shape;
}

Types convolution(const ShapeCall& c, std::size_t weights, ElementType type) {
  const Shape& x = c.shape(0);
  const Shape& w = c.shape(weights);
  const onnx::SpatialWindow window = convolution_window(c.call, x, w);
  return {{type, with_channels(x[0], w[0], window.out), true}};
}

Types conv(const ShapeCall& c) { return convolution(c, 1, c.in(0).type); }
Types conv_integer(const ShapeCall& c) { return convolution(c, 1, ElementType::kInt32); }
Types qlinear_conv(const ShapeCall& c) { return convolution(c, 3, c.in(7).type); }

Types conv_transpose(const ShapeCall& c) {
  const Shape& x = c.shape(0);
  const Shape& w = c.shape(1);
  const TransposedWindow window = transposed_window(c.call, x, w);
  const std::int64_t channels = w[1] * c.call.integer("group", 1);
  return {{c.in(0).type, with_channels(x[0], channels, window.out), true}};
}

/// The second output, MaxPool's indices, is int64.
Types pool(const ShapeCall& c) {
  const Shape& x = c.shape(0);
  const Shape shape = with_channels(x[0], x[1], pool_window(c.call, x).out);
  return {{c.in(0).type, shape, true}, {ElementType::kInt64, shape, true}};
}

Types global_pool(const ShapeCall& c) {
  const Shape& x = c.shape(0);
  return {{c.in(0).type, with_channels(x[0], x[1], Shape(spatial_of(x).size(), 1)), true}};
}

constexpr auto kRules = std::to_array<ShapeRule>({
    {"", "AveragePool", pool},
    {"", "Conv", conv},
    {"", "ConvInteger", conv_integer},
    {"", "ConvTranspose", conv_transpose},
    {"", "GlobalAveragePool", global_pool},
    {"", "GlobalMaxPool", global_pool},
    {"", "LpPool", pool},
    {"", "MaxPool", pool},
    {"", "QLinearConv", qlinear_conv},
});

Shape per_axis(const onnx::Call& call, std::string_view name, std::size_t count,
               std::int64_t fallback) {
  constexpr std::int64_t kMax = std::int64_t{1} << 24;
  Shape values = call.integers(name, Shape(count, fallback));
  if (values.size() != count) fail("{}: expected {} values, got {}", name, count, values.size());
  for (const std::int64_t v : values) {
    if (v < 0 || v > kMax) fail("{}: {} is out of range", name, v);
  }
  return values;
}

}  // namespace

onnx::SpatialWindow convolution_window(const onnx::Call& call, const Shape& x, const Shape& w) {
  const Shape spatial = spatial_of(x);
  if (w.size() != x.size()) fail("{} is not convolved by {}", to_string(x), to_string(w));
  const std::int64_t groups = call.integer("group", 1);
  const std::int64_t most = std::max<std::int64_t>(x[1], 1);
  if (groups < 1 || groups > most || w[1] > x[1] || x[1] != w[1] * groups || w[0] % groups != 0) {
    fail("{} channels, {} filters of {} channels and {} groups do not fit", x[1], w[0], w[1],
         groups);
  }
  const Shape kernel(w.begin() + 2, w.end());
  if (call.integers("kernel_shape", kernel) != kernel) fail("kernel_shape is not the weights'");
  return window_of(call, spatial, kernel, false);
}

onnx::SpatialWindow pool_window(const onnx::Call& call, const Shape& x) {
  return window_of(call, spatial_of(x), call.integers("kernel_shape", {}),
                   call.integer("ceil_mode", 0) != 0);
}

TransposedWindow transposed_window(const onnx::Call& call, const Shape& x, const Shape& w) {
  TransposedWindow t;
  t.in = spatial_of(x);
  const std::size_t rank = t.in.size();
  if (w.size() != x.size()) fail("{} and {} do not fit", to_string(x), to_string(w));
  const std::int64_t groups = call.integer("group", 1);
  if (groups < 1 || groups > std::max<std::int64_t>(w[0], 1) || x[1] != w[0] ||
      w[0] % groups != 0) {
    fail("channels and groups do not fit");
  }
  t.kernel.assign(w.begin() + 2, w.end());
  if (call.integers("kernel_shape", t.kernel) != t.kernel) fail("kernel_shape is not the weights'");
  t.strides = per_axis(call, "strides", rank, 1);
  t.dilations = per_axis(call, "dilations", rank, 1);
  const Shape extra = per_axis(call, "output_padding", rank, 0);
  const Shape pads = per_axis(call, "pads", 2 * rank, 0);
  const std::string auto_pad = call.text("auto_pad", "NOTSET");
  const bool same = auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER";
  t.pads_begin.assign(pads.begin(), pads.begin() + static_cast<std::ptrdiff_t>(rank));
  for (std::size_t d = 0; d < rank; ++d) {
    if (t.strides[d] < 1 || t.dilations[d] < 1) fail("strides and dilations start at 1");
    const std::int64_t full =
        t.strides[d] * (t.in[d] - 1) + extra[d] + (t.kernel[d] - 1) * t.dilations[d] + 1;
    std::int64_t out = full - pads[d] - pads[rank + d];
    if (call.has_attribute("output_shape") || same) {
      out = same ? t.in[d] * t.strides[d] : per_axis(call, "output_shape", rank, 0)[d];
      if (call.has_attribute("output_shape")) out = per_axis(call, "output_shape", rank, 0)[d];
      const std::int64_t total = full - out;
      t.pads_begin[d] = auto_pad == "SAME_UPPER" || total < 0 ? total / 2 : total - total / 2;
    }
    t.out.push_back(out);
  }
  onnx::checked_count(t.out);
  return t;
}

std::span<const ShapeRule> window_shape_rules() { return kRules; }

}  // namespace npu::onnx_import
