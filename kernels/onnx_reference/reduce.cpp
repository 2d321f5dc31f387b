// Reductions over axes, arg-max and -min, cumulative sums and products.
#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

/// Which dimensions go, and the shapes with them kept as 1 and left out.
struct Reduction {
  std::vector<bool> is_reduced;
  Shape kept, out;
  bool is_none = false;  ///< noop_with_empty_axes: the operand passes.
};

Reduction reduction_of(const Call& call, const Shape& shape) {
  Reduction r;
  std::vector<std::int64_t> axes = call.integers("axes", {});
  if (call.has(1)) axes = integer_list(call.in(1));
  const bool keep = call.integer("keepdims", 1) != 0;
  r.is_none = axes.empty() && call.integer("noop_with_empty_axes", 0) != 0;
  r.is_reduced.assign(shape.size(), axes.empty());
  for (const std::int64_t axis : axes) {
    r.is_reduced[resolve_axis(axis, static_cast<std::int64_t>(shape.size()))] = true;
  }
  for (std::size_t i = 0; i < shape.size(); ++i) {
    r.kept.push_back(r.is_reduced[i] ? 1 : shape[i]);
    if (!r.is_reduced[i] || keep) r.out.push_back(r.kept.back());
  }
  return r;
}

/// Groups the operand's elements by result and hands each group to `f`.
template <typename T, typename F>
std::vector<T> reduce(const std::vector<T>& elements, const Shape& shape, const Reduction& r, F f) {
  const auto to = broadcast_indices(r.kept, shape);
  std::vector<std::vector<T>> groups(static_cast<std::size_t>(element_count(r.kept)));
  for (std::size_t i = 0; i < to.size(); ++i) {
    groups[static_cast<std::size_t>(to[i])].push_back(elements[i]);
  }
  std::vector<T> out;
  out.reserve(groups.size());
  for (const std::vector<T>& group : groups) out.push_back(f(group));
  return out;
}

using Doubles = std::vector<double>;
using Integers = std::vector<std::int64_t>;

template <typename F, typename G>
void run_reduction(Call& call, F f, G g) {
  const Value& x = call.in(0);
  const Reduction r = reduction_of(call, x.shape);
  if (is_float(x.type)) {
    const Doubles elements = to_doubles(x);
    Doubles out = r.is_none ? Doubles() : reduce(elements, x.shape, r, f);
    if (r.is_none) {
      for (const double e : elements) out.push_back(f({e}));
    }
    call.set(0, from_doubles(x.type, r.is_none ? x.shape : r.out, out));
  } else {
    const Integers elements = to_integers(x);
    Integers out = r.is_none ? Integers() : reduce(elements, x.shape, r, g);
    if (r.is_none) {
      for (const std::int64_t e : elements) out.push_back(g({e}));
    }
    call.set(0, from_integers(x.type, r.is_none ? x.shape : r.out, out));
  }
}

template <typename T>
T sum_of(const std::vector<T>& v) {
  T sum = 0;
  for (const T e : v) sum += e;
  return sum;
}

/// Integers by way of double, as the reference evaluator's float functions do.
std::int64_t by_double(const Integers& v, double (*f)(const Doubles&)) {
  return static_cast<std::int64_t>(f(Doubles(v.begin(), v.end())));
}

double l1_of(const Doubles& v) {
  double sum = 0;
  for (const double e : v) sum += std::fabs(e);
  return sum;
}
double square_sum_of(const Doubles& v) {
  double sum = 0;
  for (const double e : v) sum += e * e;
  return sum;
}
double l2_of(const Doubles& v) { return std::sqrt(square_sum_of(v)); }
double log_sum_of(const Doubles& v) { return std::log(sum_of(v)); }
double log_sum_exp_of(const Doubles& v) {
  double top = -std::numeric_limits<double>::infinity();
  for (const double e : v) top = std::max(top, e);
  if (std::isinf(top)) return top;
  double sum = 0;
  for (const double e : v) sum += std::exp(e - top);
  return top + std::log(sum);
}
double mean_of(const Doubles& v) { return sum_of(v) / static_cast<double>(v.size()); }
double product_of(const Doubles& v) {
  double p = 1;
  for (const double e : v) p *= e;
  return p;
}
double sum_of_doubles(const Doubles& v) { return sum_of(v); }

template <double (*F)(const Doubles&)>
void run_by_double(Call& call) {
  run_reduction(call, F, [](const Integers& v) { return by_double(v, F); });
}

template <typename Compare>
void run_extreme(Call& call, double none, Compare before) {
  const ElementType type = call.in(0).type;
  const std::int64_t integer_none = before(1.0, 0.0) ? lowest_of(type) : highest_of(type);
  run_reduction(
      call,
      [&](const Doubles& v) {
        double best = none;
        for (const double e : v) best = std::isnan(e) || before(e, best) ? e : best;
        return best;
      },
      [&](const Integers& v) {
        std::int64_t best = integer_none;
        for (const std::int64_t e : v) best = before(e, best) ? e : best;
        return best;
      });
}

void run_max(Call& call) {
  run_extreme(call, -std::numeric_limits<double>::infinity(), std::greater<>());
}
void run_min(Call& call) {
  run_extreme(call, std::numeric_limits<double>::infinity(), std::less<>());
}

template <typename Compare>
void run_arg(Call& call, Compare before) {
  const Value& x = call.in(0);
  const std::size_t axis = resolve_axis(call.integer("axis", 0), x.rank());
  const bool keep = call.integer("keepdims", 1) != 0;
  const bool last = call.integer("select_last_index", 0) != 0;
  const Doubles v = to_doubles(x);
  const std::int64_t outer = product(x.shape, 0, axis);
  const std::int64_t count = x.shape[axis];
  const std::int64_t inner = product(x.shape, axis + 1, x.shape.size());
  if (count == 0) fail("an empty axis has no extreme");
  Shape shape = x.shape;
  shape[axis] = 1;
  if (!keep) shape.erase(shape.begin() + static_cast<std::ptrdiff_t>(axis));
  Integers out;
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      const auto at = [&](std::int64_t k) {
        return v[static_cast<std::size_t>((o * count + k) * inner + i)];
      };
      std::int64_t best = 0;
      for (std::int64_t k = 1; k < count; ++k) {
        if (before(at(k), at(best)) || (last && at(k) == at(best))) best = k;
      }
      out.push_back(best);
    }
  }
  call.set(0, from_integers(ElementType::kInt64, std::move(shape), out));
}

void run_arg_max(Call& call) { run_arg(call, std::greater<>()); }
void run_arg_min(Call& call) { run_arg(call, std::less<>()); }

/// Running sum or product along an axis.
template <typename T, typename F>
void scan(std::vector<T>& v, const Shape& shape, std::size_t axis, bool exclusive, bool reverse,
          T neutral, F f) {
  const std::int64_t outer = product(shape, 0, axis);
  const std::int64_t count = shape[axis];
  const std::int64_t inner = product(shape, axis + 1, shape.size());
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t i = 0; i < inner; ++i) {
      T running = neutral;
      for (std::int64_t n = 0; n < count; ++n) {
        const std::int64_t k = reverse ? count - 1 - n : n;
        T& element = v[static_cast<std::size_t>((o * count + k) * inner + i)];
        const T next = f(running, element);
        element = exclusive ? running : next;
        running = next;
      }
    }
  }
}

template <bool kIsProduct>
void run_cumulative(Call& call) {
  const Value& x = call.in(0);
  const std::vector<std::int64_t> axes = integer_list(call.in(1));
  if (axes.size() != 1) fail("expected one axis, got {}", axes.size());
  const std::size_t axis = resolve_axis(axes[0], x.rank());
  const bool exclusive = call.integer("exclusive", 0) != 0;
  const bool reverse = call.integer("reverse", 0) != 0;
  const auto step = [](auto a, auto b) { return kIsProduct ? a * b : a + b; };
  if (is_float(x.type)) {
    Doubles v = to_doubles(x);
    scan<double>(v, x.shape, axis, exclusive, reverse, kIsProduct ? 1 : 0, step);
    call.set(0, from_doubles(x.type, x.shape, v));
  } else {
    Integers v = to_integers(x);
    scan<std::int64_t>(v, x.shape, axis, exclusive, reverse, kIsProduct ? 1 : 0, step);
    call.set(0, from_integers(x.type, x.shape, v));
  }
}

void run_sum(Call& call) {
  run_reduction(call, sum_of_doubles, [](const Integers& v) { return sum_of(v); });
}

void run_product(Call& call) {
  run_reduction(call, product_of, [](const Integers& v) {
    std::uint64_t p = 1;
    for (const std::int64_t e : v) p *= static_cast<std::uint64_t>(e);
    return static_cast<std::int64_t>(p);
  });
}

constexpr std::string_view kReduce = "axes keepdims noop_with_empty_axes";

constexpr Operator kOperators[] = {
    {"ArgMax", 1, 1, "axis keepdims select_last_index", run_arg_max},
    {"ArgMin", 1, 1, "axis keepdims select_last_index", run_arg_min},
    {"CumProd", 2, 2, "exclusive reverse", run_cumulative<true>},
    {"CumSum", 2, 2, "exclusive reverse", run_cumulative<false>},
    {"ReduceL1", 1, 2, kReduce, run_by_double<l1_of>},
    {"ReduceL2", 1, 2, kReduce, run_by_double<l2_of>},
    {"ReduceLogSum", 1, 2, kReduce, run_by_double<log_sum_of>},
    {"ReduceLogSumExp", 1, 2, kReduce, run_by_double<log_sum_exp_of>},
    {"ReduceMax", 1, 2, kReduce, run_max},
    {"ReduceMean", 1, 2, kReduce, run_by_double<mean_of>},
    {"ReduceMin", 1, 2, kReduce, run_min},
    {"ReduceProd", 1, 2, kReduce, run_product},
    {"ReduceSum", 1, 2, kReduce, run_sum},
    {"ReduceSumSquare", 1, 2, kReduce, run_by_double<square_sum_of>},
};

}  // namespace

std::span<const Operator> reduce_operators() { return kOperators; }

}  // namespace npu::onnx
