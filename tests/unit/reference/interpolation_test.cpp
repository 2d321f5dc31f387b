// LOGISTIC, TANH and SOFTMAX over int16, LOGISTIC and TANH over uint8, LEAKY_RELU over int16.
#include "kernels/reference/interpolation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "sim/base/error.h"
#include "tests/unit/reference/graphs.h"

namespace npu::reference {
namespace {

using graph::LeakyReluAttrs;
using graph::OpKind;
using graph::SoftmaxAttrs;
using test::run_unary;
using test::tensor;
using test::TensorSpec;
using test::values_of;
using testing::HasSubstr;
using testing::ThrowsMessage;

/// Values of TFLite's sigmoid table where rounding 65536 / (1 + exp(−i/24)) alone would give one
/// less (4, 8, 28, 255), and where it would not.
TEST(InterpolatedLogistic, SamplesLieAboveTheFunction) {
  const InterpolatedLogistic logistic;
  const std::vector<std::int32_t>& s = logistic.samples();
  ASSERT_EQ(s.size(), 256U);
  EXPECT_EQ(s[0], 32768);
  EXPECT_EQ(s[1], 33451);
  EXPECT_EQ(s[3], 34813);
  EXPECT_EQ(s[4], 35493);
  EXPECT_EQ(s[8], 38180);
  EXPECT_EQ(s[28], 49975);
  EXPECT_EQ(s[117], 65039);
  EXPECT_EQ(s[254], 65534);
  EXPECT_EQ(s[255], 65535);
  EXPECT_EQ(std::accumulate(s.begin(), s.end(), std::int64_t{0}), 15670629);
}

TEST(InterpolatedLogistic, EndsAndMiddle) {
  const InterpolatedLogistic f;
  EXPECT_EQ(f.logistic(0), 16384);
  // Half a sample on: (32768 + 33451) / 2 = 33109.5 in Q0.16, 16554.75 in Q0.15.
  EXPECT_EQ(f.logistic(256), 16555);
  EXPECT_EQ(f.logistic(-256), 16213);  // 16213.25
  EXPECT_EQ(f.logistic(255 * 512 - 1), 32767);
  EXPECT_EQ(f.logistic(255 * 512), 32767);
  EXPECT_EQ(f.logistic(-255 * 512), 1);
  EXPECT_EQ(f.logistic(-98304), 11);  // sample 192: 65536 − 65514 = 22
  EXPECT_EQ(f.tanh(0), 0);
  EXPECT_EQ(f.tanh(256), 683);  // 33451 − 32768
  EXPECT_EQ(f.tanh(-256), -683);
  EXPECT_EQ(f.tanh(128), 342);    // 341.5 goes up
  EXPECT_EQ(f.tanh(-128), -342);  // and −341.5 down
  EXPECT_EQ(f.tanh(255 * 256), 32767);
  EXPECT_EQ(f.tanh(-255 * 256), -32767);
}

TEST(CurveArgument, PowersOfTwoAreExact) {
  const CurveArgument twelve(0x1p-12F, {-12});
  EXPECT_EQ(twelve.multiplier(), 3);
  EXPECT_EQ(twelve.shift(), 0);
  EXPECT_EQ(twelve(-32768), -98304);
  EXPECT_EQ(CurveArgument(0x1p-11F, {-12, -11}).multiplier(), 6);
  EXPECT_EQ(CurveArgument(0x1p-12F * 1.0006F, {-12}).multiplier(), 3);  // 2^0.00087
  // 3 · 1.0008 · 2^13 = 24595.7, truncated.
  EXPECT_EQ(CurveArgument(0x1p-12F * 1.0008F, {-12}).multiplier(), 24595);
  EXPECT_EQ(CurveArgument(0x1p-12F * 1.0008F, {-12}).shift(), 13);
  // LOGISTIC has no exact path at 2^-11: 6 · 2^12.
  const CurveArgument eleven(0x1p-11F, {-12});
  EXPECT_EQ(eleven.multiplier(), 24576);
  EXPECT_EQ(eleven.shift(), 12);
  EXPECT_EQ(eleven(5), 30);
}

TEST(CurveArgument, RoundsHalvesUp) {
  // 0.5 steps per quantum: 0.5 · 2^15 = 16384 > 16383.5, so 2^15.
  const CurveArgument half(0.5F / 12288, {-12});
  EXPECT_EQ(half.multiplier(), 16384);
  EXPECT_EQ(half.shift(), 15);
  EXPECT_EQ(half(1), 1);
  EXPECT_EQ(half(-1), 0);
  EXPECT_THAT([] { CurveArgument(2.7F, {-12}); },
              ThrowsMessage<Error>(HasSubstr("int16 input scale 2.7 is out of range")));
}

TensorData every_seventh_int16() {
  std::vector<std::int16_t> values;
  for (int q = -32768; q < 32768; q += 7) values.push_back(static_cast<std::int16_t>(q));
  const auto n = static_cast<std::int64_t>(values.size());
  return tensor<std::int16_t>(DType::kInt16, {n}, std::move(values));
}

TEST(Int16Curves, FollowTheRealFunctions) {
  const TensorData x = every_seventh_int16();
  const TensorSpec y{DType::kInt16, x.shape, {0x1p-15F}, {0}};
  for (const float scale : {0x1p-12F, 0x1p-11F, 0x1p-13F, 3e-4F, 2.5e-5F}) {
    const TensorSpec in{DType::kInt16, x.shape, {scale}, {0}};
    const auto logistic = values_of<std::int16_t>(run_unary(OpKind::kLogistic, in, y, x));
    const auto tanh = values_of<std::int16_t>(run_unary(OpKind::kTanh, in, y, x));
    for (std::size_t i = 0; i < logistic.size(); ++i) {
      const double real = static_cast<double>(scale) * x.as<std::int16_t>()[i];
      ASSERT_NEAR(logistic[i], std::min(32768 / (1 + std::exp(-real)), 32767.0), 1.5) << real;
      ASSERT_NEAR(tanh[i], std::min(32768 * std::tanh(real), 32767.0), 3.0) << real;
    }
  }
}

TEST(Uint8Curves, RoundTheRealFunction) {
  std::vector<std::uint8_t> all(256);
  std::iota(all.begin(), all.end(), std::uint8_t{0});
  const auto x = tensor<std::uint8_t>(DType::kUint8, {256}, std::move(all));
  const TensorSpec in{DType::kUint8, {256}, {0.05F}, {120}};
  const auto logistic = values_of<std::uint8_t>(
      run_unary(OpKind::kLogistic, in, {DType::kUint8, {256}, {1.0F / 256}, {0}}, x));
  const auto tanh = values_of<std::uint8_t>(
      run_unary(OpKind::kTanh, in, {DType::kUint8, {256}, {1.0F / 128}, {128}}, x));
  for (int q = 0; q < 256; ++q) {
    const double real = 0.05 * (q - 120);
    const auto i = static_cast<std::size_t>(q);
    ASSERT_EQ(logistic[i], std::min(std::lround(256 / (1 + std::exp(-real))), 255L)) << q;
    ASSERT_EQ(tanh[i], std::min(std::lround(128 * std::tanh(real)) + 128, 255L)) << q;
  }
}

TEST(ChordTable, SamplesOfTheReciprocal) {
  const ChordTable t(0.0F, 1.0F, [](float x) { return 1.0F / (1.0F + x); });
  ASSERT_EQ(t.samples().size(), 513U);
  EXPECT_EQ(t.samples()[0], 32767);    // 32768 is out of reach
  EXPECT_EQ(t.samples()[1], 32704);    // 32768 / (1 + 1/512) = 32704.125
  EXPECT_EQ(t.samples()[160], 24966);  // 24966.095; double precision would give 24967
  EXPECT_EQ(t.samples()[512], 16384);
  EXPECT_EQ(t.at(-32768), 32767);
  EXPECT_EQ(t.at(-32768 + 64), 32736);  // (32767 + 32704) / 2 = 32735.5, up
  EXPECT_EQ(t.at(32767), 16384);        // 16400 − 16 · 127/128 = 16384.125
}

TEST(Int16Softmax, FollowsTheRealFunction) {
  const Shape shape = {20, 16};
  const auto x = tensor<std::int16_t>(DType::kInt16, shape,
                                      test::random_integers<std::int16_t>(320, -32768, 32767, 5));
  for (const float scale : {1e-3F, 1e-4F, 2e-5F}) {
    const auto y = values_of<std::int16_t>(
        run_unary(OpKind::kSoftmax, {DType::kInt16, shape, {scale}, {0}},
                  {DType::kInt16, shape, {0x1p-15F}, {0}}, x, SoftmaxAttrs{1.0F}));
    for (std::size_t row = 0; row < 320; row += 16) {
      double sum = 0;
      const auto real = [&](std::size_t i) {
        return std::exp(static_cast<double>(scale) * x.as<std::int16_t>()[i]);
      };
      for (std::size_t i = row; i < row + 16; ++i) sum += real(i);
      for (std::size_t i = row; i < row + 16; ++i) {
        // exp(0) comes out 6 short of 1, and each of the other 15 terms, however small, adds up to
        // 2 to the sum.
        const double share = real(i) / sum;
        ASSERT_NEAR(y[i], 32768 * share, 8.0 + 30 * share) << scale;
      }
    }
  }
}

TEST(Int16Softmax, SharesOfEqualValues) {
  // One value: exp(0) is 32133 + 634 · 127/128 = 32762, and the limit of the type holds the
  // quotient.
  for (const std::int64_t n : {1, 2, 4, 1000}) {
    const TensorSpec x{DType::kInt16, {n}, {1e-3F}, {0}};
    const TensorSpec y{DType::kInt16, {n}, {0x1p-15F}, {0}};
    for (const std::int16_t v : values_of<std::int16_t>(run_unary(
             OpKind::kSoftmax, x, y, TensorData::zeros(DType::kInt16, {n}), SoftmaxAttrs{1.0F}))) {
      ASSERT_NEAR(v, 32768.0 / static_cast<double>(n), 2.0);
    }
  }
}

TEST(LeakyRelu, NegatesTheRoundedMagnitude) {
  // Halves of the magnitude go toward +∞ before the sign turns: −0.5 · −1 is −round(−0.5) = 0.
  const TensorSpec s{DType::kInt16, {6}, {0.01F}, {0}};
  EXPECT_EQ(values_of<std::int16_t>(
                run_unary(OpKind::kLeakyRelu, s, s,
                          tensor<std::int16_t>(DType::kInt16, {6}, {-1, -2, -3, -32768, 0, 7}),
                          LeakyReluAttrs{-0.5F})),
            (std::vector<std::int16_t>{0, 1, 1, 16384, 0, 7}));
}

}  // namespace
}  // namespace npu::reference
