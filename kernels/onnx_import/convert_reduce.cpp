// Reductions, positions of extremes, running sums, the largest k.
#include <algorithm>
#include <limits>
#include <numeric>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/tensors.h"

namespace npu::onnx_import {
namespace {

using enum MapFunction;
using graph::TensorId;
using onnx::ElementType;

/// Axes of a reduction in ONNX's order; empty: nothing is reduced.
std::vector<std::size_t> axes_of(const Conversion& c) {
  const auto rank = static_cast<std::int64_t>(c.shape(0).size());
  std::vector<std::int64_t> axes =
      c.has(1) ? c.need_integers(1, "axes") : c.attributes().integers("axes", {});
  if (axes.empty() && c.attributes().integer("noop_with_empty_axes", 0) == 0) {
    axes.resize(c.shape(0).size());
    std::iota(axes.begin(), axes.end(), std::int64_t{0});
  }
  std::vector<std::size_t> resolved;
  for (const std::int64_t axis : axes) resolved.push_back(onnx::resolve_axis(axis, rank));
  std::sort(resolved.begin(), resolved.end());
  resolved.erase(std::unique(resolved.begin(), resolved.end()), resolved.end());
  return resolved;
}

std::int64_t count_of(const Conversion& c, const std::vector<std::size_t>& axes) {
  std::int64_t count = 1;
  for (const std::size_t axis : axes) count *= c.shape(0)[axis];
  return count;
}

/// Sets the output from a tensor in the operand's layout that keeps reduced dimensions as 1.
void set_reduced(Conversion& c, TensorId y, const Order& order) {
  if (c.out(0).shape.size() == order.size()) return c.result(0, y, order);
  // The dimensions that are dropped are 1: only the others' order counts.
  Order inverse(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    inverse[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  }
  c.result(0, c.reshape(c.transpose(y, inverse), tensor_shape(c.out(0).shape)));
}

/// What a reduction is made of: a map before, the fold, a map after.
struct Recipe {
  MapFunction before = kCopy;  ///< kCopy: none.
  ReduceFunction fold = ReduceFunction::kSum;
  MapFunction after = kCopy;
  bool divides = false;  ///< By the number of elements.
  bool needs_float = false;
};

void convert_by(Conversion& c, const Recipe& recipe) {
  if (c.in(0).type == ElementType::kInt64) not_mapped("int64 has no NPU type");
  const Form x = c.operand(0);
  const DType type = c.get(x.tensor).type;
  if (recipe.needs_float && !is_float(type)) {
    not_mapped("{} {}", name_of(type), c.node().op_type);
  }
  const std::vector<std::size_t> axes = axes_of(c);
  TensorId y = x.tensor;
  if (recipe.before != kCopy) y = c.map(recipe.before, {y}, type);
  if (axes.empty()) {
    if (recipe.fold == ReduceFunction::kSumSquares) y = c.map(kMul, {y, y}, type);
  } else {
    std::vector<int> places;
    for (const std::size_t axis : axes) places.push_back(place_of(x.order, axis));
    y = c.reduce(recipe.fold, y, std::move(places));
  }
  if (recipe.divides) y = c.map(kDiv, {y}, type, static_cast<double>(count_of(c, axes)));
  if (recipe.after != kCopy) y = c.map(recipe.after, {y}, type);
  set_reduced(c, y, x.order);
}

void convert_sum(Conversion& c) { convert_by(c, {}); }
void convert_max(Conversion& c) { convert_by(c, {.fold = ReduceFunction::kMax}); }
void convert_min(Conversion& c) { convert_by(c, {.fold = ReduceFunction::kMin}); }
void convert_product(Conversion& c) { convert_by(c, {.fold = ReduceFunction::kProduct}); }
void convert_mean(Conversion& c) { convert_by(c, {.divides = true, .needs_float = true}); }
void convert_l1(Conversion& c) { convert_by(c, {.before = kAbs}); }
void convert_l2(Conversion& c) {
  convert_by(c, {.fold = ReduceFunction::kSumSquares, .after = kSqrt, .needs_float = true});
}
void convert_sum_square(Conversion& c) { convert_by(c, {.fold = ReduceFunction::kSumSquares}); }
void convert_log_sum(Conversion& c) { convert_by(c, {.after = kLog, .needs_float = true}); }

/// log Σ e^x = m + log Σ e^(x − m), m = max x.
void convert_log_sum_exp(Conversion& c) {
  const Form x = c.operand(0);
  const DType type = c.get(x.tensor).type;
  if (!is_float(type)) not_mapped("{} ReduceLogSumExp", name_of(type));
  std::vector<int> places;
  for (const std::size_t axis : axes_of(c)) places.push_back(place_of(x.order, axis));
  if (places.empty()) return c.result(0, x.tensor, x.order);
  const TensorId top = c.reduce(ReduceFunction::kMax, x.tensor, places);
  const TensorId powers = c.map(kExp, {c.map(kSub, {x.tensor, top}, type)}, type);
  const TensorId sum = c.reduce(ReduceFunction::kSum, powers, places);
  set_reduced(c, c.map(kAdd, {c.map(kLog, {sum}, type), top}, type), x.order);
}

template <ReduceFunction function>
void convert_arg(Conversion& c) {
  if (c.attributes().integer("select_last_index", 0) != 0) not_mapped("the last of equals");
  const Form x = c.operand(0);
  const auto rank = static_cast<std::int64_t>(c.shape(0).size());
  const std::size_t axis = onnx::resolve_axis(c.attributes().integer("axis", 0), rank);
  set_reduced(c, c.reduce(function, x.tensor, {place_of(x.order, axis)}), x.order);
}

/// The tensor moved by `distance` along an axis, zeros where nothing came.
TensorId shifted(Conversion& c, TensorId x, std::size_t axis, std::int64_t distance,
                 bool backwards) {
  Shape begin(c.get(x).shape.size(), 0);
  Shape sizes = c.get(x).shape;
  sizes[axis] -= distance;
  if (backwards) begin[axis] = distance;
  const TensorId kept = c.slice(x, std::move(begin), std::move(sizes));
  graph::PadAttrs pad{Shape(c.get(x).shape.size(), 0), Shape(c.get(x).shape.size(), 0), 0};
  (backwards ? pad.after : pad.before)[axis] = distance;
  return c.add(graph::OpKind::kPad, {kept}, std::move(pad), c.like(x));
}

/// Sums over 1, 2, 4, … neighbours.
void convert_cumulative_sum(Conversion& c) {
  if (c.in(0).type == ElementType::kInt64) not_mapped("int64 has no NPU type");
  const Form x = c.operand(0);
  const auto rank = static_cast<std::int64_t>(c.shape(0).size());
  const auto axis = onnx::resolve_axis(c.need_integers(1, "axis").at(0), rank);
  const auto place = static_cast<std::size_t>(place_of(x.order, axis));
  const std::int64_t length = c.shape(0)[axis];
  const bool backwards = c.attributes().integer("reverse", 0) != 0;
  const DType type = c.get(x.tensor).type;
  TensorId y = x.tensor;
  if (c.attributes().integer("exclusive", 0) != 0) {
    if (length == 1) return c.result(0, c.map(kMul, {y}, type, 0), x.order);
    y = shifted(c, y, place, 1, backwards);
  }
  for (std::int64_t step = 1; step < length; step *= 2) {
    y = c.map(kAdd, {y, shifted(c, y, place, step, backwards)}, type);
  }
  c.result(0, y, x.order);
}

/// Positions along an axis as a constant that broadcasts.
TensorId positions(Conversion& c, std::size_t rank, std::size_t place, std::int64_t length) {
  Shape shape(rank, 1);
  shape[place] = length;
  std::vector<std::int64_t> elements(static_cast<std::size_t>(length));
  std::iota(elements.begin(), elements.end(), std::int64_t{0});
  return c.add_constant(onnx::from_integers(ElementType::kInt32, shape, elements), DType::kInt32,
                        identity_order(rank));
}

/// The largest, found and then taken out, k times.
void convert_top_k(Conversion& c) {
  constexpr std::int64_t kMost = 16;
  const Form x = c.operand(0);
  const DType type = c.get(x.tensor).type;
  if (!is_float(type)) not_mapped("{} TopK", name_of(type));
  const auto rank = c.shape(0).size();
  const auto axis =
      onnx::resolve_axis(c.attributes().integer("axis", -1), static_cast<std::int64_t>(rank));
  const std::int64_t k = c.out(0).shape[axis];
  if (k > kMost) not_mapped("k = {} is above {}", k, kMost);
  const bool largest = c.attributes().integer("largest", 1) != 0;
  const int place = place_of(x.order, axis);
  const auto at = static_cast<std::size_t>(place);
  const TensorId all = positions(c, rank, at, c.shape(0)[axis]);
  const double worst =
      largest ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  std::vector<TensorId> values;
  std::vector<TensorId> indices;
  TensorId left = x.tensor;
  for (std::int64_t i = 0; i < k; ++i) {
    values.push_back(
        c.reduce(largest ? ReduceFunction::kMax : ReduceFunction::kMin, left, {place}));
    indices.push_back(
        c.reduce(largest ? ReduceFunction::kArgMax : ReduceFunction::kArgMin, left, {place}));
    if (i + 1 == k) break;
    const TensorId found = c.map(kEqual, {all, indices.back()}, DType::kBool);
    left = c.map(kSelect, {found, c.scalar(worst, type), left}, type);
  }
  c.result(0, c.concatenate(values, place), x.order);
  c.result(1, c.concatenate(indices, place), x.order);
}

constexpr auto kConverters = std::to_array<Converter>({
    {"", "ArgMax", convert_arg<ReduceFunction::kArgMax>},
    {"", "ArgMin", convert_arg<ReduceFunction::kArgMin>},
    {"", "CumSum", convert_cumulative_sum},
    {"", "ReduceL1", convert_l1},
    {"", "ReduceL2", convert_l2},
    {"", "ReduceLogSum", convert_log_sum},
    {"", "ReduceLogSumExp", convert_log_sum_exp},
    {"", "ReduceMax", convert_max},
    {"", "ReduceMean", convert_mean},
    {"", "ReduceMin", convert_min},
    {"", "ReduceProd", convert_product},
    {"", "ReduceSum", convert_sum},
    {"", "ReduceSumSquare", convert_sum_square},
    {"", "TopK", convert_top_k},
});

}  // namespace

std::span<const Converter> reduce_converters() { return kConverters; }

}  // namespace npu::onnx_import
