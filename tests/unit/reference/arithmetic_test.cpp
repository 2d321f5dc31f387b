#include "kernels/reference/arithmetic.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "sim/base/error.h"

namespace npu::reference {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

TEST(Multiplier, SplitsARatioIntoMantissaAndPowerOfTwo) {
  EXPECT_EQ(to_multiplier(1.0), (Multiplier{1 << 30, 1}));
  EXPECT_EQ(to_multiplier(0.5), (Multiplier{1 << 30, 0}));
  EXPECT_EQ(to_multiplier(0.75), (Multiplier{3 << 29, 0}));
  EXPECT_EQ(to_multiplier(0.0), (Multiplier{0, 0}));
}

TEST(Multiplier, AMantissaThatRoundsUpToOneMovesTheShift) {
  EXPECT_EQ(to_multiplier(1.0 - 0x1p-40), (Multiplier{1 << 30, 1}));
}

TEST(Multiplier, TheSmallestRatioIsTwoToMinus32) {
  EXPECT_EQ(to_multiplier(0x1p-32), (Multiplier{1 << 30, -31}));
  EXPECT_EQ(to_multiplier(0x1.ffp-34), (Multiplier{0, 0}));
}

TEST(Multiplier, RefusesWhatIsNotARatio) {
  for (const double bad : {-0.5, 0x1p30, std::nan(""), HUGE_VAL}) {
    EXPECT_THAT([&] { (void)to_multiplier(bad); },
                ThrowsMessage<Error>(HasSubstr("ratio of scales must be at least 0")));
  }
  EXPECT_EQ(to_multiplier(0x1.fffp29).shift, 30);
}

TEST(HighMultiply, TiesGoTowardPlusInfinity) {
  EXPECT_EQ(high_multiply(1, 1 << 30), 1);    // 0.5
  EXPECT_EQ(high_multiply(-1, 1 << 30), 0);   // −0.5
  EXPECT_EQ(high_multiply(3, 1 << 30), 2);    // 1.5
  EXPECT_EQ(high_multiply(-3, 1 << 30), -1);  // −1.5
}

TEST(HighMultiply, SaturatesItsOnlyOverflow) {
  EXPECT_EQ(high_multiply(INT32_MIN, INT32_MIN), INT32_MAX);
  EXPECT_EQ(high_multiply(INT32_MIN, INT32_MAX), -INT32_MAX);
}

TEST(RoundShift, TiesGoAwayFromZero) {
  EXPECT_EQ(round_shift(1, 1), 1);
  EXPECT_EQ(round_shift(-1, 1), -1);
  EXPECT_EQ(round_shift(-3, 1), -2);
  EXPECT_EQ(round_shift(-1, 2), 0);
  EXPECT_EQ(round_shift(7, 0), 7);
  EXPECT_EQ(round_shift(INT32_MIN, 31), -1);
  EXPECT_EQ(round_shift(INT32_MAX, 31), 1);
}

TEST(Rescale, RoundsTwice) {
  // 3 · 0.1875 = 0.5625. To the nearest half first: 3 · 0.375 · 2 = 1.125 -> 1; then 1 / 2 -> 1
  // (away from zero).
  EXPECT_EQ(rescale(3, to_multiplier(0.1875)), 1);
  // 5 · 0.0625 = 0.3125 becomes 5 · 0.5 = 2.5 -> 3, then 3 / 8 = 0.375 -> 0.
  EXPECT_EQ(rescale(5, to_multiplier(0.0625)), 0);
  // 7 · 0.0625 = 0.4375 becomes 3.5 -> 4, then 4 / 8 = 0.5 -> 1: a single rounding would give 0.
  EXPECT_EQ(rescale(7, to_multiplier(0.0625)), 1);
}

TEST(Rescale, ARatioOfOneIsTheIdentity) {
  for (const std::int32_t x : {-1000003, -128, -1, 0, 1, 127, 99999}) {
    EXPECT_EQ(rescale(x, to_multiplier(1.0)), x);
  }
}

TEST(RescaleWide, RoundsOnceWithSixteenBitsOfMultiplier) {
  EXPECT_EQ(rescale_wide(7, to_multiplier(0.0625)), 0);
  EXPECT_EQ(rescale_wide(8, to_multiplier(0.0625)), 1);   // 0.5 goes up
  EXPECT_EQ(rescale_wide(-8, to_multiplier(0.0625)), 0);  // −0.5 goes up
  EXPECT_EQ(rescale_wide(std::int64_t{1} << 40, to_multiplier(0x1p-20)), 1 << 20);
}

TEST(RescaleWide, TheReducedMultiplierDoesNotOverflow) {
  // 0x7FFFFFFF would round to 0x8000: it is held at 0x7FFF.
  EXPECT_EQ(rescale_wide(32768, {INT32_MAX, 0}), 32767);
}

TEST(RescaleWide, RefusesALeftShiftThatLeavesNoBitToRound) {
  EXPECT_EQ(rescale_wide(1, {1 << 30, 14}), 1 << 13);
  EXPECT_THROW((void)rescale_wide(1, {1 << 30, 15}), std::logic_error);
}

TEST(ShiftLeft, SaturatesOrWraps) {
  EXPECT_EQ(shift_left_saturating(1 << 30, 1), INT32_MAX);
  EXPECT_EQ(shift_left_saturating(-(1 << 30), 2), INT32_MIN);
  EXPECT_EQ(shift_left_saturating(-5, 3), -40);
  EXPECT_EQ(shift_left(-5, 3), -40);
  EXPECT_EQ(shift_left(1 << 30, 2), 0);
}

TEST(FixedPoint, ExponentialFollowsTheRealOne) {
  EXPECT_EQ(exp_of_negative(0, 5), INT32_MAX);
  for (int bits = 0; bits <= 5; ++bits) {
    const double unit = std::ldexp(1.0, 31 - bits);
    for (std::int64_t a = INT32_MIN; a < 0; a += 7919177) {
      const double expected = std::exp(static_cast<double>(a) / unit);
      const double got = exp_of_negative(static_cast<std::int32_t>(a), bits) / 2147483648.0;
      ASSERT_NEAR(got, expected, 3e-6) << a << " with " << bits << " integer bits";
    }
  }
}

TEST(FixedPoint, ReciprocalLogisticAndTanhFollowTheRealOnes) {
  EXPECT_EQ(fixed_logistic(0), 1 << 30);
  EXPECT_EQ(fixed_tanh(0), 0);
  for (std::int64_t a = INT32_MIN; a <= INT32_MAX; a += 7919177) {
    const auto raw = static_cast<std::int32_t>(a);
    const double x = static_cast<double>(a) / (1 << 27);
    ASSERT_NEAR(fixed_logistic(raw) / 2147483648.0, 1.0 / (1.0 + std::exp(-x)), 3e-6) << a;
    ASSERT_NEAR(fixed_tanh(raw) / 2147483648.0, std::tanh(x), 6e-6) << a;
    if (raw >= 0) {
      const double q = static_cast<double>(a) / 2147483648.0;
      ASSERT_NEAR(reciprocal_of_one_plus(raw) / 2147483648.0, 1.0 / (1.0 + q), 1e-7) << a;
    }
  }
}

}  // namespace
}  // namespace npu::reference
