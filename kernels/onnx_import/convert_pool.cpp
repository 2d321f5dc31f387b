// Pooling over one and two spatial dimensions; global pooling over any number.
#include <algorithm>
#include <limits>
#include <numeric>

#include "kernels/onnx_import/images.h"
#include "kernels/onnx_import/windows.h"

namespace npu::onnx_import {
namespace {

using graph::OpKind;
using graph::TensorId;

/// The window with the padding at the end that its output size needs (ceil_mode may reach
/// beyond the padding that was asked for).
onnx::SpatialWindow exact_window(const Conversion& c) {
  onnx::SpatialWindow w = pool_window(c.attributes(), c.shape(0));
  for (std::size_t d = 0; d < w.kernel.size(); ++d) {
    if (w.dilations[d] != 1) not_mapped("dilation {}", w.dilations[d]);
    const std::int64_t needed =
        (w.out[d] - 1) * w.strides[d] + w.kernel[d] - w.in[d] - w.pads_begin[d];
    w.pads_end[d] = std::max<std::int64_t>(needed, 0);
  }
  return w;
}

/// [N,H,W,C] with zeros around it.
TensorId padded(Conversion& c, TensorId x, graph::Window& w) {
  if (w.pad_top == 0 && w.pad_bottom == 0 && w.pad_left == 0 && w.pad_right == 0) return x;
  graph::PadAttrs pad;
  pad.before = {0, w.pad_top, w.pad_left, 0};
  pad.after = {0, w.pad_bottom, w.pad_right, 0};
  graph::Tensor y = c.like(x);
  for (std::size_t d = 0; d < 4; ++d) y.shape[d] += pad.before[d] + pad.after[d];
  w.pad_top = w.pad_bottom = w.pad_left = w.pad_right = 0;
  return c.add(OpKind::kPad, {x}, pad, std::move(y));
}

TensorId pool(Conversion& c, OpKind kind, TensorId x, const graph::Window& window) {
  graph::WindowAttrs attrs;
  attrs.window = window;
  Shape out = c.out(0).shape;
  if (out.size() == 3) out.insert(out.begin() + 2, 1);
  return c.add(kind, {x}, attrs, c.like(x, permuted(out, channels_last(4))));
}

void need_float(const Conversion& c) {
  const DType type = c.dtype(c.in(0).type);
  if (!is_float(type)) not_mapped("{} {}", name_of(type), c.node().op_type);
}

void convert_max_pool(Conversion& c) {
  need_float(c);
  if (c.wants(1)) not_mapped("indices of the maxima");
  const TensorId x = image_of(c, 0);
  image_result(c, pool(c, OpKind::kMaxPool2d, x, image_window(exact_window(c))));
}

void convert_average_pool(Conversion& c) {
  need_float(c);
  onnx::SpatialWindow w = exact_window(c);
  const TensorId x = image_of(c, 0);
  if (c.attributes().integer("count_include_pad", 0) == 0) {
    return image_result(c, pool(c, OpKind::kAveragePool2d, x, image_window(w)));
  }
  const onnx::SpatialWindow asked = pool_window(c.attributes(), c.shape(0));
  for (std::size_t d = 0; d < w.kernel.size(); ++d) {
    // What ceil_mode adds beyond the padding does not count.
    if (w.pads_end[d] > asked.pads_end[d]) not_mapped("ceil_mode with count_include_pad");
  }
  graph::Window window = image_window(w);
  const TensorId wide = padded(c, x, window);
  image_result(c, pool(c, OpKind::kAveragePool2d, wide, window));
}

/// The spatial dimensions of the operand as it lies.
std::vector<int> spatial_axes(const Conversion& c, const Form& x) {
  std::vector<int> axes;
  for (std::size_t d = 2; d < c.shape(0).size(); ++d) axes.push_back(place_of(x.order, d));
  return axes;
}

void convert_global_max(Conversion& c) {
  const Form x = c.operand(0);
  c.result(0, c.reduce(ReduceFunction::kMax, x.tensor, spatial_axes(c, x)), x.order);
}

void convert_global_average(Conversion& c) {
  need_float(c);
  const Form x = c.operand(0);
  const TensorId sum = c.reduce(ReduceFunction::kSum, x.tensor, spatial_axes(c, x));
  const std::int64_t count = onnx::product(c.shape(0), 2, c.shape(0).size());
  c.result(0, c.map(MapFunction::kDiv, {sum}, c.get(sum).type, static_cast<double>(count)),
           x.order);
}

constexpr auto kConverters = std::to_array<Converter>({
    {"", "AveragePool", convert_average_pool},
    {"", "GlobalAveragePool", convert_global_average},
    {"", "GlobalMaxPool", convert_global_max},
    {"", "MaxPool", convert_max_pool},
});

}  // namespace

std::span<const Converter> pool_converters() { return kConverters; }

}  // namespace npu::onnx_import
