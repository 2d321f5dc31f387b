#include "kernels/reference/arithmetic.h"

#include <array>
#include <cmath>

#include "sim/base/error.h"

namespace npu::reference {

Multiplier to_multiplier(double real) {
  if (!std::isfinite(real) || real < 0.0 || real >= 1073741824.0) {
    fail("ratio of scales must be at least 0 and below 2^30, got {}", real);
  }
  if (real == 0.0) return {};
  int shift = 0;
  const double fraction = std::frexp(real, &shift);
  auto value = static_cast<std::int64_t>(std::round(fraction * 2147483648.0));
  if (value == std::int64_t{1} << 31) {
    value /= 2;
    ++shift;
  }
  if (shift < -31) return {};
  return {static_cast<std::int32_t>(value), shift};
}

std::int32_t shift_left_saturating(std::int32_t x, int count) {
  const std::int64_t wide = static_cast<std::int64_t>(x) * (std::int64_t{1} << count);
  if (wide > INT32_MAX) return INT32_MAX;
  if (wide < INT32_MIN) return INT32_MIN;
  return static_cast<std::int32_t>(wide);
}

std::int32_t rescale_wide(std::int64_t x, Multiplier m) {
  NPU_CHECK(m.shift <= 14, "shift of a 64-bit rescale");
  const std::int64_t reduced = m.value < 0x7FFF0000 ? (m.value + (1 << 15)) >> 16 : 0x7FFF;
  const int total = 15 - m.shift;
  const auto product = static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(reduced);
  const auto rounded = static_cast<std::int64_t>(product + (std::uint64_t{1} << (total - 1)));
  return static_cast<std::int32_t>(rounded >> total);
}

std::int32_t exp_of_negative(std::int32_t a, int integer_bits) {
  NPU_CHECK(a <= 0 && integer_bits >= 0 && integer_bits <= 5, "domain of the exponential");
  if (a == 0) return INT32_MAX;
  const int fraction_bits = 31 - integer_bits;
  const std::int32_t quarter = 1 << (fraction_bits - 2);
  // a = remainder − (whole quarters), remainder in [−1/4, 0).
  const std::int32_t remainder = (a & (quarter - 1)) - quarter;

  // exp(remainder): a polynomial of degree 4 around −1/8.
  constexpr std::int32_t kExpOfMinusEighth = 1895147668;
  constexpr std::int32_t kOneThird = 715827883;
  const std::int32_t t = shift_left_saturating(remainder, integer_bits) + (1 << 28);
  const std::int32_t t2 = high_multiply(t, t);
  const std::int32_t t3 = high_multiply(t2, t);
  const std::int32_t t4 = high_multiply(t2, t2);
  const std::int32_t tail = round_shift(high_multiply(round_shift(t4, 2) + t3, kOneThird) + t2, 1);
  std::int32_t value = kExpOfMinusEighth + high_multiply(kExpOfMinusEighth, t + tail);

  // exp(−2^j) in Q0.31 for j = −2 … 4: one factor per bit of the whole quarters.
  constexpr std::array<std::int32_t, 7> kFactors = {1672461947, 1302514674, 790015084, 290630308,
                                                    39332535,   720401,     242};
  const std::int64_t quarters = static_cast<std::int64_t>(remainder) - a;
  for (int bit = 0; bit < integer_bits + 2; ++bit) {
    if (((quarters >> (fraction_bits - 2 + bit)) & 1) != 0) {
      value = high_multiply(value, kFactors[static_cast<std::size_t>(bit)]);
    }
  }
  return value;
}

namespace {

/// 2 / (1 + a) in Q2.29 for a ≥ 0 in Q0.31: three Newton–Raphson steps from 48/17 − 32/17·h.
std::int32_t two_over_one_plus(std::int32_t a) {
  const auto half = static_cast<std::int32_t>((static_cast<std::int64_t>(a) + INT32_MAX + 1) / 2);
  std::int32_t x = 1515870810 + high_multiply(half, -1010580540);
  for (int step = 0; step < 3; ++step) {
    const std::int32_t error = (1 << 29) - high_multiply(half, x);
    x += shift_left_saturating(high_multiply(x, error), 2);
  }
  return x;
}

}  // namespace

std::int32_t reciprocal_of_one_plus(std::int32_t a) {
  return shift_left_saturating(two_over_one_plus(a), 1);
}

std::int32_t fixed_logistic(std::int32_t a) {
  if (a == 0) return 1 << 30;
  const std::int32_t p = reciprocal_of_one_plus(exp_of_negative(a > 0 ? -a : a, 4));
  return a > 0 ? p : INT32_MAX - p;
}

std::int32_t fixed_tanh(std::int32_t a) {
  if (a == 0) return 0;
  // The raw bits of Q4.27 read as Q5.26 are 2a: tanh(a) = (1 − exp(−2a)) / (1 + exp(−2a)).
  const std::int32_t e = exp_of_negative(a > 0 ? -a : a, 5);
  const std::int32_t magnitude = shift_left_saturating(two_over_one_plus(e) - (1 << 29), 2);
  return a > 0 ? magnitude : -magnitude;
}

}  // namespace npu::reference
