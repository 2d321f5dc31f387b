// Elementwise operators of several tensors, with broadcasting.
#include <cmath>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

/// out[i] = f(a, b) over the broadcast shape, elements as T.
template <typename T, typename Out, typename F>
std::vector<Out> zip(const std::vector<T>& a, const Shape& a_shape, const std::vector<T>& b,
                     const Shape& b_shape, const Shape& shape, F f) {
  const auto at_a = broadcast_indices(a_shape, shape);
  const auto at_b = broadcast_indices(b_shape, shape);
  std::vector<Out> out(at_a.size());
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = f(a[static_cast<std::size_t>(at_a[i])], b[static_cast<std::size_t>(at_b[i])]);
  }
  return out;
}

/// f on doubles for float types, g on integers (modulo the type's width).
template <typename F, typename G>
Value arithmetic(const Value& a, const Value& b, F f, G g) {
  same_type(a, b);
  Shape shape = broadcast({&a.shape, &b.shape});
  if (is_float(a.type)) {
    const auto out = zip<double, double>(to_doubles(a), a.shape, to_doubles(b), b.shape, shape, f);
    return from_doubles(a.type, std::move(shape), out);
  }
  const auto out =
      zip<std::int64_t, std::int64_t>(to_integers(a), a.shape, to_integers(b), b.shape, shape, g);
  return from_integers(a.type, std::move(shape), out);
}

template <typename F>
void integer_operator(Call& call, F f) {
  const Value& a = call.in(0);
  const Value& b = call.in(1);
  same_type(a, b);
  Shape shape = broadcast({&a.shape, &b.shape});
  const auto out =
      zip<std::int64_t, std::int64_t>(to_integers(a), a.shape, to_integers(b), b.shape, shape, f);
  call.set(0, from_integers(a.type, std::move(shape), out));
}

/// Unsigned 64-bit integers compare and divide as such.
bool is_uint64(const Value& v) { return v.type == ElementType::kUint64; }
std::uint64_t u(std::int64_t x) { return static_cast<std::uint64_t>(x); }
std::int64_t s(std::uint64_t x) { return static_cast<std::int64_t>(x); }

void run_add(Call& call) {
  call.set(0, arithmetic(call.in(0), call.in(1), std::plus<>(),
                         [](std::int64_t a, std::int64_t b) { return s(u(a) + u(b)); }));
}
void run_sub(Call& call) {
  call.set(0, arithmetic(call.in(0), call.in(1), std::minus<>(),
                         [](std::int64_t a, std::int64_t b) { return s(u(a) - u(b)); }));
}
void run_mul(Call& call) {
  call.set(0, arithmetic(call.in(0), call.in(1), std::multiplies<>(),
                         [](std::int64_t a, std::int64_t b) { return s(u(a) * u(b)); }));
}

std::int64_t divide(std::int64_t a, std::int64_t b, bool is_unsigned) {
  if (b == 0) fail("integer division by zero");
  if (is_unsigned) return s(u(a) / u(b));
  return b == -1 ? s(-u(a)) : a / b;
}

void run_div(Call& call) {
  const bool is_unsigned = is_uint64(call.in(0));
  call.set(0,
           arithmetic(call.in(0), call.in(1), std::divides<>(),
                      [=](std::int64_t a, std::int64_t b) { return divide(a, b, is_unsigned); }));
}

void run_mod(Call& call) {
  const bool is_fmod = call.integer("fmod", 0) != 0;
  const bool is_unsigned = is_uint64(call.in(0));
  if (is_float(call.in(0).type) && !is_fmod) fail("float operands need fmod = 1");
  call.set(0, arithmetic(
                  call.in(0), call.in(1), [](double a, double b) { return std::fmod(a, b); },
                  [=](std::int64_t a, std::int64_t b) {
                    if (b == 0) fail("integer division by zero");
                    if (is_unsigned) return s(u(a) % u(b));
                    const std::int64_t r = b == -1 ? 0 : a % b;
                    // fmod takes the dividend's sign, otherwise the divisor's.
                    return !is_fmod && r != 0 && (r < 0) != (b < 0) ? r + b : r;
                  }));
}

/// base^exponent modulo 2^64.
std::int64_t power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  std::uint64_t result = 1;
  std::uint64_t factor = u(base);
  for (std::uint64_t left = u(exponent); left != 0; left >>= 1U) {
    if ((left & 1U) != 0) result *= factor;
    factor *= factor;
  }
  return s(result);
}

void run_pow(Call& call) {
  const Value& a = call.in(0);
  const Value& b = call.in(1);
  Shape shape = broadcast({&a.shape, &b.shape});
  if (is_integer(a.type) && is_integer(b.type)) {
    const auto out = zip<std::int64_t, std::int64_t>(to_integers(a), a.shape, to_integers(b),
                                                     b.shape, shape, power);
    call.set(0, from_integers(a.type, std::move(shape), out));
    return;
  }
  const auto out = zip<double, double>(to_doubles(a), a.shape, to_doubles(b), b.shape, shape,
                                       [](double x, double y) { return std::pow(x, y); });
  call.set(0, from_doubles(a.type, std::move(shape), out));
}

/// PRelu's slope broadcasts to x only.
void run_prelu(Call& call) {
  call.set(0, arithmetic(
                  call.in(0), call.in(1), [](double x, double k) { return x < 0 ? k * x : x; },
                  [](std::int64_t x, std::int64_t k) { return x < 0 ? k * x : x; }));
}

enum class Relation : std::uint8_t { kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual };

template <Relation R, typename T>
bool holds(T a, T b) {
  switch (R) {
    case Relation::kEqual:
      return a == b;
    case Relation::kLess:
      return a < b;
    case Relation::kLessOrEqual:
      return a <= b;
    case Relation::kGreater:
      return a > b;
    case Relation::kGreaterOrEqual:
      return a >= b;
  }
  return false;
}

template <Relation R>
void run_compare(Call& call) {
  const Value& a = call.in(0);
  const Value& b = call.in(1);
  same_type(a, b);
  Shape shape = broadcast({&a.shape, &b.shape});
  std::vector<std::int64_t> out;
  if (is_float(a.type)) {
    out = zip<double, std::int64_t>(to_doubles(a), a.shape, to_doubles(b), b.shape, shape,
                                    holds<R, double>);
  } else if (is_uint64(a)) {
    out = zip<std::int64_t, std::int64_t>(
        to_integers(a), a.shape, to_integers(b), b.shape, shape,
        [](std::int64_t x, std::int64_t y) { return holds<R>(u(x), u(y)); });
  } else {
    out = zip<std::int64_t, std::int64_t>(to_integers(a), a.shape, to_integers(b), b.shape, shape,
                                          holds<R, std::int64_t>);
  }
  call.set(0, from_integers(ElementType::kBool, std::move(shape), out));
}

void run_and(Call& call) {
  integer_operator(call, [](std::int64_t a, std::int64_t b) { return a & b; });
}
void run_or(Call& call) {
  integer_operator(call, [](std::int64_t a, std::int64_t b) { return a | b; });
}
void run_xor(Call& call) {
  integer_operator(call, [](std::int64_t a, std::int64_t b) { return a ^ b; });
}

void run_bit_shift(Call& call) {
  const std::string direction = call.text("direction", "");
  if (direction != "LEFT" && direction != "RIGHT") fail("direction: expected LEFT or RIGHT");
  if (is_signed(call.in(0).type)) fail("expected unsigned integers");
  const bool left = direction == "LEFT";
  integer_operator(call, [=](std::int64_t a, std::int64_t b) {
    if (b < 0 || b >= 64) return std::int64_t{0};
    return left ? s(u(a) << b) : s(u(a) >> b);
  });
}

/// Folds all operands by f or g.
template <typename F, typename G>
Value fold(const Call& call, F f, G g) {
  Value result = call.in(0);
  for (std::size_t i = 1; i < call.input_count(); ++i)
    result = arithmetic(result, call.in(i), f, g);
  return result;
}

double larger(double a, double b) { return std::isnan(a) || a > b ? a : b; }
double smaller(double a, double b) { return std::isnan(a) || a < b ? a : b; }

void run_max(Call& call) {
  const bool is_unsigned = is_uint64(call.in(0));
  call.set(0, fold(call, larger, [=](std::int64_t a, std::int64_t b) {
             return (is_unsigned ? u(a) > u(b) : a > b) ? a : b;
           }));
}

void run_min(Call& call) {
  const bool is_unsigned = is_uint64(call.in(0));
  call.set(0, fold(call, smaller, [=](std::int64_t a, std::int64_t b) {
             return (is_unsigned ? u(a) < u(b) : a < b) ? a : b;
           }));
}

std::int64_t no_integers(std::int64_t /*a*/, std::int64_t /*b*/) { fail("expected a float type"); }

void run_sum(Call& call) { call.set(0, fold(call, std::plus<>(), no_integers)); }

void run_mean(Call& call) {
  Value sum = fold(call, std::plus<>(), no_integers);
  std::vector<double> elements = to_doubles(sum);
  for (double& e : elements) e /= static_cast<double>(call.input_count());
  call.set(0, from_doubles(sum.type, sum.shape, elements));
}

void run_where(Call& call) {
  const Value& condition = call.in(0);
  const Value& a = call.in(1);
  const Value& b = call.in(2);
  if (condition.type != ElementType::kBool) fail("the condition is no bool");
  same_type(a, b);
  Shape shape = broadcast({&condition.shape, &a.shape, &b.shape});
  const auto at_c = broadcast_indices(condition.shape, shape);
  const auto at_a = broadcast_indices(a.shape, shape);
  const auto at_b = broadcast_indices(b.shape, shape);
  const auto width = static_cast<std::size_t>(bytes_of(a.type));
  Value out = Value::zeros(a.type, std::move(shape));
  for (std::size_t i = 0; i < at_c.size(); ++i) {
    const bool first = condition.bytes[static_cast<std::size_t>(at_c[i])] != std::byte{0};
    const Value& from = first ? a : b;
    const auto index = static_cast<std::size_t>(first ? at_a[i] : at_b[i]);
    std::memcpy(out.bytes.data() + i * width, from.bytes.data() + index * width, width);
  }
  call.set(0, std::move(out));
}

constexpr Operator kOperators[] = {
    {"Add", 2, 2, "", run_add},
    {"And", 2, 2, "", run_and},
    {"BitShift", 2, 2, "direction", run_bit_shift},
    {"BitwiseAnd", 2, 2, "", run_and},
    {"BitwiseOr", 2, 2, "", run_or},
    {"BitwiseXor", 2, 2, "", run_xor},
    {"Div", 2, 2, "", run_div},
    {"Equal", 2, 2, "", run_compare<Relation::kEqual>},
    {"Greater", 2, 2, "", run_compare<Relation::kGreater>},
    {"GreaterOrEqual", 2, 2, "", run_compare<Relation::kGreaterOrEqual>},
    {"Less", 2, 2, "", run_compare<Relation::kLess>},
    {"LessOrEqual", 2, 2, "", run_compare<Relation::kLessOrEqual>},
    {"Max", 1, kMany, "", run_max},
    {"Mean", 1, kMany, "", run_mean},
    {"Min", 1, kMany, "", run_min},
    {"Mod", 2, 2, "fmod", run_mod},
    {"Mul", 2, 2, "", run_mul},
    {"Or", 2, 2, "", run_or},
    {"PRelu", 2, 2, "", run_prelu},
    {"Pow", 2, 2, "", run_pow},
    {"Sub", 2, 2, "", run_sub},
    {"Sum", 1, kMany, "", run_sum},
    {"Where", 3, 3, "", run_where},
    {"Xor", 2, 2, "", run_xor},
};

}  // namespace

std::span<const Operator> binary_operators() { return kOperators; }

}  // namespace npu::onnx
