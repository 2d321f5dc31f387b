// Convolutions of floats over one and two spatial dimensions.
#include "kernels/onnx_import/images.h"
#include "kernels/onnx_import/quantized.h"
#include "kernels/onnx_import/tensors.h"
#include "kernels/onnx_import/windows.h"

namespace npu::onnx_import {
namespace {

using graph::OpKind;
using graph::TensorId;
using onnx::Value;

DType float_type(const Conversion& c) {
  const DType type = c.dtype(c.in(0).type);
  if (!is_float(type)) not_mapped("{} {}", name_of(type), c.node().op_type);
  return type;
}

/// Weights with a spatial dimension of 1 put in where there is one only: [·,·,1,W].
Value image_weights(const Conversion& c) {
  Value w = c.need_constant(1, "weights");
  if (w.rank() == 3) w.shape.insert(w.shape.begin() + 2, 1);
  return w;
}

/// Bias in float32, or absent.
TensorId bias_of(Conversion& c) {
  if (!c.has(2)) return graph::kAbsent;
  return c.add_constant(c.need_constant(2, "bias"), DType::kFloat32, {0});
}

/// The weights in the type of x; where they were bytes, those beside them.
TensorId weights_of(Conversion& c, const Value& weights, DType type, const Order& order) {
  const TensorId w = c.add_constant(weights, type, order);
  const QuantizedConstant* from = c.dequantized(1);
  std::optional<QuantizedConstant> bytes;
  if (from != nullptr) bytes = as_weights(*from);
  if (!bytes) return w;
  if (bytes->value.rank() == 3) bytes->value.shape.insert(bytes->value.shape.begin() + 2, 1);
  c.add_twin(w, Conversion::quantized_tensor(*bytes, order));
  return w;
}

void convert_conv(Conversion& c) {
  const DType type = float_type(c);
  const Value weights = image_weights(c);
  graph::WindowAttrs attrs;
  attrs.window = image_window(convolution_window(c.attributes(), c.shape(0), c.shape(1)));
  const TensorId x = image_of(c, 0);
  const std::int64_t groups = c.attributes().integer("group", 1);
  const std::int64_t channels = c.shape(0)[1];
  if (groups == channels && groups > 1) {  // w[C·m,1,kH,kW] to [1,kH,kW,C·m]
    attrs.depth_multiplier = static_cast<int>(weights.shape[0] / channels);
    const TensorId w = weights_of(c, weights, type, {1, 2, 3, 0});
    return image_result(
        c, c.add(OpKind::kDepthwiseConv2d, {x, w, bias_of(c)}, attrs, image_output(c, type)));
  }
  attrs.groups = static_cast<int>(groups);
  const TensorId w = weights_of(c, weights, type, {0, 2, 3, 1});
  image_result(c, c.add(OpKind::kConv2d, {x, w, bias_of(c)}, attrs, image_output(c, type)));
}

/// The first `size` elements from `begin` on of a dimension of a constant.
Value part_of(const Value& value, std::size_t axis, std::int64_t begin, std::int64_t size) {
  Shape shape = value.shape;
  const std::int64_t inner = onnx::product(shape, axis + 1, shape.size());
  const std::int64_t outer = onnx::product(shape, 0, axis);
  const std::int64_t whole = shape[axis];
  shape[axis] = size;
  std::vector<std::int64_t> indices;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < size * inner; ++i) {
      indices.push_back((o * whole + begin) * inner + i);
    }
  }
  return onnx::gather_elements(value, shape, indices);
}

/// Groups one after the other, their outputs side by side.
void convert_conv_transpose(Conversion& c) {
  const DType type = float_type(c);
  const Value weights = image_weights(c);
  const TransposedWindow t = transposed_window(c.attributes(), c.shape(0), c.shape(1));
  onnx::SpatialWindow window;
  window.kernel = t.kernel;
  window.strides = t.strides;
  window.dilations = t.dilations;
  window.pads_begin = t.pads_begin;
  for (std::size_t d = 0; d < t.in.size(); ++d) {
    // The end of the full result that is cut off: (in − 1)·stride + kernel = out + pads.
    window.pads_end.push_back((t.in[d] - 1) * t.strides[d] + t.kernel[d] - t.out[d] -
                              t.pads_begin[d]);
  }
  graph::WindowAttrs attrs;
  attrs.window = image_window(window);
  const TensorId x = image_of(c, 0);
  const std::int64_t groups = c.attributes().integer("group", 1);
  const std::int64_t depth = weights.shape[0] / groups;
  const TensorId bias = bias_of(c);
  const Shape in = c.get(x).shape;
  std::vector<TensorId> parts;
  for (std::int64_t g = 0; g < groups; ++g) {
    const TensorId part =
        groups == 1 ? x : c.slice(x, {0, 0, 0, g * depth}, {in[0], in[1], in[2], depth});
    const Value w = groups == 1 ? weights : part_of(weights, 0, g * depth, depth);
    TensorId b = bias;
    graph::Tensor y = image_output(c, type);
    y.shape[3] /= groups;
    if (groups > 1 && bias != graph::kAbsent) {
      const Value own = part_of(c.need_constant(2, "bias"), 0, g * y.shape[3], y.shape[3]);
      b = c.add_constant(own, DType::kFloat32, {0});
    }
    const Order order = {1, 2, 3, 0};
    const TensorId filters =
        groups == 1 ? weights_of(c, w, type, order) : c.add_constant(w, type, order);
    parts.push_back(c.add(OpKind::kTransposeConv, {part, filters, b}, attrs, std::move(y)));
  }
  image_result(c, c.concatenate(std::move(parts), 3));
}

constexpr auto kConverters = std::to_array<Converter>({
    {"", "Conv", convert_conv},
    {"", "ConvTranspose", convert_conv_transpose},
});

}  // namespace

std::span<const Converter> conv_converters() { return kConverters; }

}  // namespace npu::onnx_import
