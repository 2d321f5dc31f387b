// Integer networks (Network::ranges): convolutions and matrix products give int32 sums, the
// operators of kernels/onnx_reference/integer_networks.cpp become elementwise integer arithmetic.
// Products are taken in int32: a range that leaves it is no NPU form.
#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/integer_ranges.h"

namespace npu::onnx_import {
namespace {

using graph::OpKind;
using graph::TensorId;
using std::int64_t;

/// Integer arithmetic on tensors of one node.
class Integers {
 public:
  explicit Integers(Conversion& c) : c_(c) {}

  /// The tensor as int32.
  TensorId widen(TensorId x) {
    if (c_.get(x).type == DType::kInt32) return x;
    return map(MapFunction::kCopy, {x}, c_.get(x).shape);
  }
  TensorId map(MapFunction function, std::vector<TensorId> operands, const Shape& shape,
               double imm0 = 0, double imm1 = 0, DType type = DType::kInt32) {
    graph::Tensor y;
    y.type = type;
    y.shape = shape;
    return c_.add(OpKind::kMap, std::move(operands), graph::MapAttrs{function, imm0, imm1},
                  std::move(y));
  }
  /// f(x, number).
  TensorId by(MapFunction function, TensorId x, int64_t number) {
    return map(function, {x}, c_.get(x).shape, static_cast<double>(number));
  }
  /// f(x, y) of the shape of x.
  TensorId with(MapFunction function, TensorId x, TensorId y) {
    return map(function, {x, y}, c_.get(x).shape);
  }
  TensorId scalar(int64_t number) {
    graph::Tensor t;
    t.type = DType::kInt32;
    t.shape = {1};
    const auto value = static_cast<std::int32_t>(number);
    const auto bytes = std::as_bytes(std::span(&value, 1));
    t.data.assign(bytes.begin(), bytes.end());
    return c_.add_constant(std::move(t));
  }
  /// Rows of the last axis to [.., 1].
  TensorId fold_rows(ReduceFunction function, TensorId x) {
    Shape shape = c_.get(x).shape;
    const int axis = static_cast<int>(shape.size()) - 1;
    shape.back() = 1;
    return reduce(function, x, {axis}, true, shape);
  }
  TensorId reduce(ReduceFunction function, TensorId x, std::vector<int> axes, bool keep,
                  const Shape& shape) {
    graph::Tensor y;
    y.type = DType::kInt32;
    y.shape = shape;
    return c_.add(OpKind::kReduce, {x}, graph::ReduceMapAttrs{function, std::move(axes), keep},
                  std::move(y));
  }
  /// floor(x / number): a shift where it is one, else (x − (x mod number)) / number.
  TensorId floor_divide(TensorId x, int64_t number) {
    if (number == 1) return x;
    if (std::has_single_bit(static_cast<std::uint64_t>(number))) {
      return by(MapFunction::kShiftRight, x, std::countr_zero(static_cast<std::uint64_t>(number)));
    }
    const TensorId rest = by(MapFunction::kMod, x, number);
    return by(MapFunction::kDiv, with(MapFunction::kSub, x, rest), number);
  }
  /// Clamps to the range of the node's result and stores it in its type.
  void clamp_result(TensorId x, Order order) {
    const Range range = c_.range(c_.node().outputs[0]);
    const TensorId y = map(MapFunction::kClip, {x}, c_.get(x).shape, static_cast<double>(range.low),
                           static_cast<double>(range.high), need_storage(range));
    c_.result(0, y, std::move(order));
  }
  static DType need_storage(const Range& range) {
    const auto type = storage_of(range);
    if (!type) not_mapped("{} … {} is beyond int32", range.low, range.high);
    return *type;
  }

 private:
  Conversion& c_;
};

/// An attribute that is a number.
int64_t number(const Conversion& c, std::string_view name) {
  const auto it = c.node().attributes.find(name);
  if (it == c.node().attributes.end()) not_mapped("attribute \"{}\" is missing", name);
  if (const auto* integer = std::get_if<int64_t>(&it->second)) return *integer;
  const auto* value = std::get_if<onnx::Value>(&it->second);
  if (value == nullptr || value->size() != 1) not_mapped("attribute \"{}\" is no number", name);
  return static_cast<int64_t>(to_doubles(*value)[0]);
}
int64_t positive(const Conversion& c, std::string_view name) {
  const int64_t value = number(c, name);
  if (value < 1) not_mapped("attribute \"{}\" is {}", name, value);
  return value;
}

double magnitude(const Range& range) {
  return std::max(std::abs(static_cast<double>(range.low)),
                  std::abs(static_cast<double>(range.high)));
}
void need_int32(double most) {
  if (most > static_cast<double>(std::numeric_limits<std::int32_t>::max())) {
    not_mapped("a value of up to {} is beyond int32", most);
  }
}
double operand_magnitude(Conversion& c, std::size_t i) {
  return magnitude(c.range(c.node().inputs[i]));
}

/// A constant operand as int32 that broadcasts to a tensor of the given order.
TensorId aligned_constant(Conversion& c, std::size_t i, const Order& order) {
  onnx::Value value = c.need_constant(i, "mul or add");
  value.shape.insert(value.shape.begin(), order.size() - std::min(order.size(), value.shape.size()),
                     1);
  if (value.shape.size() != order.size()) not_mapped("operand {} has a higher rank", i);
  return c.add_constant(value, DType::kInt32, order);
}

/// clamp((x·mul + (add + div/2)) >> log2(div)).
void convert_requant_shift(Conversion& c) {
  Integers n(c);
  const Form x = c.operand(0);
  const int64_t div = positive(c, "div");
  need_int32(operand_magnitude(c, 0) * operand_magnitude(c, 1) + operand_magnitude(c, 2) +
             static_cast<double>(div));
  const Shape shape = c.get(x.tensor).shape;
  TensorId y =
      n.map(MapFunction::kMul, {n.widen(x.tensor), aligned_constant(c, 1, x.order)}, shape);
  const Range add = c.range(c.node().inputs[2]);
  if (add.low != 0 || add.high != 0) {
    y = n.map(MapFunction::kAdd, {y, aligned_constant(c, 2, x.order)}, shape);
  }
  if (div > 1) y = n.by(MapFunction::kAdd, y, div / 2);
  n.clamp_result(n.floor_divide(y, div), x.order);
}

void convert_layer_norm(Conversion& c) {
  Integers n(c);
  const TensorId x = n.widen(c.tensor(0));
  const int64_t row = c.shape(0).back();
  const double span = 2 * operand_magnitude(c, 0);
  need_int32(span * span * static_cast<double>(row));
  need_int32(span * operand_magnitude(c, 1) + operand_magnitude(c, 2));
  const TensorId mean = n.floor_divide(n.fold_rows(ReduceFunction::kSum, x), row);
  const TensorId d = n.with(MapFunction::kSub, x, mean);
  const TensorId variance =
      n.by(MapFunction::kDiv, n.fold_rows(ReduceFunction::kSumSquares, d), row);
  const TensorId plus_one = n.by(MapFunction::kAdd, variance, 1);
  const TensorId root = n.map(MapFunction::kIntegerSqrt, {plus_one}, c.get(plus_one).shape);
  const Order order = identity_order(c.shape(0).size());
  TensorId y = n.with(MapFunction::kMul, d, aligned_constant(c, 1, order));
  y = n.with(MapFunction::kDiv, y, root);
  y = n.with(MapFunction::kAdd, y, aligned_constant(c, 2, order));
  n.clamp_result(n.floor_divide(y, positive(c, "D")), order);
}

void convert_rms_norm(Conversion& c) {
  Integers n(c);
  const TensorId x = n.widen(c.tensor(0));
  const int64_t row = c.shape(0).back();
  const double most = operand_magnitude(c, 0);
  need_int32(most * most * static_cast<double>(row));
  need_int32(most * operand_magnitude(c, 1));
  const TensorId square = n.by(MapFunction::kDiv, n.fold_rows(ReduceFunction::kSumSquares, x), row);
  const TensorId plus_one = n.by(MapFunction::kAdd, square, 1);
  const TensorId root = n.map(MapFunction::kIntegerSqrt, {plus_one}, c.get(plus_one).shape);
  const Order order = identity_order(c.shape(0).size());
  TensorId y = n.with(MapFunction::kMul, x, aligned_constant(c, 1, order));
  y = n.with(MapFunction::kDiv, y, root);
  n.clamp_result(n.floor_divide(y, positive(c, "D")), order);
}

/// max − x along the last axis.
TensorId below_maximum(Conversion& c, Integers& n, TensorId x) {
  const TensorId top = n.fold_rows(ReduceFunction::kMax, x);
  return n.map(MapFunction::kSub, {top, x}, c.get(x).shape);
}

void convert_softmax(Conversion& c) {
  Integers n(c);
  const int64_t a = number(c, "coeffA");
  const int64_t b = number(c, "coeffB");
  const int64_t k = number(c, "coeffC");
  const int64_t log2 = positive(c, "log2");
  const int64_t levels = positive(c, "n_levels");
  const auto bound = static_cast<double>(std::abs(b) + log2);
  const double most =
      std::abs(static_cast<double>(a)) * bound * bound + std::abs(static_cast<double>(k));
  need_int32(most * std::max(static_cast<double>(c.shape(0).back()), static_cast<double>(levels)));
  const TensorId t = below_maximum(c, n, n.widen(c.tensor(0)));
  const TensorId z = n.by(MapFunction::kDiv, t, log2);
  TensorId p = n.by(MapFunction::kAdd, n.by(MapFunction::kMul, z, log2), b);
  p = n.with(MapFunction::kSub, p, t);
  TensorId e = n.with(MapFunction::kMul, p, p);
  if (a != 1) e = n.by(MapFunction::kMul, e, a);
  e = n.by(MapFunction::kAdd, e, k);
  e = n.with(MapFunction::kShiftRight, e, z);
  const TensorId sum = n.fold_rows(ReduceFunction::kSum, e);
  const TensorId y = n.with(MapFunction::kDiv, n.by(MapFunction::kMul, e, levels - 1), sum);
  n.clamp_result(y, identity_order(c.shape(0).size()));
}

void convert_ita_max(Conversion& c) {
  Integers n(c);
  const TensorId t = below_maximum(c, n, n.widen(c.tensor(0)));
  const TensorId k = n.by(MapFunction::kShiftRight, n.by(MapFunction::kAdd, t, 16), 5);
  const TensorId powers = n.map(MapFunction::kShiftRight, {n.scalar(256), k}, c.get(k).shape);
  const TensorId sum = n.fold_rows(ReduceFunction::kSum, powers);
  const TensorId inverse = n.map(MapFunction::kDiv, {n.scalar(255 * 256), sum}, c.get(sum).shape);
  const TensorId y = n.map(MapFunction::kShiftRight, {inverse, k}, c.get(k).shape);
  n.clamp_result(y, identity_order(c.shape(0).size()));
}

/// The result of arithmetic in int32, in the type of its range.
void set_result(Conversion& c, Integers& n, TensorId y, const Order& order) {
  if (Integers::need_storage(c.range(c.node().outputs[0])) == DType::kInt32) {
    return c.result(0, y, order);
  }
  n.clamp_result(y, order);
}

void convert_gelu(Conversion& c) {
  Integers n(c);
  const int64_t b = number(c, "b");
  const int64_t one = number(c, "one");
  const Form form = c.operand(0);
  const TensorId x = n.widen(form.tensor);
  const Shape shape = c.get(x).shape;
  const TensorId size = n.map(MapFunction::kAbs, {x}, shape);
  const TensorId d = n.by(MapFunction::kAdd, n.by(MapFunction::kMin, size, -b), b);
  const TensorId square = n.with(MapFunction::kMul, d, d);
  const TensorId l = n.map(MapFunction::kSub, {n.scalar(one), square}, shape);
  const TensorId erf = n.with(MapFunction::kMul, l, n.map(MapFunction::kSign, {x}, shape));
  const TensorId half = n.by(MapFunction::kShiftRight, n.by(MapFunction::kAdd, erf, one), 1);
  set_result(c, n, n.with(MapFunction::kMul, half, x), form.order);
}

void convert_hard_swish(Conversion& c) {
  Integers n(c);
  const Form form = c.operand(0);
  const TensorId x = n.widen(form.tensor);
  const TensorId shifted = n.by(MapFunction::kAdd, x, number(c, "three"));
  const TensorId clipped = n.map(MapFunction::kClip, {shifted}, c.get(x).shape, 0,
                                 static_cast<double>(positive(c, "six")));
  const TensorId y = n.by(MapFunction::kMul, x, number(c, "one_over_six"));
  set_result(c, n, n.with(MapFunction::kMul, y, clipped), form.order);
}

void convert_true_division(Conversion& c) {
  Integers n(c);
  if (c.has(1)) not_mapped("a second operand");
  const int64_t eta = positive(c, "eta");
  const int64_t factor = number(c, "Delta") * eta / (positive(c, "y") * eta + positive(c, "eps"));
  const Form x = c.operand(0);
  set_result(c, n, n.by(MapFunction::kMul, n.widen(x.tensor), factor), x.order);
}

void convert_mean(Conversion& c) {
  Integers n(c);
  const auto rank = static_cast<int64_t>(c.shape(0).size());
  std::vector<int> axes;
  int64_t count = 1;
  for (const int64_t axis : c.attributes().integers("axes", {})) {
    axes.push_back(static_cast<int>(onnx::resolve_axis(axis, rank)));
    count *= c.shape(0)[static_cast<std::size_t>(axes.back())];
  }
  if (axes.empty()) not_mapped("a mean without axes");
  std::sort(axes.begin(), axes.end());
  need_int32(2 * operand_magnitude(c, 0) * static_cast<double>(count) +
             2 * static_cast<double>(count));
  const bool keep = c.attributes().integer("keepdims", 1) != 0;
  const Shape shape = c.out(0).shape;
  if (shape.empty()) not_mapped("a mean of everything");
  TensorId y = n.reduce(ReduceFunction::kSum, n.widen(c.tensor(0)), axes, keep, shape);
  y = n.by(MapFunction::kAdd, n.by(MapFunction::kMul, y, 2), count);
  n.clamp_result(n.floor_divide(y, 2 * count), identity_order(shape.size()));
}

void convert_binary(Conversion& c, MapFunction function) {
  Integers n(c);
  const std::size_t rank = c.out(0).shape.size();
  // Operands of one rank stay as they lie; others are brought into ONNX's order.
  const Form first = c.operand(c.constant(0) != nullptr ? 1 : 0);
  const bool keeps = first.order.size() == rank;
  const Order order = keeps ? first.order : identity_order(rank);
  std::vector<TensorId> operands;
  for (std::size_t i = 0; i < 2; ++i) {
    if (c.constant(i) != nullptr) {
      operands.push_back(aligned_constant(c, i, order));
    } else if (c.shape(i).size() == rank) {
      operands.push_back(n.widen(c.tensor(i, order)));
    } else if (order == identity_order(rank)) {
      operands.push_back(n.widen(c.tensor(i)));
    } else {
      not_mapped("operands of ranks {} and {}", c.shape(0).size(), c.shape(1).size());
    }
  }
  const TensorId y = n.map(function, operands, permuted(c.out(0).shape, order));
  set_result(c, n, y, order);
}
void convert_add(Conversion& c) { convert_binary(c, MapFunction::kAdd); }
void convert_mul(Conversion& c) { convert_binary(c, MapFunction::kMul); }

constexpr auto kConverters = std::to_array<Converter>({
    {kIntegerDomain, "Add", convert_add},
    {kIntegerDomain, "ITAMax", convert_ita_max},
    {kIntegerDomain, "IntegerMean", convert_mean},
    {kIntegerDomain, "Mul", convert_mul},
    {kIntegerDomain, "RequantShift", convert_requant_shift},
    {kIntegerDomain, "TrueIntegerDiv", convert_true_division},
    {kIntegerDomain, "iGELU", convert_gelu},
    {kIntegerDomain, "iHardswish", convert_hard_swish},
    {kIntegerDomain, "iLayerNorm", convert_layer_norm},
    {kIntegerDomain, "iRMSNorm", convert_rms_norm},
    {kIntegerDomain, "iSoftmax", convert_softmax},
});

}  // namespace

std::span<const Converter> integer_converters() { return kConverters; }

}  // namespace npu::onnx_import
