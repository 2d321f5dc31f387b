// Operators of integer networks as PULP's tools (QuantLib, Deeploy) write them into ONNX files.
// Their tensors hold whole numbers, whatever their type says. The definitions are those that
// reproduce the golden tensors of Deeploy's tests (pulp-platform/Deeploy, DeeployTest); all
// divisions by constants round towards minus infinity unless said otherwise.
#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

using std::int64_t;

constexpr double kExact = 9007199254740992.0;  ///< Up to 2^53 doubles hold every whole number.

/// The elements as whole numbers.
std::vector<int64_t> whole(const Value& value) {
  std::vector<int64_t> out;
  for (const double e : to_doubles(value)) {
    if (!(std::abs(e) <= kExact) || e != std::floor(e)) fail("{} is not a whole number", e);
    out.push_back(static_cast<int64_t>(e));
  }
  return out;
}

Value stored(const Value& like, Shape shape, const std::vector<int64_t>& elements) {
  if (is_integer(like.type)) return from_integers(like.type, std::move(shape), elements);
  const std::vector<double> real(elements.begin(), elements.end());
  return from_doubles(like.type, std::move(shape), real);
}

int64_t floor_div(int64_t a, int64_t b) {
  const int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}

int64_t integer_root(int64_t v) {
  if (v <= 0) return 0;
  auto r = static_cast<int64_t>(std::sqrt(static_cast<double>(v)));
  while (r * r > v) --r;
  while ((r + 1) * (r + 1) <= v) ++r;
  return r;
}

/// An attribute that is a number: an integer, a float or a tensor of one element.
int64_t number(const Call& call, std::string_view name) {
  if (!call.has_attribute(name)) fail("attribute \"{}\" is missing", name);
  try {
    return call.integer(name, 0);
  } catch (const Error&) {
    const std::vector<int64_t> elements = whole(call.tensor(name));
    if (elements.size() != 1) fail("attribute \"{}\" must be one number", name);
    return elements[0];
  }
}
int64_t positive(const Call& call, std::string_view name) {
  const int64_t value = number(call, name);
  if (value < 1) fail("attribute \"{}\" must be at least 1, got {}", name, value);
  return value;
}

int64_t multiply(int64_t a, int64_t b) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) fail("a product leaves 64 bits");
  return product;
}

struct Range {
  int64_t low, high;
};
/// n levels: 0 … n−1, or −n/2 … n/2−1.
Range levels(int64_t n, bool is_signed) {
  return is_signed ? Range{-(n / 2), n / 2 - 1} : Range{0, n - 1};
}

/// clamp(floor((x·mul + add + div/2) / div)).
void run_requant_shift(Call& call) {
  const Value& x = call.in(0);
  const Shape shape = broadcast({&x.shape, &call.in(1).shape, &call.in(2).shape});
  if (shape != x.shape) fail("mul and add must broadcast to {}", to_string(x.shape));
  const int64_t div = positive(call, "div");
  const Range range = levels(positive(call, "n_levels_out"), number(call, "signed") != 0);
  const std::vector<int64_t> mul = whole(call.in(1));
  const std::vector<int64_t> add = whole(call.in(2));
  const auto mul_at = broadcast_indices(call.in(1).shape, shape);
  const auto add_at = broadcast_indices(call.in(2).shape, shape);
  std::vector<int64_t> y = whole(x);
  for (std::size_t i = 0; i < y.size(); ++i) {
    const int64_t v = multiply(y[i], mul[static_cast<std::size_t>(mul_at[i])]) +
                      add[static_cast<std::size_t>(add_at[i])] + div / 2;
    y[i] = std::clamp(floor_div(v, div), range.low, range.high);
  }
  call.set(0, stored(x, shape, y));
}

/// Calls f on each line of the last axis.
template <typename F>
void for_each_row(Call& call, F f) {
  const Value& x = call.in(0);
  if (x.shape.empty() || x.shape.back() == 0) fail("needs a last axis, got {}", to_string(x.shape));
  std::vector<int64_t> elements = whole(x);
  const auto row = static_cast<std::size_t>(x.shape.back());
  for (std::size_t at = 0; at < elements.size(); at += row) f(std::span(elements).subspan(at, row));
  call.set(0, stored(x, x.shape, elements));
}

/// One operand per element of a row.
std::vector<int64_t> per_element(const Call& call, std::size_t index) {
  std::vector<int64_t> values = whole(call.in(index));
  if (std::ssize(values) != call.in(0).shape.back()) {
    fail("operand {} has {} elements, a row {}", index, values.size(), call.in(0).shape.back());
  }
  return values;
}

int64_t mean_square(std::span<const int64_t> row) {
  int64_t sum = 0;
  for (const int64_t e : row) sum += multiply(e, e);
  return sum / std::ssize(row);
}

/// d = x − floor(mean); clamp(floor((d·weight / root(mean of d² + 1) + bias) / D)), the inner
/// division towards zero.
void run_layer_norm(Call& call) {
  const std::vector<int64_t> weight = per_element(call, 1);
  const std::vector<int64_t> bias = per_element(call, 2);
  const int64_t divisor = positive(call, "D");
  const Range range = levels(positive(call, "n_levels"), true);
  for_each_row(call, [&](std::span<int64_t> row) {
    int64_t sum = 0;
    for (const int64_t e : row) sum += e;
    const int64_t mean = floor_div(sum, std::ssize(row));
    for (int64_t& e : row) e -= mean;
    const int64_t root = integer_root(mean_square(row) + 1);
    for (std::size_t i = 0; i < row.size(); ++i) {
      const int64_t v = multiply(row[i], weight[i]) / root + bias[i];
      row[i] = std::clamp(floor_div(v, divisor), range.low, range.high);
    }
  });
}

/// clamp(floor((x·weight / root(mean of x² + 1)) / D)), the inner division towards zero.
void run_rms_norm(Call& call) {
  const std::vector<int64_t> weight = per_element(call, 1);
  const int64_t divisor = positive(call, "D");
  const Range range = levels(positive(call, "n_levels"), true);
  for_each_row(call, [&](std::span<int64_t> row) {
    const int64_t root = integer_root(mean_square(row) + 1);
    for (std::size_t i = 0; i < row.size(); ++i) {
      row[i] =
          std::clamp(floor_div(multiply(row[i], weight[i]) / root, divisor), range.low, range.high);
    }
  });
}

int64_t largest(std::span<const int64_t> row) { return *std::max_element(row.begin(), row.end()); }

/// I-BERT's: exp by a polynomial on (−log2, 0] and a shift; e·(n − 1) / sum of e.
void run_softmax(Call& call) {
  const int64_t a = number(call, "coeffA");
  const int64_t b = number(call, "coeffB");
  const int64_t c = number(call, "coeffC");
  const int64_t log2 = positive(call, "log2");
  const int64_t n = positive(call, "n_levels");
  for_each_row(call, [&](std::span<int64_t> row) {
    const int64_t top = largest(row);
    int64_t sum = 0;
    for (int64_t& e : row) {
      const int64_t z = (top - e) / log2;
      const int64_t p = e - top + z * log2 + b;
      e = z < 63 ? (multiply(a, multiply(p, p)) + c) >> z : 0;
      sum += e;
    }
    if (sum == 0) fail("a row whose exponentials are all 0");
    for (int64_t& e : row) e = floor_div(multiply(e, n - 1), sum);
  });
}

/// ITA's softmax over 8 bits: powers of two of (max − x) / 32, rounded; 255·256 / sum, shifted.
void run_ita_max(Call& call) {
  if (positive(call, "n_levels") != 256) fail("n_levels must be 256");
  for_each_row(call, [&](std::span<int64_t> row) {
    const int64_t top = largest(row);
    int64_t sum = 0;
    for (int64_t& e : row) {
      e = std::min<int64_t>((top - e + 16) >> 5, 62);
      sum += 256 >> e;
    }
    const int64_t inverse = 255 * 256 / std::max<int64_t>(sum, 256);  // The largest gives 256.
    for (int64_t& e : row) e = inverse >> e;
  });
}

template <typename F>
void for_each_element(Call& call, F f) {
  std::vector<int64_t> elements = whole(call.in(0));
  for (int64_t& e : elements) e = f(e);
  call.set(0, stored(call.in(0), call.in(0).shape, elements));
}

/// I-BERT's: x · floor((one + sign(x)·(one − (min(|x|, −b) + b)²)) / 2).
void run_gelu(Call& call) {
  const int64_t b = number(call, "b");
  const int64_t one = number(call, "one");
  for_each_element(call, [&](int64_t x) {
    const int64_t sign = x > 0 ? 1 : x < 0 ? -1 : 0;
    const int64_t d = std::min(std::abs(x), -b) + b;
    return multiply(x, (one + sign * (one - multiply(d, d))) >> 1);
  });
}

/// x · one_over_six · clamp(x + three, 0, six).
void run_hard_swish(Call& call) {
  const int64_t sixth = number(call, "one_over_six");
  const int64_t three = number(call, "three");
  const int64_t six = positive(call, "six");
  for_each_element(call, [&](int64_t x) {
    return multiply(multiply(x, sixth), std::clamp<int64_t>(x + three, 0, six));
  });
}

/// x · floor(Delta·eta / (y·eta + eps)) with the attribute y.
void run_true_division(Call& call) {
  if (call.has(1)) fail("a second operand is not supported");
  const int64_t eta = positive(call, "eta");
  const int64_t factor = multiply(number(call, "Delta"), eta) /
                         (multiply(positive(call, "y"), eta) + positive(call, "eps"));
  for_each_element(call, [&](int64_t x) { return multiply(x, factor); });
}

/// floor(mean over the axes + 1/2).
void run_mean(Call& call) {
  const Value& x = call.in(0);
  std::vector<bool> reduced(x.shape.size(), !call.has_attribute("axes"));
  for (const int64_t axis : call.integers("axes", {})) reduced[resolve_axis(axis, x.rank())] = true;
  const bool keep = call.integer("keepdims", 1) != 0;
  Shape kept(x.shape.size(), 1);
  Shape shape;
  int64_t count = 1;
  for (std::size_t d = 0; d < reduced.size(); ++d) {
    if (reduced[d]) count *= x.shape[d];
    if (!reduced[d]) kept[d] = x.shape[d];
    if (!reduced[d] || keep) shape.push_back(kept[d]);
  }
  if (count == 0) fail("a mean of nothing");
  std::vector<int64_t> sums(static_cast<std::size_t>(element_count(kept)));
  const std::vector<int64_t> elements = whole(x);
  const auto to = broadcast_indices(kept, x.shape);
  for (std::size_t i = 0; i < elements.size(); ++i) {
    sums[static_cast<std::size_t>(to[i])] += elements[i];
  }
  for (int64_t& sum : sums) sum = floor_div(2 * sum + count, 2 * count);
  call.set(0, stored(x, shape, sums));
}

constexpr auto kOperators = std::to_array<Operator>({
    {"ITAMax", 1, 1, "n_levels", run_ita_max},
    {"IntegerMean", 1, 1, "axes keepdims", run_mean},
    {"RequantShift", 3, 3, "div n_levels_out signed", run_requant_shift},
    {"TrueIntegerDiv", 1, 2, "Delta eps eta y", run_true_division},
    {"iGELU", 1, 1, "b one", run_gelu},
    {"iHardswish", 1, 1, "one_over_six three six", run_hard_swish},
    {"iLayerNorm", 3, 3, "D n_levels", run_layer_norm},
    {"iRMSNorm", 2, 2, "D n_levels", run_rms_norm},
    {"iSoftmax", 1, 1, "coeffA coeffB coeffC log2 n_levels", run_softmax},
});

}  // namespace

std::span<const Operator> integer_network_operators() { return kOperators; }

}  // namespace npu::onnx
