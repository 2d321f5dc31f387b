// Shapes and types of MAP, REDUCE, MATMUL, the norms, ROPE, ATTENTION and GATHER.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

#include "workloads/graph/node_rules.h"

namespace npu::graph {
namespace {

void require_shape(const NodeView& view, const Shape& expected) {
  view.require(view.out().shape == expected, "output shape must be {}, got {}", to_string(expected),
               to_string(view.out().shape));
}

/// The two shapes broadcast together.
Shape broadcast(const NodeView& view, const Shape& a, const Shape& b) {
  Shape y(std::max(a.size(), b.size()), 1);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::int64_t da = i < a.size() ? a[a.size() - 1 - i] : 1;
    const std::int64_t db = i < b.size() ? b[b.size() - 1 - i] : 1;
    view.require(da == db || da == 1 || db == 1, "shapes {} and {} do not broadcast", to_string(a),
                 to_string(b));
    y[y.size() - 1 - i] = std::max(da, db);
  }
  return y;
}

Shape without(const Shape& shape, std::size_t trailing) {
  return {shape.begin(), shape.end() - static_cast<std::ptrdiff_t>(trailing)};
}

bool is_select(const NodeView& view) {
  return view.attrs<MapAttrs>().function == MapFunction::kSelect;
}

void check_map_shapes(const NodeView& view) {
  const auto& a = view.attrs<MapAttrs>();
  const std::size_t inputs = view.node.inputs.size();
  const int operands = info_of(a.function).operands;
  const bool fits = is_select(view) ? inputs == 3 : inputs == 1 || (operands == 2 && inputs == 2);
  view.require(fits, "{} does not take {} operands", name_of(a.function), inputs);
  Shape y = view.in(0).shape;
  for (std::size_t i = 1; i < inputs; ++i) y = broadcast(view, y, view.in(i).shape);
  require_shape(view, y);
}

void check_reduce_shapes(const NodeView& view) {
  const auto& a = view.attrs<ReduceMapAttrs>();
  const Shape& x = view.in(0).shape;
  const auto rank = static_cast<int>(x.size());
  view.require(!a.axes.empty(), "no axis to reduce");
  for (std::size_t i = 0; i < a.axes.size(); ++i) {
    view.require(a.axes[i] >= 0 && a.axes[i] < rank, "axis {} is out of range for shape {}",
                 a.axes[i], to_string(x));
    view.require(i == 0 || a.axes[i] > a.axes[i - 1], "axes must be sorted and unique");
  }
  view.require(a.function < ReduceFunction::kArgMax || a.axes.size() == 1,
               "{} reduces one axis, got {}", name_of(a.function), a.axes.size());
  Shape y;
  for (int i = 0; i < rank; ++i) {
    const bool reduced = std::binary_search(a.axes.begin(), a.axes.end(), i);
    if (!reduced) y.push_back(x[static_cast<std::size_t>(i)]);
    if (reduced && a.keep_dims) y.push_back(1);
  }
  require_shape(view, y);
}

void check_matmul_shapes(const NodeView& view) {
  const Shape& a = view.in(0).shape;
  const Shape& b = view.in(1).shape;
  view.require(a.size() >= 2 && b.size() >= 2, "operands need two dimensions, got {} and {}",
               to_string(a), to_string(b));
  const bool transposed = view.attrs<MatMulAttrs>().transpose_b;
  const std::int64_t k = b[b.size() - (transposed ? 1 : 2)];
  const std::int64_t n = b[b.size() - (transposed ? 2 : 1)];
  view.require(a.back() == k, "the inner sizes {} and {} differ", a.back(), k);
  Shape y = broadcast(view, without(a, 2), without(b, 2));
  y.push_back(a[a.size() - 2]);
  y.push_back(n);
  require_shape(view, y);
  view.require(!view.has(2) || view.in(2).shape == Shape{n}, "bias must have shape [{}]", n);
}

void check_norm_shapes(const NodeView& view) {
  const auto& a = view.attrs<NormAttrs>();
  const Shape& x = view.in(0).shape;
  view.require(a.axis >= 0 && static_cast<std::size_t>(a.axis) < x.size(),
               "axis {} is out of range for shape {}", a.axis, to_string(x));
  const Shape inner(x.begin() + a.axis, x.end());
  for (std::size_t i = 1; i < view.node.inputs.size(); ++i) {
    view.require(!view.has(i) || view.in(i).shape == inner, "{} must have shape {}, got {}",
                 i == 1 ? "scale" : "bias", to_string(inner),
                 to_string(view.has(i) ? view.in(i).shape : Shape{}));
  }
  view.require(std::isfinite(a.epsilon) && a.epsilon >= 0, "epsilon must not be negative, got {}",
               a.epsilon);
  require_shape(view, x);
}

void check_rope_shapes(const NodeView& view) {
  const Shape& x = view.in(0).shape;
  const Shape& cosines = view.in(1).shape;
  view.require(!x.empty() && !cosines.empty(), "operands need a dimension");
  view.require(view.in(2).shape == cosines, "cos {} and sin {} must have one shape",
               to_string(cosines), to_string(view.in(2).shape));
  view.require(2 * cosines.back() <= x.back(), "{} pairs do not fit {} dimensions", cosines.back(),
               x.back());
  const Shape lead = without(x, 1);
  view.require(broadcast(view, lead, without(cosines, 1)) == lead,
               "cos and sin of shape {} do not broadcast to {}", to_string(cosines), to_string(x));
  require_shape(view, x);
}

void check_attention_shapes(const NodeView& view) {
  const Shape& q = view.in(0).shape;
  const Shape& k = view.in(1).shape;
  const Shape& v = view.in(2).shape;
  const bool fits = q.size() == 4 && k.size() == 4 && v.size() == 4 && k[0] == q[0] &&
                    v[0] == q[0] && k[1] == v[1] && q[1] % k[1] == 0 && k[2] == v[2] &&
                    k[3] == q[3];
  view.require(fits, "q {}, k {} and v {} do not fit each other", to_string(q), to_string(k),
               to_string(v));
  view.require(!view.attrs<AttentionAttrs>().causal || k[2] >= q[2],
               "causal attention of {} rows needs as many keys, got {}", q[2], k[2]);
  const Shape scores = {q[0], q[1], q[2], k[2]};
  if (view.has(3)) {
    view.require(broadcast(view, scores, view.in(3).shape) == scores,
                 "mask {} does not broadcast to {}", to_string(view.in(3).shape),
                 to_string(scores));
  }
  require_shape(view, {q[0], q[1], q[2], v[3]});
}

void check_gather_shapes(const NodeView& view) {
  Shape y = view.in(1).shape;
  const Shape& table = view.in(0).shape;
  view.require(!table.empty(), "the table needs a dimension");
  y.insert(y.end(), table.begin() + 1, table.end());
  require_shape(view, y);
}

/// Types that the vector unit computes on.
bool is_numeric(DType type) { return type != DType::kInt64; }

void require_numeric(const NodeView& view, const Tensor& t) {
  view.require(is_numeric(t.type), "tensor `{}`: {} is not supported here", t.name,
               name_of(t.type));
  view.require(!t.quantization.has_value() || !t.quantization->per_channel(),
               "tensor `{}`: one scale is needed, got {}", t.name,
               t.quantization.has_value() ? t.quantization->scale.size() : 0);
}

/// Floats, or integers with a scale.
void require_real(const NodeView& view, const Tensor& t) {
  require_numeric(view, t);
  view.require(is_float(t.type) || t.quantization.has_value(),
               "tensor `{}`: {} without quantization has no real values", t.name, name_of(t.type));
}

/// An integer that stands for itself.
bool is_integer(const Tensor& t) { return !is_float(t.type) && !t.quantization.has_value(); }

/// Functions that have no meaning on floats.
bool needs_integers(MapFunction function) {
  return function == MapFunction::kShiftLeft || function == MapFunction::kShiftRight ||
         function == MapFunction::kComplement || function == MapFunction::kIntegerSqrt;
}

/// What the function reads of imm0 and imm1, in the domain that it computes in.
void check_immediates(const NodeView& view) {
  const auto& a = view.attrs<MapAttrs>();
  const bool quantizes =
      a.function == MapFunction::kDequantize || a.function == MapFunction::kQuantize;
  view.require(!quantizes || (std::isfinite(a.imm0) && a.imm0 > 0),
               "the scale must be above 0, got {}", a.imm0);
  const bool in_integers = is_integer(view.in(0)) && !is_real_function(a.function);
  const bool second_operand = info_of(a.function).operands == 2 && view.node.inputs.size() == 1;
  const int used = second_operand ? 1 : info_of(a.function).immediates;
  const std::array<double, 2> values = {a.imm0, a.imm1};
  for (int i = 0; i < used; ++i) {
    if (!in_integers && !(quantizes && i == 1)) continue;
    const double v = values[static_cast<std::size_t>(i)];
    view.require(v == std::trunc(v) && v >= INT32_MIN && v <= INT32_MAX,
                 "imm{} must be an int32, got {}", i, v);
  }
}

void check_map_types(const NodeView& view) {
  const MapFunction function = view.attrs<MapAttrs>().function;
  for (std::size_t i = 0; i < view.node.inputs.size(); ++i) {
    const Tensor& t = view.in(i);
    require_numeric(view, t);
    view.require(!needs_integers(function) || is_integer(t),
                 "{} takes integers without quantization, tensor `{}` is {}", name_of(function),
                 t.name, name_of(t.type));
  }
  require_numeric(view, view.out());
  view.require(function != MapFunction::kDequantize || !is_float(view.in(0).type),
               "dequantize takes integers, got {}", name_of(view.in(0).type));
  if (function == MapFunction::kSelect) {
    view.require(is_integer(view.in(0)), "the condition must be bool or an integer, got {}",
                 name_of(view.in(0).type));
    view.require(is_integer(view.in(1)) == is_integer(view.in(2)),
                 "the values must both be integers or both be reals, got {} and {}",
                 name_of(view.in(1).type), name_of(view.in(2).type));
  }
  check_immediates(view);
}

void check_reduce_types(const NodeView& view) {
  const Tensor& x = view.in(0);
  const Tensor& y = view.out();
  require_numeric(view, x);
  require_numeric(view, y);
  if (view.attrs<ReduceMapAttrs>().function >= ReduceFunction::kArgMax) {
    return view.require(y.type == DType::kInt32, "positions are int32, got {}", name_of(y.type));
  }
  view.require(!is_integer(x) || is_integer(y), "integers reduce to integers, got {}",
               name_of(y.type));
}

/// Indices of which the values are known.
void check_gather_indices(const NodeView& view) {
  const Tensor& indices = view.in(1);
  const std::int64_t rows = view.in(0).shape.front();
  for (std::size_t i = 0; i + sizeof(std::int32_t) <= indices.data.size();
       i += sizeof(std::int32_t)) {
    std::int32_t index = 0;
    std::memcpy(&index, indices.data.data() + i, sizeof index);
    view.require(index >= 0 && index < rows, "index {} is out of range for {} rows", index, rows);
  }
}

/// b of a quantized MATMUL: one scale, or where it is constant one per column.
void require_matmul_scales(const NodeView& view) {
  const Tensor& b = view.in(1);
  if (!b.quantization.has_value() || !b.quantization->per_channel()) return require_real(view, b);
  const bool transposed = view.attrs<MatMulAttrs>().transpose_b;
  const int columns = static_cast<int>(b.shape.size()) - (transposed ? 2 : 1);
  view.require(b.is_constant && element_count(without(b.shape, 2)) == 1,
               "tensor `{}`: only a constant matrix has a scale per column", b.name);
  view.require(
      b.quantization->axis == columns &&
          std::cmp_equal(b.quantization->scale.size(), b.shape[static_cast<std::size_t>(columns)]),
      "tensor `{}`: {} scales along dimension {} are not one per column", b.name,
      b.quantization->scale.size(), b.quantization->axis);
  for (const std::int32_t zero_point : b.quantization->zero_point) {
    view.require(zero_point == b.quantization->zero_point[0],
                 "tensor `{}`: columns must share one zero point, got {} and {}", b.name,
                 b.quantization->zero_point[0], zero_point);
  }
}

void check_matmul_types(const NodeView& view) {
  const auto& attrs = view.attrs<MatMulAttrs>();
  view.require(std::isfinite(attrs.scale), "scale must be finite, got {}", attrs.scale);
  const DType a = view.in(0).type;
  const DType b = view.in(1).type;
  const DType y = view.out().type;
  const auto byte = [](DType type) { return type == DType::kInt8 || type == DType::kUint8; };
  if (is_float(a)) {
    view.require(a == b && is_float(y), "types {}, {} to {} are not supported", name_of(a),
                 name_of(b), name_of(y));
    view.require(!view.has(2) || view.in(2).type == DType::kFloat32, "bias must be float32");
    return;
  }
  view.require(byte(a) && byte(b) && (byte(y) || y == DType::kInt32 || is_float(y)),
               "types {}, {} to {} are not supported", name_of(a), name_of(b), name_of(y));
  view.require(!view.has(2) || view.in(2).type == DType::kInt32, "bias must be int32");
  if (y == DType::kInt32) {
    return view.require(attrs.activation == Activation::kNone && attrs.scale == 1.0F,
                        "int32 sums take no activation and no scale");
  }
  require_matmul_scales(view);
  for (const Tensor* t : {&view.in(0), &view.out()}) require_real(view, *t);
}

void check_attention_types(const NodeView& view) {
  const DType q = view.in(0).type;
  const DType y = view.out().type;
  const auto byte = [](DType type) { return type == DType::kInt8 || type == DType::kUint8; };
  view.require((is_float(q) || byte(q)) && view.in(1).type == q && view.in(2).type == q &&
                   (is_float(y) || (byte(q) && byte(y))),
               "types {}, {}, {} to {} are not supported", name_of(q), name_of(view.in(1).type),
               name_of(view.in(2).type), name_of(y));
  for (const Tensor* t : {&view.in(0), &view.in(1), &view.in(2), &view.out()})
    require_real(view, *t);
  view.require(!view.has(3) || is_float(view.in(3).type), "the mask must be a float, got {}",
               name_of(view.has(3) ? view.in(3).type : q));
  const auto& attrs = view.attrs<AttentionAttrs>();
  view.require(std::isfinite(attrs.scale), "scale must be finite, got {}", attrs.scale);
  view.require(attrs.key_block >= 0, "key_block must not be negative, got {}", attrs.key_block);
  view.require(attrs.softmax_block >= 0, "softmax_block must not be negative, got {}",
               attrs.softmax_block);
}

}  // namespace

void check_general_shapes(const NodeView& view) {
  switch (view.node.kind) {
    case OpKind::kMap:
      return check_map_shapes(view);
    case OpKind::kReduce:
      return check_reduce_shapes(view);
    case OpKind::kMatMul:
      return check_matmul_shapes(view);
    case OpKind::kLayerNorm:
    case OpKind::kRmsNorm:
      return check_norm_shapes(view);
    case OpKind::kRope:
      return check_rope_shapes(view);
    case OpKind::kAttention:
      return check_attention_shapes(view);
    case OpKind::kGather:
      return check_gather_shapes(view);
    default:
      NPU_CHECK(false, "not a general operator");
  }
}

void check_general_types(const NodeView& view) {
  const DType y = view.out().type;
  switch (view.node.kind) {
    case OpKind::kMap:
      return check_map_types(view);
    case OpKind::kReduce:
      return check_reduce_types(view);
    case OpKind::kMatMul:
      return check_matmul_types(view);
    case OpKind::kAttention:
      return check_attention_types(view);
    case OpKind::kGather:
      view.require(view.in(1).type == DType::kInt32, "indices must be int32, got {}",
                   name_of(view.in(1).type));
      check_gather_indices(view);
      return view.require(view.in(0).type == y && same_quantization(view.in(0), view.out()),
                          "table and output must have one type and quantization");
    default:
      for (std::size_t i = 0; i < view.node.inputs.size(); ++i) {
        if (view.has(i)) require_real(view, view.in(i));
      }
      return require_real(view, view.out());
  }
}

}  // namespace npu::graph
