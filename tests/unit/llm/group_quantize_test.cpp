#include "workloads/llm/group_quantize.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "kernels/llm_reference/forward.h"
#include "tests/support/llm_files.h"
#include "tests/unit/base/expect_error.h"
#include "workloads/llm/checkpoint.h"

namespace npu::llm {
namespace {

using testing::ElementsAre;

TEST(Binary16, RoundsTiesToEvenAndKeepsSubnormals) {
  EXPECT_EQ(round_to_binary16(1.0F + 0x1p-11F), 1.0F);
  EXPECT_EQ(round_to_binary16(1.0F + 0x3p-11F), 1.0F + 0x1p-9F);
  EXPECT_EQ(round_to_binary16(-65519.0F), -65504.0F);
  EXPECT_EQ(round_to_binary16(65520.0F), std::numeric_limits<float>::infinity());
  EXPECT_EQ(round_to_binary16(0x1p-24F), 0x1p-24F);
  EXPECT_EQ(round_to_binary16(0x1p-25F), 0.0F);
  EXPECT_EQ(round_to_binary16(0x1.8p-25F), 0x1p-24F);
  EXPECT_EQ(round_to_binary16(0.0F), 0.0F);
}

TEST(GroupQuantize, Q8) {
  const std::vector<float> x = {-2.54F, 1.0F, 0.03F, 0.01F};
  std::vector<std::int8_t> q(4);
  EXPECT_EQ(quantize_q8(x, q), 2.54F / 127.0F);
  EXPECT_THAT(q, ElementsAre(-127, 50, 2, 1)) << "1.5 and 0.5 go away from zero";
  EXPECT_EQ(quantize_q8(std::vector<float>(4, 0.0F), q), 0.0F);
  EXPECT_THAT(q, ElementsAre(0, 0, 0, 0));
}

TEST(GroupQuantize, Q4TakesTheSignOfTheLargest) {
  std::vector<std::int8_t> q(4);
  EXPECT_EQ(quantize_q4(std::vector<float>{4, -4, 2, 0.25F}, q), -0.5F);
  EXPECT_THAT(q, ElementsAre(-8, 7, -4, 0)) << "8 is cut to 7; -0.5 goes up";
  EXPECT_EQ(quantize_q4(std::vector<float>{-1, 0.9F, 0.3F, 0}, q), 0.125F);
  EXPECT_THAT(q, ElementsAre(-8, 7, 2, 0));
  EXPECT_EQ(quantize_q4(std::vector<float>(4, 0.0F), q), 0.0F);
  EXPECT_THAT(q, ElementsAre(0, 0, 0, 0));
}

/// A float matrix over a vector that the caller keeps.
Matrix matrix_of(const std::vector<float>& weights, std::int64_t rows, std::int64_t columns) {
  Matrix matrix;
  matrix.rows = rows;
  matrix.columns = columns;
  matrix.values = std::as_bytes(std::span(weights));
  return matrix;
}

TEST(GroupQuantize, RowsStartTheirOwnGroups) {
  const std::vector<float> weights = {1, 2, 4, 127, 7, 8, -8, 3, 2, 1};
  const auto q8 = quantize(matrix_of(weights, 2, 5), WeightFormat::kQ8, 4, "m");
  EXPECT_EQ(q8->matrix.groups(), 2);
  EXPECT_EQ(q8->matrix.scales.size(), 4);
  EXPECT_EQ(q8->matrix.at(0, 3), 127.0F);
  EXPECT_NEAR(q8->matrix.at(0, 4), 7.0F, 1e-6) << "a group of one element";
  const auto q4 = quantize(matrix_of(weights, 2, 5), WeightFormat::kQ4, 4, "m");
  EXPECT_EQ(q4->matrix.row_bytes(), 3);
  EXPECT_EQ(q4->matrix.quantized(1, 0), -8);
  EXPECT_EQ(q4->matrix.quantized(1, 1), 7);
  EXPECT_EQ(q4->matrix.quantized(1, 2), -3);
  EXPECT_EQ(q4->matrix.at(1, 4), 1.0F);
}

TEST(GroupQuantize, EveryFormatIsNearTheFloats) {
  test::LlmSizes sizes;
  sizes.shared_classifier = false;
  const std::string content = test::float_checkpoint(sizes);
  const Llama model = parse_checkpoint(test::bytes_of(content), "m.bin");
  const Llama q8 = with_weights(model, WeightFormat::kQ8);
  const Llama q4 = with_weights(model, WeightFormat::kQ4, 8);
  const Llama from_q8 = with_weights(q8, WeightFormat::kQ4, 8);
  for (std::int64_t row = 0; row < 8; ++row) {
    for (std::int64_t column = 0; column < 12; ++column) {
      const float exact = model.layers[1].down.at(row, column);
      EXPECT_NEAR(q8.layers[1].down.at(row, column), exact, 1.0 / 254 + 1e-6);
      EXPECT_NEAR(q4.layers[1].down.at(row, column), exact, 0.13);
      EXPECT_NEAR(from_q8.layers[1].down.at(row, column), exact, 0.14);
    }
  }
  EXPECT_NE(q8.classifier.values.data(), q8.embedding.values.data());
  EXPECT_EQ(with_weights(q8, WeightFormat::kQ8).embedding.values.data(),
            q8.embedding.values.data());
}

TEST(GroupQuantize, Errors) {
  const std::vector<float> nan = {1, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_EQ(error_of([&] { (void)quantize(matrix_of(nan, 1, 2), WeightFormat::kQ8, 2, "m"); }),
            "m: row 0, column 1: nan cannot be quantized");
  const std::vector<float> large = {1e6F, 1};
  EXPECT_EQ(error_of([&] { (void)quantize(matrix_of(large, 2, 1), WeightFormat::kQ4, 2, "m"); }),
            "m: row 0, column 0: the scale of the group is beyond binary16");
}

/// A product in groups against the same sum in exact arithmetic.
TEST(Multiply, GroupsAreSummedInOrder) {
  const std::vector<float> weights = {1, -2, 3, 4, 5, -6};
  const std::vector<float> x = {0.5F, 1, -1, 2, 4, 3};
  const auto q8 = quantize(matrix_of(weights, 1, 6), WeightFormat::kQ8, 4, "m");
  std::vector<float> y(1);
  llm_reference::multiply(q8->matrix, x, y);
  EXPECT_NEAR(y[0], 0.5 - 2 - 3 + 8 + 20 - 18, 0.2);
  // Integers by hand: group 1 weights (32,-64,95,127), x (32,64,-64,127); group 2 (106,-127),
  // (127,95).
  const auto first = static_cast<float>(32 * 32 - 64 * 64 - 95 * 64 + 127 * 127);
  const auto second = static_cast<float>(106 * 127 - 127 * 95);
  EXPECT_EQ(y[0], first * (4 / 127.0F) * (2 / 127.0F) + second * (6 / 127.0F) * (4 / 127.0F));
}

TEST(Multiply, AVectorThatIsNotFiniteGivesNaN) {
  const std::vector<float> weights = {1, -2, 3, 4};
  const auto q8 = quantize(matrix_of(weights, 1, 4), WeightFormat::kQ8, 2, "m");
  std::vector<float> y(1);
  for (const float odd :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    llm_reference::multiply(q8->matrix, std::vector<float>{1, 2, odd, 3}, y);
    EXPECT_TRUE(std::isnan(y[0]));
  }
}

}  // namespace
}  // namespace npu::llm
