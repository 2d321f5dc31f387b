// SOFTMAX over floats in three and in two passes: the rule, and how far it takes them apart.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/reference/floats.h"
#include "sim/base/half.h"
#include "tests/support/graph_maker.h"
#include "tests/unit/reference/graphs.h"

namespace npu::reference {
namespace {

using graph::OpKind;
using graph::SoftmaxAttrs;
using test::run_unary;
using test::tensor;
using test::values_of;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<float> softmax(const std::vector<float>& row, const SoftmaxAttrs& attrs) {
  const Shape shape = {1, std::ssize(row)};
  const test::TensorSpec plain{DType::kFloat32, shape, {}, {}};
  return values_of<float>(
      run_unary(OpKind::kSoftmax, plain, plain, tensor(DType::kFloat32, shape, row), attrs));
}

/// float32's exponential, through double.
float exponential(float x) { return static_cast<float>(std::exp(static_cast<double>(x))); }

/// Milakov and Gimelshein's rule, block by block: m' = max(m, block), l' = l · exp(m − m') +
/// exp(x − m') + …, y = exp(x − m) · (1 / l).
std::vector<float> oracle(const std::vector<float>& x, std::size_t block) {
  float m = std::numeric_limits<float>::lowest();
  float l = 0;
  for (std::size_t first = 0; first < x.size(); first += block) {
    const std::size_t end = std::min(first + block, x.size());
    const float before = m;
    for (std::size_t i = first; i < end; ++i) m = std::max(m, x[i]);
    if (first > 0) l = l * exponential(before - m);
    for (std::size_t i = first; i < end; ++i) l = l + exponential(x[i] - m);
  }
  const float factor = 1 / l;
  std::vector<float> y;
  for (const float v : x) y.push_back(exponential(v - m) * factor);
  return y;
}

TEST(SoftmaxPasses, TwoFollowTheRuleToTheBit) {
  std::mt19937_64 rng(7);
  npu::test::Draw draw(rng);
  for (int i = 0; i < 200; ++i) {
    std::vector<float> row(static_cast<std::size_t>(draw.integer(1, 90)));
    const double reach = draw.ratio(0.1, 100);
    for (float& v : row) v = static_cast<float>(draw.real(-reach, reach));
    if (row.size() > 1 && draw.one_in(3)) row[0] = -kInfinity;  // masked
    const auto block = draw.integer(1, std::ssize(row));
    ASSERT_EQ(softmax(row, {.block = block}), oracle(row, static_cast<std::size_t>(block)))
        << "row " << i << " in blocks of " << block;
  }
}

TEST(SoftmaxPasses, BetaScalesTheChangeOfTheMaximumToo) {
  // Blocks {0}, {1}, {3}: l = (1 · e^(−1β) + 1) · e^(−2β) + 1.
  const float beta = 0.5F;
  const float l = (exponential(-0.5F) + 1) * exponential(-1.0F) + 1;
  const float factor = 1 / l;
  EXPECT_EQ(softmax({0, 1, 3}, {.beta = beta, .block = 1}),
            (std::vector<float>{exponential(-1.5F) * factor, exponential(-1.0F) * factor, factor}));
}

TEST(SoftmaxPasses, MaskedBlocksCountNothing) {
  const std::vector<float> masked = {-kInfinity, -kInfinity, 1, 1, -kInfinity};
  for (std::int64_t block = 1; block <= 5; ++block)
    EXPECT_EQ(softmax(masked, {.block = block}), (std::vector<float>{0, 0, 0.5F, 0.5F, 0}));
}

TEST(SoftmaxPasses, WhatIsNoNumberWithoutBlocksIsNoneWithThem) {
  for (const std::vector<float>& row : {std::vector<float>{1, kNan, 2},
                                        {kNan, 1, 2},
                                        {1, 2, kInfinity},
                                        {kInfinity, 1, 2},
                                        {-kInfinity, -kInfinity, -kInfinity}}) {
    for (std::int64_t block = 0; block <= 3; ++block) {
      for (const float y : softmax(row, {.block = block})) EXPECT_TRUE(std::isnan(y)) << block;
    }
  }
}

/// Half of the distance of neighbouring values near 1, and of the smallest ones.
struct Rounding {
  double unit = 0, least = 0;
};
Rounding rounding_of(DType type) {
  if (type == DType::kFloat16) return {0x1p-11, 0x1p-25};
  if (type == DType::kBfloat16) return {0x1p-8, 0x1p-134};
  return {0, 0};
}

double real(const TensorData& data, std::size_t i) {
  if (data.type == DType::kFloat32) return static_cast<double>(data.as<float>()[i]);
  const std::uint16_t bits = data.as<std::uint16_t>()[i];
  return static_cast<double>(data.type == DType::kFloat16 ? half_to_float(bits)
                                                          : bfloat_to_float(bits));
}

class SoftmaxVariants : public testing::TestWithParam<std::uint64_t> {};

/// The bound of docs/numerics.md.
TEST_P(SoftmaxVariants, DifferByTheirRoundingsOnly) {
  for (std::uint64_t i = 0; i < 60; ++i) {
    const std::uint64_t seed = GetParam() * 60 + i;
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 rng(seed);
    npu::test::Draw draw(rng);
    const DType type = draw.any_of({DType::kFloat16, DType::kBfloat16, DType::kFloat32});
    const std::int64_t n = i % 6 == 0 ? draw.integer(500, 3000) : draw.integer(1, 90);
    const Shape shape = {2, n};
    const test::TensorSpec plain{type, shape, {}, {}};
    const auto beta = static_cast<float>(draw.one_in(2) ? 1 : draw.real(0.1, 3));
    TensorData x = TensorData::zeros(type, shape);
    const double reach = draw.ratio(0.1, 80);
    std::vector<float> values(static_cast<std::size_t>(x.size()));
    for (float& v : values) v = static_cast<float>(draw.real(-reach, reach));
    store_floats(x, values);
    const TensorData three = run_unary(OpKind::kSoftmax, plain, plain, x, SoftmaxAttrs{beta});
    const std::int64_t block = draw.integer(1, n);
    const TensorData two = run_unary(OpKind::kSoftmax, plain, plain, x, SoftmaxAttrs{beta, block});

    const double blocks = std::ceil(static_cast<double>(n) / static_cast<double>(block));
    const Rounding narrow = rounding_of(type);
    const double share = 1.05 * (420 + 2 * static_cast<double>(n) + 2 * blocks) * 0x1p-24;
    for (std::size_t e = 0; e < static_cast<std::size_t>(three.size()); ++e) {
      const double y = std::max(real(three, e), real(two, e));
      ASSERT_LE(std::abs(real(three, e) - real(two, e)),
                (share + 2 * narrow.unit) * y + 2 * narrow.least + 0x1p-149)
          << "element " << e << " in blocks of " << block;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, SoftmaxVariants, testing::Range<std::uint64_t>(0, 8));

}  // namespace
}  // namespace npu::reference
