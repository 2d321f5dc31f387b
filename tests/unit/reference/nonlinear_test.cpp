// Functions of one tensor: against the real functions, at their edges, and through QUANTIZE in
// every direction.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/reference/quantization.h"
#include "kernels/reference/softmax.h"
#include "tests/unit/reference/graphs.h"

namespace npu::reference {
namespace {

using graph::LeakyReluAttrs;
using graph::OpKind;
using graph::SoftmaxAttrs;
using test::every_int8;
using test::GraphBuilder;
using test::run_unary;
using test::tensor;
using test::TensorSpec;
using test::values_of;
using testing::HasSubstr;
using testing::ThrowsMessage;

const Shape kAll = {1, 256};

/// Largest distance in output steps between an int8 operator and the real function over all 256
/// inputs.
template <typename Function>
double largest_error(OpKind kind, const TensorSpec& x, const TensorSpec& y, Function&& function,
                     graph::Attrs attrs = {}) {
  const auto out = values_of<std::int8_t>(run_unary(kind, x, y, every_int8(), std::move(attrs)));
  double largest = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const int q = static_cast<int>(i) - 128;
    const double real = function(static_cast<double>(x.scale[0]) * (q - x.zero_point[0]));
    const double ideal =
        std::clamp(real / static_cast<double>(y.scale[0]) + y.zero_point[0], -128.0, 127.0);
    largest = std::max(largest, std::fabs(out[i] - ideal));
  }
  return largest;
}

TEST(Logistic, FollowsTheRealFunction) {
  const TensorSpec y{DType::kInt8, kAll, {1.0F / 256}, {-128}};
  for (const float scale : {0.01F, 0.1F, 1.0F}) {
    EXPECT_LT(largest_error(OpKind::kLogistic, {DType::kInt8, kAll, {scale}, {7}}, y,
                            [](double v) { return 1.0 / (1.0 + std::exp(-v)); }),
              0.51)
        << scale;
  }
}

TEST(Tanh, FollowsTheRealFunction) {
  const TensorSpec y{DType::kInt8, kAll, {1.0F / 128}, {0}};
  for (const float scale : {0.01F, 0.1F, 1.0F}) {
    EXPECT_LT(largest_error(OpKind::kTanh, {DType::kInt8, kAll, {scale}, {-3}}, y,
                            [](double v) { return std::tanh(v); }),
              0.51)
        << scale;
  }
}

TEST(LogisticTanh, HaveOneOutputFormat) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, kAll, {0.1F}, {0}});
  const auto y = g.activation({DType::kInt8, kAll, {1.0F / 128}, {-128}});
  g.node(OpKind::kLogistic, {x}, {y});
  EXPECT_FALSE(has_integer(g.graph(), g.graph().nodes[0]));
  g.graph().nodes[0].kind = OpKind::kTanh;
  EXPECT_FALSE(has_integer(g.graph(), g.graph().nodes[0]));
}

TEST(LogisticTanh, RefuseAnInputScaleBelowTheFixedPoint) {
  EXPECT_THAT(
      [] {
        (void)run_unary(OpKind::kTanh, {DType::kInt8, kAll, {1e-9F}, {0}},
                        {DType::kInt8, kAll, {1.0F / 128}, {0}}, every_int8());
      },
      ThrowsMessage<Error>(HasSubstr("input scale of LOGISTIC or TANH is too small")));
}

TEST(Relu, RescalesAndClampsAtTheZeroPoint) {
  const TensorSpec x{DType::kInt8, kAll, {0.1F}, {4}};
  const TensorSpec y{DType::kInt8, kAll, {0.07F}, {-20}};
  EXPECT_LT(largest_error(OpKind::kRelu, x, y, [](double v) { return std::max(v, 0.0); }), 0.51);
  EXPECT_LT(largest_error(OpKind::kRelu6, x, y, [](double v) { return std::clamp(v, 0.0, 6.0); }),
            0.8);
  EXPECT_LT(
      largest_error(OpKind::kReluN1To1, x, y, [](double v) { return std::clamp(v, -1.0, 1.0); }),
      0.8);
}

TEST(Relu6, ClampsRawValuesWhenTheQuantizationIsEqual) {
  const TensorSpec s{DType::kInt8, kAll, {0.1F}, {4}};
  const auto y = values_of<std::int8_t>(run_unary(OpKind::kRelu6, s, s, every_int8()));
  for (int q = -128; q < 128; ++q) {
    ASSERT_EQ(y[static_cast<std::size_t>(q + 128)], std::clamp(q, 4, 64));
  }
}

TEST(LeakyRelu, HasASlopeOnEachSide) {
  const TensorSpec x{DType::kInt8, kAll, {0.1F}, {4}};
  const TensorSpec y{DType::kInt8, kAll, {0.11F}, {-2}};
  // A multiplier below one half is rounded twice: up to a quarter of a step more.
  for (const float alpha : {0.3F, -0.3F, 1.5F}) {
    EXPECT_LT(largest_error(
                  OpKind::kLeakyRelu, x, y,
                  [&](double v) { return v >= 0 ? v : v * static_cast<double>(alpha); },
                  LeakyReluAttrs{alpha}),
              0.76)
        << alpha;
  }
}

TEST(HardSwish, FollowsTheRealFunction) {
  const TensorSpec x{DType::kInt8, kAll, {0.05F}, {4}};
  const TensorSpec y{DType::kInt8, kAll, {0.05F}, {-100}};
  EXPECT_LT(largest_error(OpKind::kHardSwish, x, y,
                          [](double v) { return v * std::clamp(v + 3, 0.0, 6.0) / 6; }),
            1.05);
}

TEST(HardSwish, RefusesAnInputScaleItsShiftsDoNotReach) {
  EXPECT_THAT(
      [] {
        (void)run_unary(OpKind::kHardSwish, {DType::kInt8, kAll, {128.0F}, {0}},
                        {DType::kInt8, kAll, {0.5F}, {0}}, every_int8());
      },
      ThrowsMessage<Error>(HasSubstr("input scale is too large for the output's")));
}

TEST(UnaryFloat, ComputesRealFunctions) {
  const auto x = tensor<std::int8_t>(DType::kInt8, {3}, {-8, 0, 16});  // −4, 0, 8
  const auto run = [&](OpKind kind, graph::Attrs attrs = {}) {
    GraphBuilder g;
    const auto in = g.input({DType::kInt8, {3}, {0.5F}, {0}});
    const auto out = g.activation({DType::kInt8, {3}, {0.5F}, {0}});
    g.node(kind, {in}, {out}, std::move(attrs));
    return values_of<float>(g.real({x}));
  };
  EXPECT_EQ(run(OpKind::kRelu), (std::vector<float>{0, 0, 8}));
  EXPECT_EQ(run(OpKind::kRelu6), (std::vector<float>{0, 0, 6}));
  EXPECT_EQ(run(OpKind::kReluN1To1), (std::vector<float>{-1, 0, 1}));
  EXPECT_EQ(run(OpKind::kLeakyRelu, LeakyReluAttrs{0.25F}), (std::vector<float>{-1, 0, 8}));
  EXPECT_EQ(run(OpKind::kHardSwish), (std::vector<float>{0, 0, 8}));
  EXPECT_FLOAT_EQ(run(OpKind::kLogistic)[0], 1.0F / (1.0F + std::exp(4.0F)));
  EXPECT_FLOAT_EQ(run(OpKind::kTanh)[0], std::tanh(-4.0F));
  EXPECT_EQ(run(OpKind::kQuantize), (std::vector<float>{-4, 0, 8}));
  EXPECT_FLOAT_EQ(run(OpKind::kSoftmax, SoftmaxAttrs{0.5F})[1],
                  std::exp(-4.0F) / (1.0F + std::exp(-4.0F) + std::exp(-6.0F)));
  EXPECT_FLOAT_EQ(run(OpKind::kLogSoftmax)[2],
                  -std::log(1.0F + std::exp(-8.0F) + std::exp(-12.0F)));
}

struct SoftmaxFormat {
  DType x, y;
  float scale;
  std::int32_t zero_point;
};

TEST(Softmax, FollowsTheRealFunctionInEveryFormat) {
  for (const SoftmaxFormat f : {SoftmaxFormat{DType::kInt8, DType::kInt8, 1.0F / 256, -128},
                                SoftmaxFormat{DType::kInt8, DType::kInt16, 1.0F / 65536, -32768},
                                SoftmaxFormat{DType::kUint8, DType::kUint8, 1.0F / 256, 0}}) {
    const Shape shape = {4, 10};
    TensorData x = TensorData::zeros(f.x, shape);
    const IntegerRange range = range_of(f.x);
    const auto q = test::random_integers<std::int32_t>(40, range.low, range.high, 3);
    store_integers(x, q);
    const auto y =
        load_integers(run_unary(OpKind::kSoftmax, {f.x, shape, {0.05F}, {3}},
                                {f.y, shape, {f.scale}, {f.zero_point}}, x, SoftmaxAttrs{}));
    for (std::size_t row = 0; row < 40; row += 10) {
      double sum = 0;
      for (std::size_t i = row; i < row + 10; ++i) sum += std::exp(0.05 * q[i]);
      for (std::size_t i = row; i < row + 10; ++i) {
        const double ideal =
            std::exp(0.05 * q[i]) / sum / static_cast<double>(f.scale) + f.zero_point;
        ASSERT_NEAR(y[i], std::min(ideal, double(range_of(f.y).high)),
                    f.y == DType::kInt16 ? 1.5 : 0.51)
            << i;
      }
    }
  }
}

TEST(Softmax, ValuesFarBelowTheLargestGiveNothing) {
  const TensorSpec x{DType::kInt8, {1, 2}, {1.0F}, {0}};
  const TensorSpec y{DType::kInt8, {1, 2}, {1.0F / 256}, {-128}};
  EXPECT_EQ(values_of<std::int8_t>(run_unary(OpKind::kSoftmax, x, y,
                                             tensor<std::int8_t>(DType::kInt8, {1, 2}, {127, -128}),
                                             SoftmaxAttrs{1.0F})),
            (std::vector<std::int8_t>{127, -128}));
}

TEST(Softmax, ARowOfEqualValuesOfAnyLengthHasEqualShares) {
  for (const std::int64_t length : {2, 500, 1001, 4095, 4096, 8191}) {
    const TensorSpec x{DType::kInt8, {1, length}, {0.1F}, {0}};
    const auto zeros = TensorData::zeros(DType::kInt8, {1, length});
    const auto run = [&](const TensorSpec& y) {
      return load_integers(run_unary(OpKind::kSoftmax, x, y, zeros, SoftmaxAttrs{}));
    };
    const double share = 1.0 / static_cast<double>(length);
    for (const std::int32_t value : run({DType::kInt8, {1, length}, {1.0F / 256}, {-128}}))
      ASSERT_EQ(value, std::lround(256 * share) - 128) << length;
    for (const std::int32_t value : run({DType::kInt16, {1, length}, {1.0F / 65536}, {-32768}}))
      ASSERT_EQ(value, std::lround(65536 * share) - 32768) << length;
  }
}

TEST(Softmax, RefusesARowWhoseSumLeavesItsFormat) {
  // exp(0) is 1 − 2^-31, which rounds to 1 in Q12.19.
  const TensorSpec x{DType::kInt8, {1, 8192}, {0.1F}, {0}};
  const TensorSpec y{DType::kInt8, {1, 8192}, {1.0F / 256}, {-128}};
  EXPECT_THAT(
      [&] {
        (void)run_unary(OpKind::kSoftmax, x, y, TensorData::zeros(DType::kInt8, {1, 8192}),
                        SoftmaxAttrs{});
      },
      ThrowsMessage<Error>(HasSubstr("sum over 8192 values leaves its 13 integer bits")));
}

TEST(Softmax, LimitsItsInputMultiplier) {
  EXPECT_EQ(softmax_parameters(1.0F, 1e6F).input, (Multiplier{INT32_MAX, 31}));
  EXPECT_EQ(softmax_parameters(1.0F, 1.0F).input, (Multiplier{1 << 30, 27}));
  EXPECT_EQ(softmax_parameters(1.0F, 1.0F).smallest_difference, -15);
  EXPECT_THAT([] { (void)softmax_parameters(1.0F, 1e-9F); },
              ThrowsMessage<Error>(HasSubstr("beta times input scale is too small")));
}

TEST(Quantize, FromFloatRoundsHalvesAwayAndSaturates) {
  const auto x = tensor<float>(DType::kFloat32, {6}, {0.25F, -0.25F, 0.24F, 1e30F, -1e30F, 1.0F});
  const TensorSpec in{DType::kFloat32, {6}, {}, {}};
  EXPECT_EQ(
      values_of<std::int8_t>(run_unary(OpKind::kQuantize, in, {DType::kInt8, {6}, {0.5F}, {3}}, x)),
      (std::vector<std::int8_t>{4, 2, 3, 127, -128, 5}));
  const auto nan = tensor<float>(DType::kFloat32, {1}, {std::numeric_limits<float>::quiet_NaN()});
  EXPECT_THAT(
      [&] {
        (void)run_unary(OpKind::kQuantize, {DType::kFloat32, {1}, {}, {}}, {DType::kInt8, {1}},
                        nan);
      },
      ThrowsMessage<Error>(HasSubstr("input holds a NaN")));
}

TEST(Quantize, BetweenAllIntegerTypes) {
  const DType types[] = {DType::kInt8, DType::kUint8, DType::kInt16, DType::kInt32};
  for (const DType from : types) {
    for (const DType to : types) {
      const std::int32_t x_zero = from == DType::kUint8 ? 128 : 0;
      const std::int32_t y_zero = to == DType::kUint8 ? 100 : 0;
      TensorData x = TensorData::zeros(from, {4});
      store_integers(x, std::array{x_zero, x_zero + 100, x_zero - 90, x_zero + 3});
      const auto y = load_integers(run_unary(OpKind::kQuantize, {from, {4}, {0.5F}, {x_zero}},
                                             {to, {4}, {1.0F}, {y_zero}}, x),
                                   y_zero);
      // Double rounding: 1.5 -> 2.
      EXPECT_EQ(y, (std::vector<std::int32_t>{0, 50, -45, 2})) << name_of(from) << name_of(to);
    }
  }
}

TEST(Dequantize, ScalesTheDifferenceFromTheZeroPoint) {
  const auto x = tensor<std::int8_t>(DType::kInt8, {2}, {-128, 127});
  EXPECT_EQ(values_of<float>(run_unary(OpKind::kDequantize, {DType::kInt8, {2}, {0.25F}, {27}},
                                       {DType::kFloat32, {2}, {}, {}}, x)),
            (std::vector<float>{-38.75F, 25.0F}));
}

TEST(LogSoftmax, RunsInFloatOnly) {
  GraphBuilder g;
  const auto x = g.input({DType::kInt8, {1, 2}});
  const auto y = g.activation({DType::kInt8, {1, 2}});
  g.node(OpKind::kLogSoftmax, {x}, {y});
  EXPECT_FALSE(has_integer(g.graph(), g.graph().nodes[0]));
  const auto out = values_of<float>(run_unary(
      OpKind::kLogSoftmax, {DType::kFloat32, {1, 2}, {}, {}}, {DType::kFloat32, {1, 2}, {}, {}},
      tensor<float>(DType::kFloat32, {1, 2}, {1.0F, 1.0F})));
  EXPECT_FLOAT_EQ(out[0], -std::log(2.0F));
}

}  // namespace
}  // namespace npu::reference
