#include "sim/base/fixed_point.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <stdexcept>

namespace npu {
namespace {

constexpr std::int32_t kMax = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t kMin = std::numeric_limits<std::int32_t>::min();
constexpr std::int32_t kHalf = 1 << 30;  // 0.5 in Q0.31

TEST(HighMultiply, TiesGoTowardPlusInfinity) {
  EXPECT_EQ(high_multiply(1, kHalf), 1);    // 0.5
  EXPECT_EQ(high_multiply(-1, kHalf), 0);   // -0.5
  EXPECT_EQ(high_multiply(3, kHalf), 2);    // 1.5
  EXPECT_EQ(high_multiply(-3, kHalf), -1);  // -1.5
  EXPECT_EQ(high_multiply(1, kHalf - 1), 0);
}

TEST(HighMultiply, OnlyLowestTimesLowestSaturates) {
  EXPECT_EQ(high_multiply(kMin, kMin), kMax);
  EXPECT_EQ(high_multiply(kMin, kMin + 1), kMax);  // 2^31 - 1 without saturation
  EXPECT_EQ(high_multiply(kMin, kMax), -kMax);
  EXPECT_EQ(high_multiply(kMax, kMax), kMax - 1);
}

TEST(RoundingShiftRight, TiesGoAwayFromZero) {
  EXPECT_EQ(rounding_shift_right(1, 1), 1);
  EXPECT_EQ(rounding_shift_right(-1, 1), -1);
  EXPECT_EQ(rounding_shift_right(-3, 1), -2);
  EXPECT_EQ(rounding_shift_right(5, 2), 1);
  EXPECT_EQ(rounding_shift_right(6, 2), 2);
  EXPECT_EQ(rounding_shift_right(-5, 2), -1);
  EXPECT_EQ(rounding_shift_right(-6, 2), -2);
  EXPECT_EQ(rounding_shift_right(-7, 0), -7);
  EXPECT_EQ(rounding_shift_right(kMin, 31), -1);
  EXPECT_EQ(rounding_shift_right(kMax, 31), 1);
  EXPECT_EQ(rounding_shift_right(kHalf, 31), 1);
  EXPECT_EQ(rounding_shift_right(kHalf - 1, 31), 0);
}

TEST(QuantizeMultiplier, SplitsAtPowersOfTwo) {
  const FixedMultiplier half = quantize_multiplier(0.5);
  EXPECT_EQ(half.multiplier, kHalf);
  EXPECT_EQ(half.shift, 0);
  const FixedMultiplier one = quantize_multiplier(1.0);
  EXPECT_EQ(one.multiplier, kHalf);
  EXPECT_EQ(one.shift, 1);
  const FixedMultiplier below_one =
      quantize_multiplier(std::nextafter(1.0, 0.0));  // rounds up to 2^31
  EXPECT_EQ(below_one.multiplier, kHalf);
  EXPECT_EQ(below_one.shift, 1);
  const FixedMultiplier zero = quantize_multiplier(0.0);
  EXPECT_EQ(zero.multiplier, 0);
  EXPECT_EQ(zero.shift, 0);
}

TEST(QuantizeMultiplier, UnderflowsBelowShiftMinus31) {
  EXPECT_EQ(quantize_multiplier(std::ldexp(0.5, -31)).shift, -31);
  EXPECT_EQ(quantize_multiplier(std::ldexp(0.5, -31)).multiplier, kHalf);
  EXPECT_EQ(quantize_multiplier(std::ldexp(0.5, -32)).multiplier, 0);
  EXPECT_EQ(quantize_multiplier(std::ldexp(0.5, -32)).shift, 0);
}

TEST(QuantizeMultiplier, RefusesNegativeAndInfinite) {
  EXPECT_THROW((void)quantize_multiplier(-1.0), std::logic_error);
  EXPECT_THROW((void)quantize_multiplier(std::numeric_limits<double>::infinity()),
               std::logic_error);
}

TEST(Rescale, TheThreeRoundingsDifferOnTies) {
  const FixedMultiplier quarter = quantize_multiplier(0.25);  // shift -1
  // -6/4 = -1.5; double: -3 after the multiply, then away from zero.
  EXPECT_EQ(rescale(-6, quarter, Rounding::kTfliteDouble), -2);
  EXPECT_EQ(rescale(-6, quarter, Rounding::kTfliteSingle), -1);
  EXPECT_EQ(rescale(-6, quarter, Rounding::kFloatRne), -2);
  EXPECT_EQ(rescale(10, quarter, Rounding::kTfliteDouble), 3);
  EXPECT_EQ(rescale(10, quarter, Rounding::kTfliteSingle), 3);
  EXPECT_EQ(rescale(10, quarter, Rounding::kFloatRne), 2);
  // 5/4 = 1.25 is 2.5 after the first rounding of double: 3, then 1.5: 2.
  EXPECT_EQ(rescale(5, quarter, Rounding::kTfliteDouble), 2);
  EXPECT_EQ(rescale(5, quarter, Rounding::kTfliteSingle), 1);
  EXPECT_EQ(rescale(5, quarter, Rounding::kFloatRne), 1);
}

TEST(Rescale, LeftShiftsAndExtremes) {
  const FixedMultiplier three = quantize_multiplier(3.0);
  EXPECT_EQ(three.shift, 2);
  for (const Rounding r : {Rounding::kTfliteDouble, Rounding::kTfliteSingle, Rounding::kFloatRne}) {
    EXPECT_EQ(rescale(7, three, r), 21);
    EXPECT_EQ(rescale(-7, three, r), -21);
    EXPECT_EQ(rescale(123, {0, 0}, r), 0);
  }
  EXPECT_EQ(rescale(kMin, {kHalf, 0}, Rounding::kTfliteDouble), kMin / 2);
  EXPECT_EQ(rescale(kMin, {kHalf, 0}, Rounding::kTfliteSingle), kMin / 2);
  EXPECT_EQ(rescale(kMin, {kHalf, 2}, Rounding::kFloatRne), kMin);  // saturates
  EXPECT_EQ(rescale(kMax, {kHalf, 2}, Rounding::kFloatRne), kMax);
  EXPECT_EQ(rescale(kHalf, {kHalf, 2}, Rounding::kTfliteDouble),
            0);  // 2^32 wraps before the multiply
}

TEST(Rescale, ShiftsBeyondTheRangeActAsTheNearest) {
  for (const Rounding r : {Rounding::kTfliteDouble, Rounding::kTfliteSingle, Rounding::kFloatRne}) {
    EXPECT_EQ(rescale(kMax, {kMax, -40}, r), rescale(kMax, {kMax, -31}, r));
    EXPECT_EQ(rescale(3, {kHalf, 1000}, r), rescale(3, {kHalf, 31}, r));
  }
  EXPECT_EQ(rescale_wide(5, {kHalf, 99}), rescale_wide(5, {kHalf, 14}));
}

/// Shares of differing results: 0.39 % double against single, 0.013 % single against float32.
/// Source: quant_semantics.yaml, measured_disagreement.
TEST(Rescale, RoundingsDisagreeAsOftenAsMeasuredElsewhere) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::int32_t> x(-(1 << 20), 1 << 20);
  std::uniform_int_distribution<std::int32_t> q31(kHalf, kMax);
  std::uniform_int_distribution<int> shift(-12, -5);
  constexpr int kCases = 400000;
  int double_single = 0;
  int single_float = 0;
  for (int i = 0; i < kCases; ++i) {
    const std::int32_t v = x(random);
    const FixedMultiplier m{q31(random), shift(random)};
    const std::int32_t d = rescale(v, m, Rounding::kTfliteDouble);
    const std::int32_t s = rescale(v, m, Rounding::kTfliteSingle);
    const std::int32_t f = rescale(v, m, Rounding::kFloatRne);
    ASSERT_LE(std::abs(d - s), 1);
    ASSERT_LE(std::abs(s - f), 1);
    double_single += d != s ? 1 : 0;
    single_float += s != f ? 1 : 0;
  }
  EXPECT_NEAR(double_single / double{kCases}, 0.0039, 0.0004);
  EXPECT_NEAR(single_float / double{kCases}, 0.00013, 0.00008);
}

TEST(RescaleWide, ReducesTheMultiplierToSixteenBits) {
  const FixedMultiplier half{kHalf, 0};  // reduced 0x4000
  EXPECT_EQ(rescale_wide(3, half), 2);   // 1.5, ties toward +inf
  EXPECT_EQ(rescale_wide(-3, half), -1);
  EXPECT_EQ(rescale_wide(std::int64_t{1} << 40, {kHalf, -20}), 1 << 19);
  EXPECT_EQ(rescale_wide(1 << 15, {0x7FFF0000, 0}), 0x7FFF);
  EXPECT_EQ(rescale_wide(1 << 15, {0x7FFEFFFF, 0}), 0x7FFF);  // (0x7FFEFFFF + 2^15) >> 16
  EXPECT_EQ(rescale_wide(1 << 15, {kMax, 0}), 0x7FFF);        // not 0x8000
}

double q31_to_real(std::int32_t raw) { return raw / 2147483648.0; }

TEST(ExpOnNegative, FollowsTheRealFunctionForEveryFormat) {
  for (int bits = 0; bits <= 5; ++bits) {
    EXPECT_EQ(exp_on_negative(0, bits), kMax);
    std::mt19937 random(static_cast<unsigned>(bits));
    std::uniform_int_distribution<std::int32_t> a(kMin, -1);
    for (int i = 0; i < 20000; ++i) {
      const std::int32_t raw = a(random);
      const double real = std::ldexp(static_cast<double>(raw), bits - 31);
      EXPECT_NEAR(q31_to_real(exp_on_negative(raw, bits)), std::exp(real), 3e-7)
          << bits << " " << raw;
    }
    EXPECT_NEAR(q31_to_real(exp_on_negative(kMin, bits)), std::exp(-std::ldexp(1.0, bits)), 3e-7);
  }
  EXPECT_THROW((void)exp_on_negative(-1, 6), std::logic_error);
}

TEST(OneOverOnePlus, FollowsTheRealFunction) {
  std::mt19937 random(3);
  std::uniform_int_distribution<std::int32_t> a(0, kMax);
  for (int i = 0; i < 20000; ++i) {
    const std::int32_t raw = a(random);
    EXPECT_NEAR(q31_to_real(one_over_one_plus(raw)), 1 / (1 + q31_to_real(raw)), 1e-8) << raw;
  }
  EXPECT_GE(one_over_one_plus(0), kMax - 16);
}

TEST(LogisticAndTanh, FollowTheRealFunctionsAndTheirSymmetry) {
  EXPECT_EQ(logistic_q4(0), kHalf);
  EXPECT_EQ(tanh_q4(0), 0);
  std::mt19937 random(4);
  std::uniform_int_distribution<std::int32_t> a(1, kMax);
  for (int i = 0; i < 20000; ++i) {
    const std::int32_t raw = a(random);
    const double real = std::ldexp(static_cast<double>(raw), -27);
    EXPECT_NEAR(q31_to_real(logistic_q4(raw)), 1 / (1 + std::exp(-real)), 1e-6) << raw;
    EXPECT_NEAR(q31_to_real(tanh_q4(raw)), std::tanh(real), 1e-6) << raw;
    EXPECT_EQ(logistic_q4(-raw), kMax - logistic_q4(raw));
    EXPECT_EQ(tanh_q4(-raw), -tanh_q4(raw));
  }
  EXPECT_EQ(tanh_q4(kMin), tanh_q4(-kMax));  // INT32_MIN has no negative
  EXPECT_LE(logistic_q4(kMin), 300);
}

TEST(SaturatingShiftLeft, SaturatesBothWays) {
  EXPECT_EQ(saturating_shift_left(1 << 29, 1), 1 << 30);
  EXPECT_EQ(saturating_shift_left(1 << 29, 2), kMax);
  EXPECT_EQ(saturating_shift_left(-(1 << 29), 2), kMin);
  EXPECT_EQ(saturating_shift_left(-(1 << 29) - 1, 2), kMin);
  EXPECT_EQ(saturating_shift_left(-1, 31), kMin);
}

}  // namespace
}  // namespace npu
