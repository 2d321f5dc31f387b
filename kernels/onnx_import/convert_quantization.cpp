// QuantizeLinear, DequantizeLinear, DynamicQuantizeLinear: one MAP per tensor with one scale,
// several where scales run along an axis. fuse_quantization.h takes them into the operators beside
// them.
#include <array>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/quantized.h"
#include "kernels/onnx_import/tensors.h"

namespace npu::onnx_import {
namespace {

using enum MapFunction;
using graph::TensorId;
using onnx::ElementType;

/// Scales of operand 1 and zero points of operand 2, constant both.
struct Scales {
  std::vector<double> scale, zero_point;
  [[nodiscard]] bool is_one() const { return scale.size() == 1; }
};

Scales scales_of(const Conversion& c) {
  if (c.attributes().integer("block_size", 0) != 0) not_mapped("blocks of scales");
  Scales s;
  s.scale = to_doubles(c.need_constant(1, "scale"));
  s.zero_point.assign(s.scale.size(), 0);
  if (c.has(2)) s.zero_point = to_doubles(c.need_constant(2, "zero point"));
  if (s.zero_point.size() != s.scale.size()) not_mapped("scales and zero points do not fit");
  for (const double e : s.scale) {
    if (!is_scale(e)) not_mapped("a scale of {}", e);
  }
  return s;
}

/// A list along the node's axis as a constant that broadcasts to the operand as it lies.
TensorId along_axis(Conversion& c, const std::vector<double>& list, DType type,
                    const Order& order) {
  const Shape& shape = c.shape(0);
  const auto axis = onnx::resolve_axis(c.attributes().integer("axis", 1),
                                       static_cast<std::int64_t>(shape.size()));
  Shape wide(shape.size(), 1);
  wide[axis] = static_cast<std::int64_t>(list.size());
  if (wide[axis] != shape[axis]) not_mapped("{} scales for {}", wide[axis], to_string(shape));
  return c.add_constant(onnx::from_doubles(element_type(type), wide, list), type, order);
}

/// saturate(rint(x / scale) + zero point).
void convert_quantize(Conversion& c) {
  const DType type = c.dtype(c.out(0).type);
  if (is_float(type) || type == DType::kBool) not_mapped("{} steps", name_of(type));
  if (c.attributes().integer("precision", 0) > 1) not_mapped("precision");
  const Scales s = scales_of(c);
  const Form x = c.operand(0);
  if (!is_float(c.get(x.tensor).type)) not_mapped("{} operand", name_of(c.get(x.tensor).type));
  if (s.is_one()) {
    graph::Tensor y = c.like(x.tensor);
    y.type = type;
    if (is_byte(type)) {
      y.quantization =
          steps(static_cast<float>(s.scale[0]), static_cast<std::int32_t>(s.zero_point[0]));
    }
    const graph::MapAttrs attrs{kQuantize, s.scale[0], s.zero_point[0]};
    return c.result(0, c.add(graph::OpKind::kMap, {x.tensor}, attrs, std::move(y)), x.order);
  }
  constexpr DType kReal = DType::kFloat32;
  const ElementType element = c.out(0).type;
  TensorId y = c.map(kDiv, {x.tensor, along_axis(c, s.scale, kReal, x.order)}, kReal);
  y = c.map(kRound, {y}, kReal);
  y = c.map(kAdd, {y, along_axis(c, s.zero_point, kReal, x.order)}, kReal);
  c.result(0,
           c.map(kClip, {y}, type, static_cast<double>(onnx::lowest_of(element)),
                 static_cast<double>(onnx::highest_of(element))),
           x.order);
}

/// (x − zero point) · scale.
void convert_dequantize(Conversion& c) {
  const DType type = c.dtype(c.out(0).type);
  const Scales s = scales_of(c);
  const Form x = c.operand(0);
  const DType bytes = c.get(x.tensor).type;
  if (is_float(bytes) || bytes == DType::kBool) not_mapped("{} steps", name_of(bytes));
  if (s.is_one()) {
    return c.result(0, c.map(kDequantize, {x.tensor}, type, s.scale[0], s.zero_point[0]), x.order);
  }
  const TensorId zero = along_axis(c, s.zero_point, DType::kInt32, x.order);
  const TensorId d = c.map(kSub, {x.tensor, zero}, DType::kInt32);
  c.result(0, c.map(kMul, {d, along_axis(c, s.scale, DType::kFloat32, x.order)}, type), x.order);
}

/// uint8 over the range of x with 0 in it. Source: ONNX operator DynamicQuantizeLinear-11.
void convert_dynamic_quantize(Conversion& c) {
  constexpr DType kReal = DType::kFloat32;
  constexpr double kMost = 255;
  const Form x = c.operand(0);
  const std::size_t rank = c.get(x.tensor).shape.size();
  std::vector<int> axes(rank);
  for (std::size_t d = 0; d < rank; ++d) axes[d] = static_cast<int>(d);
  const auto bound = [&](ReduceFunction reduction, MapFunction with_zero) {
    const TensorId all = c.reshape(c.reduce(reduction, x.tensor, axes), {1});
    return c.map(with_zero, {all}, kReal, 0);
  };
  const TensorId high = bound(ReduceFunction::kMax, kMax);
  const TensorId low = bound(ReduceFunction::kMin, kMin);
  const TensorId span = c.map(kSub, {high, low}, kReal);
  const TensorId scale = c.map(kDiv, {span}, kReal, kMost);
  // Of zeros only: 0 / 0 is NaN, which is stored as 0, and so is all of x.
  const TensorId steps = c.map(kDiv, {c.map(kNegate, {low}, kReal), scale}, kReal);
  const TensorId zero = c.map(kClip, {c.map(kRound, {steps}, kReal)}, DType::kUint8, 0, kMost);
  TensorId y = c.map(kRound, {c.map(kDiv, {x.tensor, scale}, kReal)}, kReal);
  y = c.map(kAdd, {y, c.map(kCopy, {zero}, kReal)}, kReal);
  c.result(0, c.map(kClip, {y}, DType::kUint8, 0, kMost), x.order);
  c.result(1, scale);
  c.result(2, zero);
}

constexpr auto kConverters = std::to_array<Converter>({
    {"", "DequantizeLinear", convert_dequantize},
    {"", "DynamicQuantizeLinear", convert_dynamic_quantize},
    {"", "QuantizeLinear", convert_quantize},
});

}  // namespace

std::span<const Converter> quantization_converters() { return kConverters; }

}  // namespace npu::onnx_import
