#include "sim/report/accuracy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace npu::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

template <typename T>
TensorData tensor(DType type, const std::vector<T>& values) {
  TensorData t = TensorData::zeros(type, {static_cast<std::int64_t>(values.size())});
  std::copy(values.begin(), values.end(), t.as<T>().begin());
  return t;
}

TEST(RealValues, SubtractZeroPointAndScale) {
  EXPECT_THAT(real_values(tensor<std::int8_t>(DType::kInt8, {-128, 0, 127}), {0.5, -128}),
              ElementsAre(0.0, 64.0, 127.5));
  EXPECT_THAT(real_values(tensor<std::uint8_t>(DType::kUint8, {0, 255}), {1.0, 128}),
              ElementsAre(-128.0, 127.0));
  EXPECT_THAT(real_values(tensor<float>(DType::kFloat32, {1.5F}), {0.5, 3}), ElementsAre(1.5));
}

TEST(ErrorMeter, EqualTensorsHaveInfiniteSqnr) {
  ErrorMeter meter({0.5, 0});
  const TensorData x = tensor<std::int8_t>(DType::kInt8, {1, -2, 3});
  EXPECT_FALSE(meter.add_exact(x, x));
  const TensorError e = meter.result();
  EXPECT_EQ(e.elements, 3);
  EXPECT_EQ(e.differing, 0);
  EXPECT_TRUE(std::isinf(e.sqnr_db));
  EXPECT_DOUBLE_EQ(e.cosine_similarity, 1.0);
}

TEST(ErrorMeter, AReferenceOfZerosHasNoRatio) {
  ErrorMeter meter({1.0, 0});
  meter.add_float(tensor<std::int8_t>(DType::kInt8, {0, 2}),
                  tensor<float>(DType::kFloat32, {0.0F, 0.0F}));
  const TensorError e = meter.result();
  EXPECT_EQ(e.sqnr_db, -std::numeric_limits<double>::infinity());
  EXPECT_EQ(e.max_abs_error, 2.0);
}

TEST(ErrorMeter, InfinitiesAndNansDifferFromWhatIsNotTheSame) {
  constexpr float kInfinite = std::numeric_limits<float>::infinity();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  ErrorMeter same(RealScale{});
  same.add_float(tensor<float>(DType::kFloat32, {kInfinite, -kInfinite, kNan, 1}),
                 tensor<float>(DType::kFloat32, {kInfinite, -kInfinite, kNan, 1}));
  EXPECT_EQ(same.result().max_abs_error, 0.0);
  EXPECT_EQ(same.result().sqnr_db, std::numeric_limits<double>::infinity());
  ErrorMeter other(RealScale{});
  other.add_float(tensor<float>(DType::kFloat32, {kNan, 5}),
                  tensor<float>(DType::kFloat32, {1, 4}));
  EXPECT_TRUE(std::isnan(other.result().max_abs_error));
  EXPECT_EQ(other.result().sqnr_db, -std::numeric_limits<double>::infinity());
}

TEST(ErrorMeter, FindsTheFirstDifferenceAndCountsSteps) {
  ErrorMeter meter({0.5, 10});
  const auto first = meter.add_exact(tensor<std::int8_t>(DType::kInt8, {12, 14, 10, 18}),
                                     tensor<std::int8_t>(DType::kInt8, {12, 12, 10, 17}));
  ASSERT_TRUE(first);
  EXPECT_EQ(*first, 1);
  const TensorError e = meter.result();
  EXPECT_EQ(e.differing, 2);
  EXPECT_EQ(e.max_lsb_difference, 2);
  EXPECT_DOUBLE_EQ(e.max_abs_error, 1.0);
  EXPECT_DOUBLE_EQ(e.mean_squared_error, (1.0 + 0.25) / 4);
  // Reference 1, 1, 0, 3.5: power 14.25; error power 1.25.
  EXPECT_NEAR(e.sqnr_db, 10 * std::log10(14.25 / 1.25), 1e-12);
  // Values 1, 2, 0, 4.
  EXPECT_NEAR(e.cosine_similarity, (1 + 2 + 3.5 * 4) / std::sqrt(21.0 * 14.25), 1e-12);
}

TEST(ErrorMeter, FloatReferenceDiffersFromHalfAStep) {
  ErrorMeter meter({1.0, 0});
  meter.add_float(tensor<std::int8_t>(DType::kInt8, {5, 5, 5}),
                  tensor<float>(DType::kFloat32, {5.25F, 5.5F, 7.0F}));
  const TensorError e = meter.result();
  EXPECT_EQ(e.differing, 2);
  EXPECT_EQ(e.max_lsb_difference, 2);
}

TEST(ErrorMeter, AccumulatesOverSamples) {
  ErrorMeter meter({1.0, 0});
  const TensorData zero = tensor<std::int8_t>(DType::kInt8, {0, 0});
  EXPECT_FALSE(meter.add_exact(zero, zero));
  EXPECT_TRUE(meter.add_exact(tensor<std::int8_t>(DType::kInt8, {0, 1}), zero));
  EXPECT_EQ(meter.result().elements, 4);
  EXPECT_DOUBLE_EQ(meter.result().differing_share(), 0.25);
  EXPECT_DOUBLE_EQ(meter.result().cosine_similarity, 0.0);
}

TEST(ErrorMeter, ComparesFloatBitsExactly) {
  ErrorMeter meter({});
  const auto first = meter.add_exact(tensor<float>(DType::kFloat32, {0.0F}),
                                     tensor<float>(DType::kFloat32, {-0.0F}));
  EXPECT_TRUE(first);
}

TEST(ClassMeter, LowestIndexWinsTies) {
  ClassMeter meter;
  const std::vector<double> tie = {0, 3, 3, 1, 0, 0, 0};
  meter.add(tie, tie);
  EXPECT_DOUBLE_EQ(meter.top1(), 1.0);
  meter.add_label(tie, 2);
  EXPECT_DOUBLE_EQ(meter.top1(), 0.5);
  EXPECT_DOUBLE_EQ(meter.top5(), 1.0);
  meter.add_label(tie, 5);  // Behind 1, 2, 3, 0 and 4.
  EXPECT_DOUBLE_EQ(meter.top5(), 2.0 / 3);
}

TEST(ClassMeter, RefusesALabelThatIsNoClass) {
  ClassMeter meter;
  const std::vector<double> scores = {1, 2, 3};
  try {
    meter.add_label(scores, 3);
    FAIL() << "accepted label 3 of 3 classes";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("3 is not one of the 3 classes"));
  }
}

TEST(ClassVector, OnlyTheLastDimensionCounts) {
  EXPECT_TRUE(is_class_vector({1, 10}));
  EXPECT_TRUE(is_class_vector({10}));
  EXPECT_FALSE(is_class_vector({1, 1}));
  EXPECT_FALSE(is_class_vector({2, 10}));
  EXPECT_FALSE(is_class_vector({}));
}

}  // namespace
}  // namespace npu::report
