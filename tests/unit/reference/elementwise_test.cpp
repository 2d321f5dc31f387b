#include "kernels/reference/elementwise.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/reference/graphs.h"

namespace npu::reference {
namespace {

using graph::Activation;
using graph::ActivationAttrs;
using graph::OpKind;
using test::GraphBuilder;
using test::random_integers;
using test::tensor;
using test::TensorSpec;
using test::values_of;

/// y of a binary operator in integers.
TensorData binary(OpKind kind, const TensorSpec& a_spec, const TensorSpec& b_spec,
                  const TensorSpec& y_spec, const TensorData& a, const TensorData& b,
                  graph::Attrs attrs = ActivationAttrs{}) {
  GraphBuilder g;
  const auto x0 = g.input(a_spec);
  const auto x1 = g.input(b_spec);
  const auto y = g.activation(y_spec);
  g.node(kind, {x0, x1}, {y}, std::move(attrs));
  return g.integer({a, b});
}

struct Format {
  DType type;
  std::int32_t zero_point;
};

TEST(Add, AndSubStayWithinOneStepOfTheRealResult) {
  for (const Format f :
       {Format{DType::kInt8, -3}, Format{DType::kUint8, 120}, Format{DType::kInt16, 0}}) {
    const IntegerRange range = range_of(f.type);
    const TensorSpec a_spec{f.type, {256}, {0.031F}, {f.zero_point}};
    const TensorSpec b_spec{f.type, {256}, {0.017F}, {f.zero_point}};
    const TensorSpec y_spec{f.type, {256}, {0.05F}, {f.zero_point}};
    TensorData a = TensorData::zeros(f.type, {256}), b = a;
    store_integers(a, random_integers<std::int32_t>(256, range.low, range.high, 1));
    store_integers(b, random_integers<std::int32_t>(256, range.low, range.high, 2));
    for (const int sign : {1, -1}) {
      const auto y = load_integers(
          binary(sign > 0 ? OpKind::kAdd : OpKind::kSub, a_spec, b_spec, y_spec, a, b),
          f.zero_point);
      const auto qa = load_integers(a, f.zero_point), qb = load_integers(b, f.zero_point);
      for (std::size_t i = 0; i < 256; ++i) {
        const double real = (0.031 * qa[i] + sign * 0.017 * qb[i]) / 0.05;
        const double limited =
            std::clamp(real, double(range.low - f.zero_point), double(range.high - f.zero_point));
        ASSERT_NEAR(y[i], limited, 0.51) << sign << ' ' << i;
      }
    }
  }
}

TEST(Add, RoundsThreeTimes) {
  // 3 · 1/3 + 0: left shift 2, first rescale 12 · 1/4 = 3 (exact), output 3 · 1/8 -> 0.375: high
  // multiply gives 3 · 0.5 = 1.5
  // -> 2, then 2 / 4 = 0.5 -> 1 away from zero. One rounding would give 0.
  const AddParameters p = {.left_shift = 2,
                           .a = to_multiplier(0.25),
                           .b = to_multiplier(0.25),
                           .stage = {{to_multiplier(0.125)}, 0, range_of(DType::kInt8)}};
  TensorData y = TensorData::zeros(DType::kInt8, {1});
  add(p, tensor<std::int8_t>(DType::kInt8, {1}, {3}), tensor<std::int8_t>(DType::kInt8, {1}, {0}),
      y);
  EXPECT_EQ(y.as<std::int8_t>()[0], 1);
}

TEST(Add, AppliesTheFusedActivation) {
  const TensorSpec s{DType::kInt8, {4}, {0.1F}, {10}};
  const auto a = tensor<std::int8_t>(DType::kInt8, {4}, {-100, 5, 40, 100});
  const auto zero = tensor<std::int8_t>(DType::kInt8, {4}, {10, 10, 10, 10});
  const auto run = [&](Activation activation) {
    return values_of<std::int8_t>(
        binary(OpKind::kAdd, s, s, s, a, zero, ActivationAttrs{activation, 0}));
  };
  EXPECT_EQ(run(Activation::kNone), (std::vector<std::int8_t>{-100, 5, 40, 100}));
  EXPECT_EQ(run(Activation::kRelu), (std::vector<std::int8_t>{10, 10, 40, 100}));
  EXPECT_EQ(run(Activation::kRelu6), (std::vector<std::int8_t>{10, 10, 40, 70}));
  EXPECT_EQ(run(Activation::kReluN1To1), (std::vector<std::int8_t>{0, 5, 20, 20}));
}

TEST(Mul, StaysWithinOneStepOfTheRealResult) {
  const TensorSpec a_spec{DType::kInt8, {256}, {0.031F}, {4}};
  const TensorSpec b_spec{DType::kInt8, {256}, {0.017F}, {-9}};
  const TensorSpec y_spec{DType::kInt8, {256}, {0.05F}, {1}};
  const auto a = tensor(DType::kInt8, {256}, random_integers<std::int8_t>(256, -128, 127, 1));
  const auto b = tensor(DType::kInt8, {256}, random_integers<std::int8_t>(256, -128, 127, 2));
  const auto y = load_integers(binary(OpKind::kMul, a_spec, b_spec, y_spec, a, b), 1);
  const auto qa = load_integers(a, 4), qb = load_integers(b, -9);
  for (std::size_t i = 0; i < 256; ++i) {
    const double real = 0.031 * qa[i] * 0.017 * qb[i] / 0.05;
    ASSERT_NEAR(y[i], std::clamp(real, -129.0, 126.0), 0.51) << i;
  }
}

TEST(Broadcast, RepeatsDimensionsOfOneAndMissingOnes) {
  const TensorSpec wide{DType::kInt8, {2, 2, 3}};
  const auto a = tensor<std::int8_t>(DType::kInt8, {2, 1, 3}, {1, 2, 3, 4, 5, 6});
  const auto b = tensor<std::int8_t>(DType::kInt8, {2, 1}, {0, 10});
  EXPECT_EQ(values_of<std::int8_t>(binary(OpKind::kMaximum, {DType::kInt8, {2, 1, 3}},
                                          {DType::kInt8, {2, 1}}, wide, a, b, {})),
            (std::vector<std::int8_t>{1, 2, 3, 10, 10, 10, 4, 5, 6, 10, 10, 10}));
  EXPECT_EQ(values_of<std::int8_t>(binary(OpKind::kMinimum, {DType::kInt8, {2, 1, 3}},
                                          {DType::kInt8, {2, 1}}, wide, a, b, {})),
            (std::vector<std::int8_t>{0, 0, 0, 1, 2, 3, 0, 0, 0, 4, 5, 6}));
}

TEST(BinaryFloat, ComputesRealValues) {
  const auto a = tensor<std::int8_t>(DType::kInt8, {2}, {4, -8});
  const auto b = tensor<std::int8_t>(DType::kInt8, {1}, {3});
  const auto run = [&](OpKind kind, Activation activation) {
    GraphBuilder g;
    const auto x0 = g.input({DType::kInt8, {2}, {0.5F}, {0}});
    const auto x1 = g.input({DType::kInt8, {1}, {1.0F}, {1}});
    const auto y = g.activation({DType::kInt8, {2}, {1.0F}, {0}});
    g.node(kind, {x0, x1}, {y}, ActivationAttrs{activation, 0});
    return values_of<float>(g.real({a, b}));
  };
  EXPECT_EQ(run(OpKind::kAdd, Activation::kNone), (std::vector<float>{4.0F, -2.0F}));
  EXPECT_EQ(run(OpKind::kSub, Activation::kRelu), (std::vector<float>{0.0F, 0.0F}));
  EXPECT_EQ(run(OpKind::kMul, Activation::kReluN1To1), (std::vector<float>{1.0F, -1.0F}));
  EXPECT_EQ(run(OpKind::kMaximum, Activation::kNone), (std::vector<float>{2.0F, 2.0F}));
  EXPECT_EQ(run(OpKind::kMinimum, Activation::kNone), (std::vector<float>{2.0F, -4.0F}));
}

}  // namespace
}  // namespace npu::reference
