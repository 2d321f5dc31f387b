// Shapes of elementwise operators, products, reductions and normalizations.
#include <algorithm>

#include "kernels/onnx_import/infer.h"

namespace npu::onnx_import {
namespace {

using onnx::ElementType;
using onnx::Value;
using Types = std::vector<ValueType>;

ValueType made(ElementType type, Shape shape) { return {type, std::move(shape), true}; }

/// Type and shape of the first operand.
Types same(const ShapeCall& c) { return {c.in(0)}; }

Shape broadcast_all(const ShapeCall& c) {
  std::vector<const Shape*> shapes;
  for (std::size_t i = 0; i < c.operands.size(); ++i) {
    if (c.has(i)) shapes.push_back(&c.shape(i));
  }
  return onnx::broadcast(shapes);
}

Types elementwise(const ShapeCall& c) { return {made(c.in(0).type, broadcast_all(c))}; }
Types comparison(const ShapeCall& c) { return {made(ElementType::kBool, broadcast_all(c))}; }
Types where(const ShapeCall& c) { return {made(c.in(1).type, broadcast_all(c))}; }
Types test_of(const ShapeCall& c) { return {made(ElementType::kBool, c.shape(0))}; }

ElementType type_attribute(const ShapeCall& c, std::string_view name, ElementType fallback) {
  const std::int64_t number = c.call.integer(name, 0);
  if (number == 0) return fallback;
  if (number < 0 || number >= onnx::kElementTypes) fail("unknown element type {}", number);
  const auto type = static_cast<ElementType>(number);
  if (!is_supported(type)) fail("{} is not supported", name_of(type));
  return type;
}

Types cast(const ShapeCall& c) {
  return {made(type_attribute(c, "to", ElementType::kUndefined), c.shape(0))};
}
Types cast_like(const ShapeCall& c) { return {made(c.in(1).type, c.shape(0))}; }

Types quantize(const ShapeCall& c) {
  const ElementType fallback = c.has(2) ? c.in(2).type : ElementType::kUint8;
  return {made(type_attribute(c, "output_dtype", fallback), c.shape(0))};
}
Types dequantize(const ShapeCall& c) {
  return {made(type_attribute(c, "output_dtype", c.in(1).type), c.shape(0))};
}
Types dynamic_quantize(const ShapeCall& c) {
  return {made(ElementType::kUint8, c.shape(0)), made(ElementType::kFloat, {}),
          made(ElementType::kUint8, {})};
}

/// NumPy's matmul of two shapes.
Shape product_shape(const Shape& left, const Shape& right) {
  if (left.empty() || right.empty()) fail("a scalar is no matrix");
  Shape a = left;
  Shape b = right;
  if (left.size() == 1) a.insert(a.begin(), 1);
  if (right.size() == 1) b.push_back(1);
  if (a.back() != b[b.size() - 2]) {
    fail("{} and {} do not multiply", to_string(left), to_string(right));
  }
  const Shape a_batch(a.begin(), a.end() - 2);
  const Shape b_batch(b.begin(), b.end() - 2);
  Shape out = onnx::broadcast({&a_batch, &b_batch});
  if (left.size() > 1) out.push_back(a[a.size() - 2]);
  if (right.size() > 1) out.push_back(b.back());
  onnx::checked_count(out);
  return out;
}
Types matmul(const ShapeCall& c) {
  return {made(c.in(0).type, product_shape(c.shape(0), c.shape(1)))};
}
Types matmul_integer(const ShapeCall& c) {
  return {made(ElementType::kInt32, product_shape(c.shape(0), c.shape(1)))};
}
Types qlinear_matmul(const ShapeCall& c) {
  return {made(c.in(7).type, product_shape(c.shape(0), c.shape(3)))};
}
Types gemm(const ShapeCall& c) {
  Shape a = c.shape(0);
  Shape b = c.shape(1);
  if (a.size() != 2 || b.size() != 2) fail("operands of {} and {}", to_string(a), to_string(b));
  if (c.call.integer("transA", 0) != 0) std::swap(a[0], a[1]);
  if (c.call.integer("transB", 0) != 0) std::swap(b[0], b[1]);
  return {made(c.in(0).type, product_shape(a, b))};
}

/// Axes of a reduction: the attribute of older operator sets or the second operand.
Types reduce(const ShapeCall& c) {
  const auto rank = static_cast<std::int64_t>(c.shape(0).size());
  std::vector<std::int64_t> axes = c.call.integers("axes", {});
  if (c.has(1)) axes = onnx::integer_list(*c.operands[1].constant);
  std::vector<bool> reduced(c.shape(0).size(), false);
  for (const std::int64_t axis : axes) reduced[onnx::resolve_axis(axis, rank)] = true;
  if (axes.empty()) {
    if (c.call.integer("noop_with_empty_axes", 0) != 0) return {c.in(0)};
    reduced.assign(reduced.size(), true);
  }
  const bool keeps = c.call.integer("keepdims", 1) != 0;
  Shape out;
  for (std::size_t d = 0; d < reduced.size(); ++d) {
    if (!reduced[d]) {
      out.push_back(c.shape(0)[d]);
    } else if (keeps) {
      out.push_back(1);
    }
  }
  return {made(c.in(0).type, std::move(out))};
}

Types arg_reduce(const ShapeCall& c) {
  Shape out = c.shape(0);
  const std::size_t axis =
      onnx::resolve_axis(c.call.integer("axis", 0), static_cast<std::int64_t>(out.size()));
  out[axis] = 1;
  if (c.call.integer("keepdims", 1) == 0) {
    out.erase(out.begin() + static_cast<std::ptrdiff_t>(axis));
  }
  return {made(ElementType::kInt64, std::move(out))};
}

/// Y, mean and inverse standard deviation; the statistics are float32 (stash_type 1).
Types layer_norm(const ShapeCall& c) {
  Shape statistics = c.shape(0);
  const std::size_t axis =
      onnx::resolve_axis(c.call.integer("axis", -1), static_cast<std::int64_t>(statistics.size()));
  std::fill(statistics.begin() + static_cast<std::ptrdiff_t>(axis), statistics.end(), 1);
  const ValueType statistic =
      made(type_attribute(c, "stash_type", ElementType::kFloat), statistics);
  return {c.in(0), statistic, statistic};
}

constexpr auto kRules = std::to_array<ShapeRule>({
    {"", "Abs", same},
    {"", "Acos", same},
    {"", "Acosh", same},
    {"", "Add", elementwise},
    {"", "And", comparison},
    {"", "ArgMax", arg_reduce},
    {"", "ArgMin", arg_reduce},
    {"", "Asin", same},
    {"", "Asinh", same},
    {"", "Atan", same},
    {"", "Atanh", same},
    {"", "BitShift", elementwise},
    {"", "BitwiseAnd", elementwise},
    {"", "BitwiseNot", same},
    {"", "BitwiseOr", elementwise},
    {"", "BitwiseXor", elementwise},
    {"", "Cast", cast},
    {"", "CastLike", cast_like},
    {"", "Ceil", same},
    {"", "Celu", same},
    {"", "Clip", same},
    {"", "Cos", same},
    {"", "Cosh", same},
    {"", "CumProd", same},
    {"", "CumSum", same},
    {"", "DequantizeLinear", dequantize},
    {"", "Div", elementwise},
    {"", "DynamicQuantizeLinear", dynamic_quantize},
    {"", "Elu", same},
    {"", "Equal", comparison},
    {"", "Erf", same},
    {"", "Exp", same},
    {"", "Floor", same},
    {"", "Gelu", same},
    {"", "Gemm", gemm},
    {"", "Greater", comparison},
    {"", "GreaterOrEqual", comparison},
    {"", "GroupNormalization", same},
    {"", "HardSigmoid", same},
    {"", "HardSwish", same},
    {"", "Hardmax", same},
    {"", "InstanceNormalization", same},
    {"", "IsInf", test_of},
    {"", "IsNaN", test_of},
    {"", "LRN", same},
    {"", "LayerNormalization", layer_norm},
    {"", "LeakyRelu", same},
    {"", "Less", comparison},
    {"", "LessOrEqual", comparison},
    {"", "Log", same},
    {"", "LogSoftmax", same},
    {"", "LpNormalization", same},
    {"", "MatMul", matmul},
    {"", "MatMulInteger", matmul_integer},
    {"", "Max", elementwise},
    {"", "Mean", elementwise},
    {"", "MeanVarianceNormalization", same},
    {"", "Min", elementwise},
    {"", "Mish", same},
    {"", "Mod", elementwise},
    {"", "Mul", elementwise},
    {"", "Neg", same},
    {"", "Not", same},
    {"", "Or", comparison},
    {"", "PRelu", same},
    {"", "Pow", elementwise},
    {"", "QLinearMatMul", qlinear_matmul},
    {"", "QuantizeLinear", quantize},
    {"", "RMSNormalization", same},
    {"", "Reciprocal", same},
    {"", "ReduceL1", reduce},
    {"", "ReduceL2", reduce},
    {"", "ReduceLogSum", reduce},
    {"", "ReduceLogSumExp", reduce},
    {"", "ReduceMax", reduce},
    {"", "ReduceMean", reduce},
    {"", "ReduceMin", reduce},
    {"", "ReduceProd", reduce},
    {"", "ReduceSum", reduce},
    {"", "ReduceSumSquare", reduce},
    {"", "Relu", same},
    {"", "ReverseSequence", same},
    {"", "RotaryEmbedding", same},
    {"", "Round", same},
    {"", "Selu", same},
    {"", "Shrink", same},
    {"", "Sigmoid", same},
    {"", "Sign", same},
    {"", "Sin", same},
    {"", "Sinh", same},
    {"", "Softmax", same},
    {"", "Softplus", same},
    {"", "Softsign", same},
    {"", "Sqrt", same},
    {"", "Sub", elementwise},
    {"", "Sum", elementwise},
    {"", "Swish", same},
    {"", "Tan", same},
    {"", "Tanh", same},
    {"", "ThresholdedRelu", same},
    {"", "Where", where},
    {"", "Xor", comparison},
});

}  // namespace

std::span<const ShapeRule> general_shape_rules() { return kRules; }

}  // namespace npu::onnx_import
