// General operators by hand and against double computation.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/reference/functions.h"
#include "kernels/reference/numbers.h"
#include "tests/unit/reference/graphs.h"

namespace npu::reference::test {
namespace {

using enum DType;
using enum MapFunction;
using graph::OpKind;
using testing::ElementsAre;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TensorSpec plain(DType type, Shape shape) { return {type, std::move(shape), {}, {}, 0}; }
TensorSpec scaled(DType type, Shape shape, float scale, std::int32_t zero) {
  return {type, std::move(shape), {scale}, {zero}, 0};
}

float apply(MapFunction f, float a, float b = 0, double imm0 = 0, double imm1 = 0) {
  return float_function(f, a, b, imm0, imm1);
}
std::int64_t apply_integers(MapFunction f, std::int64_t a, std::int64_t b = 0,
                            std::int64_t imm0 = 0, std::int64_t imm1 = 0) {
  return integer_function(f, a, b, imm0, imm1);
}

TEST(Functions, FloatsByHand) {
  EXPECT_EQ(apply(kAdd, 1.5F, 2), 3.5F);
  EXPECT_EQ(apply(kSub, 1.5F, 2), -0.5F);
  EXPECT_EQ(apply(kDiv, 1, 0), kInfinity);
  EXPECT_TRUE(std::isnan(apply(kMax, 1, kNan)));
  EXPECT_TRUE(std::isnan(apply(kMin, kNan, 1)));
  EXPECT_TRUE(std::signbit(apply(kMax, -0.0F, 0.0F)));
  EXPECT_EQ(apply(kMod, -7, 3), 2.0F);
  EXPECT_EQ(apply(kMod, 7, -3), -2.0F);
  EXPECT_TRUE(std::signbit(apply(kMod, 6, -3)));
  EXPECT_EQ(apply(kRemainder, -7, 3), -1.0F);
  EXPECT_EQ(apply(kEqual, kNan, kNan), 0.0F);
  EXPECT_EQ(apply(kAnd, kNan, 2), 1.0F);
  EXPECT_EQ(apply(kXor, 0, 2), 1.0F);
  EXPECT_EQ(apply(kNot, 0), 1.0F);
  EXPECT_EQ(apply(kSign, -3), -1.0F);
  EXPECT_FALSE(std::signbit(apply(kSign, -0.0F)));
  EXPECT_TRUE(std::isnan(apply(kSign, kNan)));
  EXPECT_EQ(apply(kRound, 2.5F), 2.0F);
  EXPECT_EQ(apply(kRound, -3.5F), -4.0F);
  EXPECT_EQ(apply(kPrelu, -2, 0.25F), -0.5F);
  EXPECT_EQ(apply(kClip, 9, 0, -1, 6), 6.0F);
  EXPECT_EQ(apply(kLeakyRelu, -2, 0, 0.1), -2.0F * 0.1F);
  EXPECT_EQ(apply(kThreshold, 1, 0, 1), 0.0F);
  EXPECT_EQ(apply(kHardSigmoid, 1, 0, 0.25, 0.5), 0.75F);
  EXPECT_EQ(apply(kHardSwish, 3), 3.0F);
  EXPECT_EQ(apply(kHardSwish, -3), 0.0F);
  EXPECT_EQ(apply(kIsInf, -kInfinity), 1.0F);
  EXPECT_EQ(apply(kIsNan, kNan), 1.0F);
}

TEST(Functions, IntegersByHand) {
  EXPECT_EQ(apply_integers(kDiv, -7, 2), -3);
  EXPECT_EQ(apply_integers(kDiv, 5, 0), 0);
  EXPECT_EQ(apply_integers(kDiv, INT64_MIN, -1), INT64_MIN);
  EXPECT_EQ(apply_integers(kMod, -7, 3), 2);
  EXPECT_EQ(apply_integers(kMod, 7, -3), -2);
  EXPECT_EQ(apply_integers(kRemainder, -7, 3), -1);
  EXPECT_EQ(apply_integers(kPow, -3, 3), -27);
  EXPECT_EQ(apply_integers(kPow, 0, 0), 1);
  EXPECT_EQ(apply_integers(kPow, 2, 64), 0);
  EXPECT_EQ(apply_integers(kPow, 2, -1), 0);
  EXPECT_EQ(apply_integers(kPow, -1, -3), -1);
  EXPECT_EQ(apply_integers(kShiftLeft, 1, 65), 2);
  EXPECT_EQ(apply_integers(kShiftRight, -5, 1), -3);
  EXPECT_EQ(apply_integers(kComplement, 0), -1);
  EXPECT_EQ(apply_integers(kNot, 0), 1);
  EXPECT_EQ(apply_integers(kClip, 300, 0, -5, 200), 200);
  for (const std::int64_t root : {0, 1, 2, 9, 46340, 3037000}) {
    EXPECT_EQ(apply_integers(kIntegerSqrt, root * root), root);
    EXPECT_EQ(apply_integers(kIntegerSqrt, root * root + 2 * root), root);
  }
  EXPECT_EQ(apply_integers(kIntegerSqrt, -4), 0);
}

/// Another way to each function, good to some last places of fp32.
double check_value(MapFunction f, double x) {
  switch (f) {
    case kSigmoid:
      return 0.5 * (1 + std::tanh(x / 2));
    case kSilu:
      return x * 0.5 * (1 + std::tanh(x / 2));
    case kSoftplus:
      return x > 30 ? x : std::log(1 + std::exp(x));
    case kSoftsign:
      return 1 / (1 / x + (x < 0 ? -1 : 1));
    case kMish:
      return x * std::tanh(std::log(1 + std::exp(x)));
    case kElu:
      return x >= 0 ? x : 0.75 * (std::exp(x) - 1);
    case kSelu:
      return 1.25 * (x >= 0 ? x : 0.75 * (std::exp(x) - 1));
    case kCelu:
      return x >= 0 ? x : 0.75 * (std::exp(x / 0.75) - 1);
    case kGelu:
      return x * 0.5 * (1 + std::erf(x * std::sqrt(0.5)));
    case kGeluTanh:
      return x * 0.5 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case kReciprocalSqrt:
      return std::pow(x, -0.5);
    case kSqrt:
      return std::pow(x, 0.5);
    case kReciprocal:
      return 1 / x;
    default:
      return std::numeric_limits<double>::quiet_NaN();
  }
}

TEST(Functions, NearDoubleComputation) {
  for (std::size_t i = 0; i < kMapFunctions; ++i) {
    const auto f = static_cast<MapFunction>(i);
    for (float x = -6.015625F; x < 6.5F; x += 0.03125F) {
      const double expected = check_value(f, static_cast<double>(x));
      if (std::isnan(expected)) continue;
      EXPECT_NEAR(static_cast<double>(apply(f, x, 0, 0.75, 1.25)), expected,
                  2e-7 * std::max(1.0, std::fabs(expected)))
          << name_of(f) << " of " << x;
    }
  }
  EXPECT_EQ(apply(kExp, 1), static_cast<float>(std::exp(1.0)));
  EXPECT_EQ(apply(kPow, 2, 0.5F), static_cast<float>(std::sqrt(2.0)));
}

TEST(Numbers, NarrowingRoundsToNearestEven) {
  const auto half = [](long double v) { return narrow_bits(v, kFloat16); };
  const auto brain = [](long double v) { return narrow_bits(v, kBfloat16); };
  EXPECT_EQ(half(0.0L), 0);
  EXPECT_EQ(half(-0.0L), 0x8000);
  EXPECT_EQ(half(1.0L), 0x3c00);
  EXPECT_EQ(half(2049.0L), 0x6800);  // a tie to even
  EXPECT_EQ(half(2051.0L), 0x6802);
  EXPECT_EQ(half(65519.0L), 0x7bff);
  EXPECT_EQ(half(65520.0L), 0x7c00);
  EXPECT_EQ(half(0x1p-24L), 1);
  EXPECT_EQ(half(0x1p-25L), 0);
  EXPECT_EQ(half(0x1.8p-25L), 1);
  EXPECT_EQ(half(0x1p-14L), 0x0400);
  EXPECT_EQ(half(0x1.ffep-15L), 0x0400);
  EXPECT_EQ(brain(1.0L), 0x3f80);
  EXPECT_EQ(brain(257.0L), 0x4380);
  EXPECT_EQ(brain(0x1p62L + 0x1p54L + 1), 0x5e81);  // one above a tie
  EXPECT_EQ(brain(-0x1p200L), 0xff80);
  EXPECT_EQ(half(std::numeric_limits<long double>::quiet_NaN()), 0x7e00);
  EXPECT_EQ(brain(std::numeric_limits<long double>::quiet_NaN()), 0x7fc0);
}

TEST(Numbers, FloatsBecomeIntegers) {
  EXPECT_EQ(integer_value(-1.9F, kInt8), -1);
  EXPECT_EQ(integer_value(-1.9F, kUint8), 0);
  EXPECT_EQ(integer_value(300, kUint8), 255);
  EXPECT_EQ(integer_value(kInfinity, kInt32), INT32_MAX);
  EXPECT_EQ(integer_value(kNan, kInt16), 0);
  EXPECT_EQ(quantized_value(1.25F, 0.5F, 3, kInt8), 5);  // 2.5 to even
  EXPECT_EQ(quantized_value(-1000, 0.5F, 3, kInt8), -128);
  EXPECT_EQ(quantized_value(kNan, 0.5F, 3, kInt8), 0);
}

TEST(Map, BroadcastsAndConverts) {
  GraphBuilder b;
  const auto x = b.input(plain(kInt8, {2, 1}));
  const auto z = b.input(plain(kFloat32, {3}));
  b.node(OpKind::kMap, {x, z}, {b.activation(plain(kInt16, {2, 3}))}, graph::MapAttrs{kMul, 0, 0});
  const TensorData y = b.integer({tensor<std::int8_t>(kInt8, {2, 1}, {-3, 2}),
                                  tensor<float>(kFloat32, {3}, {0.5F, 1e6F, kNan})});
  EXPECT_THAT(values_of<std::int16_t>(y), ElementsAre(-1, -32768, 0, 1, 32767, 0));
}

TEST(Map, QuantizedOperandsComputeAsReals) {
  GraphBuilder b;
  const auto x = b.input(scaled(kUint8, {4}, 0.5F, 10));
  b.node(OpKind::kMap, {x}, {b.activation(scaled(kInt8, {4}, 0.25F, -3))},
         graph::MapAttrs{kAdd, 1, 0});
  const TensorData y = b.integer({tensor<std::uint8_t>(kUint8, {4}, {10, 11, 0, 255})});
  // 0, 0.5, −5, 122.5 plus 1, in quarters, less 3.
  EXPECT_THAT(values_of<std::int8_t>(y), ElementsAre(1, 3, -19, 127));
}

TEST(Map, SelectTakesItsThirdOperand) {
  GraphBuilder b;
  const auto c = b.input(plain(kBool, {3}));
  const auto x = b.input(plain(kFloat16, {3}));
  const auto z = b.input(plain(kFloat32, {}));
  b.node(OpKind::kMap, {c, x, z}, {b.activation(plain(kFloat32, {3}))},
         graph::MapAttrs{kSelect, 0, 0});
  const TensorData y = b.integer({tensor<std::uint8_t>(kBool, {3}, {1, 0, 7}),
                                  tensor<std::uint16_t>(kFloat16, {3}, {0x3c00, 0x4000, 0x4200}),
                                  tensor<float>(kFloat32, {}, {-9})});
  EXPECT_THAT(values_of<float>(y), ElementsAre(1.0F, -9.0F, 3.0F));
}

TEST(Map, QuantizeAndDequantizeTakeImmediates) {
  GraphBuilder b;
  const auto x = b.input(plain(kFloat32, {3}));
  const auto q = b.activation(plain(kUint8, {3}));
  b.node(OpKind::kMap, {x}, {q}, graph::MapAttrs{kQuantize, 0.5, 128});
  b.node(OpKind::kMap, {q}, {b.activation(plain(kFloat32, {3}))},
         graph::MapAttrs{kDequantize, 0.5, 128});
  EXPECT_THAT(values_of<float>(b.integer({tensor<float>(kFloat32, {3}, {1.3F, -100, 7.25F})})),
              ElementsAre(1.5F, -64.0F, 7.0F));
}

TEST(Reduce, SumsInOrderAndKeepsLowBits) {
  GraphBuilder b;
  const auto x = b.input(plain(kFloat32, {2, 3}));
  b.node(OpKind::kReduce, {x}, {b.activation(plain(kFloat32, {2}))},
         graph::ReduceMapAttrs{ReduceFunction::kSum, {1}, false});
  EXPECT_THAT(values_of<float>(
                  b.integer({tensor<float>(kFloat32, {2, 3}, {1e8F, 1, -1e8F, 1e8F, -1e8F, 1})})),
              ElementsAre(0.0F, 1.0F));
  GraphBuilder i;
  const auto z = i.input(plain(kUint8, {3}));
  i.node(OpKind::kReduce, {z}, {i.activation(plain(kInt8, {}))},
         graph::ReduceMapAttrs{ReduceFunction::kSumSquares, {0}, false});
  EXPECT_THAT(values_of<std::int8_t>(i.integer({tensor<std::uint8_t>(kUint8, {3}, {1, 2, 11})})),
              ElementsAre(126));
}

TEST(Reduce, PositionsOfTheFirstOfEquals) {
  const auto position = [](ReduceFunction f, const std::vector<float>& values) {
    GraphBuilder b;
    const Shape shape = {std::ssize(values)};
    const auto x = b.input(plain(kFloat32, shape));
    b.node(OpKind::kReduce, {x}, {b.activation(plain(kInt32, {}))},
           graph::ReduceMapAttrs{f, {0}, false});
    return values_of<std::int32_t>(b.integer({tensor<float>(kFloat32, shape, values)})).at(0);
  };
  EXPECT_EQ(position(ReduceFunction::kArgMax, {1, 3, 3, 2}), 1);
  EXPECT_EQ(position(ReduceFunction::kArgMin, {4, 1, 3, 1}), 1);
  EXPECT_EQ(position(ReduceFunction::kArgMax, {1, kNan, 9, kNan}), 1);
}

TEST(Softmax, FloatRow) {
  GraphBuilder b;
  const auto x = b.input(plain(kFloat32, {1, 3}));
  b.node(OpKind::kSoftmax, {x}, {b.activation(plain(kFloat32, {1, 3}))}, graph::SoftmaxAttrs{2.0F});
  const auto y = values_of<float>(b.integer({tensor<float>(kFloat32, {1, 3}, {0, 0.5F, -1})}));
  const double sum = 1 + std::exp(-1.0) + std::exp(-3.0);
  EXPECT_NEAR(static_cast<double>(y[0]), std::exp(-1.0) / sum, 1e-7);
  EXPECT_NEAR(static_cast<double>(y[1]), 1 / sum, 1e-7);
  EXPECT_NEAR(static_cast<double>(y[2]), std::exp(-3.0) / sum, 1e-7);
}

TEST(Norm, LayerAndRms) {
  GraphBuilder b;
  const auto x = b.input(plain(kFloat32, {2, 2}));
  const auto scale = b.constant<float>(plain(kFloat32, {2}), {2, 3});
  const auto bias = b.constant<float>(plain(kFloat32, {2}), {10, 20});
  b.node(OpKind::kLayerNorm, {x, scale, bias}, {b.activation(plain(kFloat32, {2, 2}))},
         graph::NormAttrs{1, 0});
  EXPECT_THAT(values_of<float>(b.integer({tensor<float>(kFloat32, {2, 2}, {1, 3, 8, 4})})),
              ElementsAre(8.0F, 23.0F, 12.0F, 17.0F));
  GraphBuilder r;
  const auto z = r.input(plain(kFloat32, {2}));
  const auto one = r.constant<float>(plain(kFloat32, {2}), {1, 2});
  r.node(OpKind::kRmsNorm, {z, one}, {r.activation(plain(kFloat32, {2}))}, graph::NormAttrs{0, 7});
  EXPECT_THAT(values_of<float>(r.integer({tensor<float>(kFloat32, {2}, {3, -3})})),
              ElementsAre(0.75F, -1.5F));
}

TEST(Rope, TurnsHalvesOrNeighbours) {
  for (const bool interleaved : {false, true}) {
    GraphBuilder b;
    const auto x = b.input(plain(kFloat32, {1, 5}));
    const auto cosine = b.constant<float>(plain(kFloat32, {2}), {0, 0.5F});
    const auto sine = b.constant<float>(plain(kFloat32, {2}), {1, 0.25F});
    b.node(OpKind::kRope, {x, cosine, sine}, {b.activation(plain(kFloat32, {1, 5}))},
           graph::RopeAttrs{interleaved});
    const auto y = values_of<float>(b.integer({tensor<float>(kFloat32, {1, 5}, {1, 2, 4, 8, 9})}));
    if (interleaved) {
      EXPECT_THAT(y, ElementsAre(-2.0F, 1.0F, 0.0F, 5.0F, 9.0F));
    } else {
      EXPECT_THAT(y, ElementsAre(-4.0F, -1.0F, 1.0F, 4.5F, 9.0F));
    }
  }
}

TEST(Gather, MovesRows) {
  GraphBuilder b;
  const auto table = b.input(plain(kInt64, {3, 1}));
  const auto at = b.input(plain(kInt32, {2}));
  b.node(OpKind::kGather, {table, at}, {b.activation(plain(kInt64, {2, 1}))});
  const auto values = tensor<std::int64_t>(kInt64, {3, 1}, {5, -6, 7});
  EXPECT_THAT(
      values_of<std::int64_t>(b.integer({values, tensor<std::int32_t>(kInt32, {2}, {2, 0})})),
      ElementsAre(7, 5));
  EXPECT_THAT(
      [&] {
        (void)b.integer({values, tensor<std::int32_t>(kInt32, {2}, {2, 3})});
      },
      testing::ThrowsMessage<Error>(
          testing::HasSubstr("GATHER: index 3 is out of range for 3 rows")));
}

TEST(Pool, Floats) {
  for (const OpKind kind : {OpKind::kAveragePool2d, OpKind::kMaxPool2d}) {
    GraphBuilder b;
    const auto x = b.input(plain(kFloat16, {1, 1, 3, 1}));
    graph::WindowAttrs a;
    a.window.kernel_w = 2;
    a.window.pad_right = 1;
    a.activation = graph::Activation::kRelu;
    b.node(kind, {x}, {b.activation(plain(kFloat16, {1, 1, 3, 1}))}, a);
    // 1, −4, 2
    const auto y = values_of<std::uint16_t>(
        b.integer({tensor<std::uint16_t>(kFloat16, {1, 1, 3, 1}, {0x3c00, 0xc400, 0x4000})}));
    if (kind == OpKind::kMaxPool2d) {
      EXPECT_THAT(y, ElementsAre(0x3c00, 0x4000, 0x4000));
    } else {
      EXPECT_THAT(y, ElementsAre(0, 0, 0x4000));
    }
  }
}

/// Float inference agrees where the integer one rounds nothing.
TEST(General, FloatInferenceOfIntegers) {
  GraphBuilder b;
  const auto x = b.input(plain(kInt32, {3}));
  b.node(OpKind::kMap, {x}, {b.activation(plain(kInt32, {3}))}, graph::MapAttrs{kAnd, 6, 0});
  const TensorData in = tensor<std::int32_t>(kInt32, {3}, {7, -1, 9});
  EXPECT_THAT(values_of<std::int32_t>(b.integer({in})), ElementsAre(6, 6, 0));
  EXPECT_THAT(values_of<float>(b.real({in})), ElementsAre(6.0F, 6.0F, 0.0F));
}

}  // namespace
}  // namespace npu::reference::test
