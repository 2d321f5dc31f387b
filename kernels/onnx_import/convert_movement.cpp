// Operators that move elements: shapes, layouts, slices, concatenations, padding.
#include <algorithm>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/tensors.h"

namespace npu::onnx_import {
namespace {

using graph::OpKind;
using graph::TensorId;

/// Reshape, Flatten, Squeeze, Unsqueeze: the same bytes in ONNX's order.
void convert_reshape(Conversion& c) {
  const Shape shape = c.out(0).shape;
  c.result(0, c.reshape(c.tensor(0), tensor_shape(shape)));
}

/// No move: the tensor stays, the value's dimensions have other places in it.
void convert_transpose(Conversion& c) {
  const Form x = c.operand(0);
  const std::size_t rank = c.shape(0).size();
  std::vector<std::int64_t> permutation = c.attributes().integers("perm", {});
  if (permutation.empty()) {
    for (std::size_t d = rank; d-- > 0;) permutation.push_back(static_cast<std::int64_t>(d));
  }
  Order order;
  for (const int d : x.order) {
    const auto at = std::find(permutation.begin(), permutation.end(), d);
    if (at == permutation.end()) not_mapped("perm is no permutation");
    order.push_back(static_cast<int>(at - permutation.begin()));
  }
  c.result(0, x.tensor, order);
}

void convert_concat(Conversion& c) {
  const auto rank = static_cast<std::int64_t>(c.out(0).shape.size());
  const auto axis = onnx::resolve_axis(c.attributes().integer("axis", 1), rank);
  std::size_t first = 0;  // An empty part adds nothing and is no tensor.
  while (first + 1 < c.input_count() && element_count(c.shape(first)) == 0) ++first;
  const Order order = c.operand(first).order;
  std::vector<TensorId> parts;
  for (std::size_t i = 0; i < c.input_count(); ++i) {
    if (element_count(c.shape(i)) != 0) parts.push_back(c.tensor(i, order));
  }
  const graph::ActivationAttrs attrs{graph::Activation::kNone,
                                     static_cast<int>(place_of(order, axis))};
  graph::Tensor y = c.like(parts.at(0), permuted(c.out(0).shape, order));
  y.quantization = c.get(parts[0]).quantization;
  // One part is a copy: a stage gives out no tensor that comes in.
  c.result(0,
           parts.size() == 1 ? c.add(OpKind::kConcatenation, parts, attrs, y)
                             : c.concatenate(std::move(parts), attrs.axis),
           order);
}

/// Takes begin + i·stride of every dimension (given in ONNX's order) into output `index`.
void take(Conversion& c, std::size_t index, const graph::SliceAttrs& in_onnx_order) {
  const Form x = c.operand(0);
  graph::SliceAttrs attrs;
  attrs.begin = permuted(in_onnx_order.begin, x.order);
  attrs.stride = permuted(in_onnx_order.stride, x.order);
  attrs.sizes = permuted(in_onnx_order.sizes, x.order);
  graph::Tensor y = c.like(x.tensor, attrs.sizes);
  y.quantization = c.get(x.tensor).quantization;
  c.result(index, c.add(OpKind::kStridedSlice, {x.tensor}, attrs, y), x.order);
}

/// Starts, ends, axes, steps: attributes before opset 10, operands since.
std::vector<std::int64_t> slice_list(const Conversion& c, std::size_t operand,
                                     std::string_view name) {
  if (c.opset() < 10) return c.attributes().integers(name, {});
  return c.has(operand) ? c.need_integers(operand, name) : std::vector<std::int64_t>();
}

void convert_slice(Conversion& c) {
  const Shape& shape = c.shape(0);
  const auto rank = static_cast<std::int64_t>(shape.size());
  const std::vector<std::int64_t> starts = slice_list(c, 1, "starts");
  const std::vector<std::int64_t> ends = slice_list(c, 2, "ends");
  std::vector<std::int64_t> axes = slice_list(c, 3, "axes");
  std::vector<std::int64_t> steps =
      c.opset() < 10 ? std::vector<std::int64_t>() : slice_list(c, 4, "steps");
  if (axes.empty()) {
    for (std::size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<std::int64_t>(i));
  }
  if (steps.empty()) steps.assign(starts.size(), 1);
  graph::SliceAttrs attrs{Shape(shape.size(), 0), Shape(shape.size(), 1), c.out(0).shape};
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::size_t d = onnx::resolve_axis(axes[i], rank);
    if (steps[i] < 0) not_mapped("a slice that runs backwards");
    const std::int64_t start = starts[i] < 0 ? starts[i] + shape[d] : starts[i];
    attrs.begin[d] = std::clamp<std::int64_t>(start, 0, shape[d]);
    attrs.stride[d] = std::min(steps[i], shape[d]);
  }
  take(c, 0, attrs);
}

void convert_split(Conversion& c) {
  const Shape& shape = c.shape(0);
  const auto axis = onnx::resolve_axis(c.attributes().integer("axis", 0),
                                       static_cast<std::int64_t>(shape.size()));
  std::int64_t at = 0;
  for (std::size_t i = 0; i < c.node().outputs.size(); ++i) {
    if (!c.wants(i)) not_mapped("an output without a name");
    graph::SliceAttrs attrs{Shape(shape.size(), 0), Shape(shape.size(), 1), c.out(i).shape};
    attrs.begin[axis] = at;
    at += c.out(i).shape[axis];
    take(c, i, attrs);
  }
}

/// x with dimensions of 1 repeated to `shape` (of the same rank), in the tensor's own order: x
/// combined with a constant that is neutral.
TensorId expand(Conversion& c, TensorId x, const Shape& shape) {
  const graph::Tensor from = c.get(x);
  if (from.shape == shape) return x;
  Shape neutral(shape.size(), 1);
  for (std::size_t d = 0; d < shape.size(); ++d) {
    if (from.shape[d] != shape[d]) neutral[d] = shape[d];
  }
  graph::Tensor zeros;
  zeros.type = from.type;
  zeros.shape = neutral;
  zeros.data.resize(static_cast<std::size_t>(zeros.bytes()));
  const bool adds = from.type != DType::kBool;
  return c.map(adds ? MapFunction::kAdd : MapFunction::kOr, {x, c.add_constant(std::move(zeros))},
               from.type);
}

void convert_expand(Conversion& c) {
  const Shape& shape = c.out(0).shape;
  const Order order =
      c.shape(0).size() == shape.size() ? c.operand(0).order : identity_order(shape.size());
  c.result(0, expand(c, c.broadcast_operand(0, order), permuted(shape, order)), order);
}

/// Each repeated dimension d as [1, d] expanded to [times, d].
void convert_tile(Conversion& c) {
  const std::vector<std::int64_t> times = c.need_integers(1, "repeats");
  Shape from;
  Shape to;
  for (std::size_t d = 0; d < times.size(); ++d) {
    if (times[d] != 1) {
      from.push_back(1);
      to.push_back(times[d]);
    }
    from.push_back(c.shape(0)[d]);
    to.push_back(c.shape(0)[d]);
  }
  const TensorId x = c.reshape(c.tensor(0), from);
  c.result(0, c.reshape(expand(c, x, to), tensor_shape(c.out(0).shape)));
}

constexpr auto kConverters = std::to_array<Converter>({
    {"", "Concat", convert_concat},
    {"", "Expand", convert_expand},
    {"", "Flatten", convert_reshape},
    {"", "Reshape", convert_reshape},
    {"", "Slice", convert_slice},
    {"", "Split", convert_split},
    {"", "Squeeze", convert_reshape},
    {"", "Tile", convert_tile},
    {"", "Transpose", convert_transpose},
    {"", "Unsqueeze", convert_reshape},
});

}  // namespace

std::span<const Converter> movement_converters() { return kConverters; }

}  // namespace npu::onnx_import
