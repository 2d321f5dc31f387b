#include "sim/base/fixed_point.h"

#include <algorithm>
#include <array>

#include "sim/base/error.h"

namespace npu {
namespace {

constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();

std::int32_t wrap(std::int64_t x) { return static_cast<std::int32_t>(x); }
std::int32_t add(std::int32_t a, std::int32_t b) { return wrap(std::int64_t{a} + b); }
std::int32_t subtract(std::int32_t a, std::int32_t b) { return wrap(std::int64_t{a} - b); }

/// 2 / (1 + a) for a in Q0.31, a ≥ 0, as Q2.29: Newton-Raphson on the halved denominator, three
/// steps.
std::int32_t two_over_one_plus(std::int32_t a) {
  constexpr std::int32_t k48Over17 = 1515870810;
  constexpr std::int32_t kMinus32Over17 = -1010580540;
  constexpr std::int32_t kOne = 1 << 29;
  const std::int32_t half = wrap((std::int64_t{a} + kMax + 1) / 2);
  std::int32_t x = add(k48Over17, high_multiply(half, kMinus32Over17));
  for (int step = 0; step < 3; ++step) {
    const std::int32_t error = subtract(kOne, high_multiply(half, x));
    x = add(x, saturating_shift_left(high_multiply(x, error), 2));
  }
  return x;
}

/// −|a| without overflow.
std::int32_t negative_magnitude(std::int32_t a) { return a > 0 ? -a : a; }

}  // namespace

FixedMultiplier quantize_multiplier(double real) {
  NPU_CHECK(real >= 0 && std::isfinite(real), "a multiplier is finite and not negative");
  if (real == 0) return {};
  int shift = 0;
  const double fraction = std::frexp(real, &shift);
  auto multiplier = static_cast<std::int64_t>(std::llround(fraction * 2147483648.0));
  if (multiplier == std::int64_t{1} << 31) {
    multiplier /= 2;
    ++shift;
  }
  if (shift < -31) return {};
  return {static_cast<std::int32_t>(multiplier), shift};
}

float float_scale(FixedMultiplier m) {
  return static_cast<float>(
      std::ldexp(static_cast<double>(m.multiplier), std::clamp(m.shift, -31, 31) - 31));
}

std::int32_t rescale(std::int32_t x, FixedMultiplier m, Rounding rounding) {
  const int shift = std::clamp(m.shift, -31, 31);
  switch (rounding) {
    case Rounding::kTfliteDouble:
      return rescale_double(x, m.multiplier, std::max(shift, 0), std::max(-shift, 0));
    case Rounding::kTfliteSingle:
      return rescale_single(x, m.multiplier, 31 - std::min(shift, 30));
    case Rounding::kFloatRne:
      return rescale_float(x, float_scale(m));
  }
  NPU_CHECK(false, "unknown rounding");
  return 0;
}

std::int32_t saturating_shift_left(std::int32_t x, int count) {
  const std::int64_t shifted = std::int64_t{x} * (std::int64_t{1} << count);
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(shifted, kMin, kMax));
}

std::int32_t exp_on_negative(std::int32_t a, int integer_bits) {
  NPU_CHECK(integer_bits >= 0 && integer_bits <= 5, "0 to 5 integer bits");
  if (a == 0) return kMax;
  const int fraction_bits = 31 - integer_bits;
  const std::int32_t quarter = 1 << (fraction_bits - 2);
  // a = r − (whole quarters): r in [−1/4, 0) goes through a Taylor polynomial around −1/8.
  const std::int32_t r = (a & (quarter - 1)) - quarter;
  constexpr std::int32_t kOneThird = 715827883;
  constexpr std::int32_t kExpOfMinusEighth = 1895147668;
  const std::int32_t t = saturating_shift_left(r, integer_bits) + (1 << 28);
  const std::int32_t t2 = high_multiply(t, t);
  const std::int32_t t3 = high_multiply(t2, t);
  const std::int32_t t4 = high_multiply(t2, t2);
  const std::int32_t cubic = add(rounding_shift_right(t4, 2), t3);
  const std::int32_t p = rounding_shift_right(add(high_multiply(cubic, kOneThird), t2), 1);
  std::int32_t v = add(kExpOfMinusEighth, high_multiply(kExpOfMinusEighth, add(t, p)));
  // exp(−2^j), j = −2 … 4, as Q0.31: one factor per bit of the whole quarters.
  constexpr std::array<std::int32_t, 7> kExpOfMinusPower = {
      1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  const std::int32_t quarters = subtract(r, a);
  for (int bit = 0; bit < integer_bits + 2; ++bit) {
    if ((quarters >> (fraction_bits - 2 + bit) & 1) != 0) {
      v = high_multiply(v, kExpOfMinusPower[static_cast<std::size_t>(bit)]);
    }
  }
  return v;
}

std::int32_t one_over_one_plus(std::int32_t a) {
  return saturating_shift_left(two_over_one_plus(a), 1);
}

std::int32_t logistic_q4(std::int32_t a) {
  if (a == 0) return 1 << 30;
  const std::int32_t p = one_over_one_plus(exp_on_negative(negative_magnitude(a), 4));
  return a > 0 ? p : kMax - p;
}

std::int32_t tanh_q4(std::int32_t a) {
  if (a == 0) return 0;
  // The same bits read as Q5.26 are 2a, and (1 − e) / (1 + e) = 2 / (1 + e) − 1 with e =
  // exp(−2|a|).
  const std::int32_t e = exp_on_negative(negative_magnitude(a), 5);
  const std::int32_t u = saturating_shift_left(subtract(two_over_one_plus(e), 1 << 29), 2);
  return a < 0 ? -u : u;
}

}  // namespace npu
