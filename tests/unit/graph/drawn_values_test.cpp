#include "workloads/graph/drawn_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "sim/base/error.h"
#include "sim/base/half.h"

namespace npu::graph {
namespace {

constexpr std::int64_t kCount = 100'000;

template <typename T>
std::vector<T> draw(DType type, double deviation, double mean, std::uint64_t seed = 7,
                    const char* name = "w") {
  const std::vector<std::byte> bytes = draw_values(type, kCount, deviation, mean, seed, name);
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

struct Moments {
  double mean = 0, deviation = 0;
};
template <typename T, typename Value>
Moments moments(const std::vector<T>& values, Value&& value) {
  double sum = 0, squares = 0;
  for (const T v : values) {
    sum += value(v);
    squares += value(v) * value(v);
  }
  const auto n = static_cast<double>(values.size());
  return {sum / n, std::sqrt(squares / n - sum / n * sum / n)};
}

TEST(DrawnValues, Int8) {
  const std::vector<std::int8_t> v = draw<std::int8_t>(DType::kInt8, 0, 0);
  const Moments m = moments(v, [](std::int8_t x) { return static_cast<double>(x); });
  EXPECT_NEAR(m.mean, 0, 1);
  EXPECT_NEAR(m.deviation, kDrawnInt8Deviation, 0.5);
  EXPECT_EQ(*std::min_element(v.begin(), v.end()), -127);
  EXPECT_EQ(*std::max_element(v.begin(), v.end()), 127);
}

TEST(DrawnValues, Floats) {
  const Moments wide = moments(draw<float>(DType::kFloat32, 0.25, 1),
                               [](float x) { return static_cast<double>(x); });
  EXPECT_NEAR(wide.mean, 1, 0.01);
  EXPECT_NEAR(wide.deviation, 0.25, 0.005);
  const Moments half = moments(draw<std::uint16_t>(DType::kFloat16, 2, 0), [](std::uint16_t x) {
    return static_cast<double>(half_to_float(x));
  });
  EXPECT_NEAR(half.deviation, 2, 0.02);
  const Moments bfloat = moments(draw<std::uint16_t>(DType::kBfloat16, 2, 0), [](std::uint16_t x) {
    return static_cast<double>(bfloat_to_float(x));
  });
  EXPECT_NEAR(bfloat.deviation, 2, 0.02);
}

TEST(DrawnValues, Int32StaysInRange) {
  for (const std::int32_t v : draw<std::int32_t>(DType::kInt32, 1e12, 0)) {
    EXPECT_LE(std::abs(static_cast<double>(v)), 0x1p30);
  }
}

/// The first bytes, for good: a file made by one version is that of the next.
TEST(DrawnValues, TheStreamIsFixed) {
  const std::vector<std::byte> bytes = draw_values(DType::kInt8, 4, 0, 0, 42, "fc.weights");
  EXPECT_EQ(bytes, draw_values(DType::kInt8, 4, 0, 0, 42, "fc.weights"));
  const std::vector<std::int8_t> a = draw<std::int8_t>(DType::kInt8, 0, 0, 1, "a");
  EXPECT_NE(a, (draw<std::int8_t>(DType::kInt8, 0, 0, 2, "a")));
  EXPECT_NE(a, (draw<std::int8_t>(DType::kInt8, 0, 0, 1, "b")));
  // SplitMix64 from state 0 gives e220a8397b1dcdaf first; FNV-1a of "" is cbf29ce484222325.
  const std::uint64_t seed = 0 - std::uint64_t{0xcbf29ce484222325};
  const double u = (static_cast<double>(std::uint64_t{0xe220a8397b1dcdaf} >> 11) + 0.5) * 0x1p-53;
  EXPECT_EQ(static_cast<int>(draw_values(DType::kInt8, 1, 0, 0, seed, "")[0]),
            static_cast<int>(std::floor(255 * u)) - 127);
}

TEST(DrawnValues, StoresFloatsToNearestEven) {
  const auto bits = [](DType type, double value) {
    std::uint16_t x = 0;
    std::memcpy(&x, store_floats(type, {value}).data(), sizeof(x));
    return x;
  };
  EXPECT_EQ(bits(DType::kFloat16, 1), 0x3c00);
  EXPECT_EQ(bits(DType::kFloat16, -2), 0xc000);
  EXPECT_EQ(bits(DType::kFloat16, 0), 0);
  EXPECT_EQ(bits(DType::kFloat16, 65504), 0x7bff);
  EXPECT_EQ(bits(DType::kFloat16, 65520), 0x7c00);
  EXPECT_EQ(bits(DType::kFloat16, 1 + 0x1p-11), 0x3c00) << "tie to even";
  EXPECT_EQ(bits(DType::kFloat16, 1 + 3 * 0x1p-11), 0x3c02) << "tie to even";
  EXPECT_EQ(bits(DType::kFloat16, 2 - 0x1p-12), 0x4000) << "carry into the exponent";
  EXPECT_EQ(bits(DType::kFloat16, 0x1p-24), 0x0001);
  EXPECT_EQ(bits(DType::kFloat16, 0x1p-14), 0x0400);
  EXPECT_EQ(bits(DType::kBfloat16, 1), 0x3f80);
  EXPECT_EQ(bits(DType::kBfloat16, 1 + 0x1p-8), 0x3f80) << "tie to even";
  EXPECT_EQ(bits(DType::kBfloat16, 1 + 3 * 0x1p-8), 0x3f82) << "tie to even";
  EXPECT_EQ(store_floats(DType::kFloat32, {1.0, 2.0}).size(), 8U);
}

TEST(DrawnValues, OtherTypesAreRefused) {
  try {
    (void)draw_values(DType::kInt64, 1, 1, 0, 1, "w");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "values of type int64 are not drawn");
  }
}

}  // namespace
}  // namespace npu::graph
