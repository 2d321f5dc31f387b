// Small float formats against their published tables and by properties over every code.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "workloads/onnx/value.h"

namespace npu::onnx {
namespace {

struct Named {
  ElementType type;
  double value;
  std::uint16_t bits;
};

// OCP OFP8 table 2, IEEE 754 binary16, OCP MX E2M1: largest, smallest normal, smallest subnormal.
constexpr Named kKnown[] = {
    {ElementType::kFloat16, 65504, 0x7BFF},     {ElementType::kFloat16, 1, 0x3C00},
    {ElementType::kFloat16, 0x1p-14, 0x0400},   {ElementType::kFloat16, 0x1p-24, 0x0001},
    {ElementType::kBfloat16, 1, 0x3F80},        {ElementType::kBfloat16, -2, 0xC000},
    {ElementType::kFloat8E4M3Fn, 448, 0x7E},    {ElementType::kFloat8E4M3Fn, 0x1p-6, 0x08},
    {ElementType::kFloat8E4M3Fn, 0x1p-9, 0x01}, {ElementType::kFloat8E5M2, 57344, 0x7B},
    {ElementType::kFloat8E5M2, 0x1p-14, 0x04},  {ElementType::kFloat8E5M2, 0x1p-16, 0x01},
    {ElementType::kFloat8E4M3Fnuz, 240, 0x7F},  {ElementType::kFloat8E5M2Fnuz, 57344, 0x7F},
    {ElementType::kFloat4E2M1, 6, 0x7},         {ElementType::kFloat4E2M1, 0.5, 0x1},
    {ElementType::kFloat8E8M0, 1, 127},         {ElementType::kFloat8E8M0, 0x1p127, 254},
};

TEST(SmallFloats, KnownCodes) {
  for (const Named& k : kKnown) {
    EXPECT_EQ(encode_small_float(k.type, k.value, true), k.bits)
        << name_of(k.type) << " " << k.value;
    EXPECT_EQ(decode_small_float(k.type, k.bits), k.value) << name_of(k.type) << " " << k.bits;
  }
}

class Formats : public testing::TestWithParam<ElementType> {};

TEST_P(Formats, EveryCodeSurvivesAndHalvesGoToEven) {
  const ElementType type = GetParam();
  const unsigned codes = 1U << bits_of(type);
  for (unsigned code = 0; code < codes; ++code) {
    const auto bits = static_cast<std::uint16_t>(code);
    const double value = decode_small_float(type, bits);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(decode_small_float(type, encode_small_float(type, value, true))));
      continue;
    }
    EXPECT_EQ(encode_small_float(type, value, std::isfinite(value)), bits) << value;
    if (code + 1 >= codes / 2 || type == ElementType::kFloat8E8M0) continue;
    const double next = decode_small_float(type, static_cast<std::uint16_t>(code + 1));
    if (!std::isfinite(next)) continue;
    const double middle = (value + next) / 2;
    EXPECT_EQ(encode_small_float(type, middle, true), code % 2 == 0 ? code : code + 1);
    EXPECT_EQ(encode_small_float(type, std::nextafter(middle, 0), true), code);
    EXPECT_EQ(encode_small_float(type, std::nextafter(middle, 1e300), true), code + 1);
  }
}

INSTANTIATE_TEST_SUITE_P(All, Formats,
                         testing::Values(ElementType::kFloat16, ElementType::kBfloat16,
                                         ElementType::kFloat8E4M3Fn, ElementType::kFloat8E4M3Fnuz,
                                         ElementType::kFloat8E5M2, ElementType::kFloat8E5M2Fnuz,
                                         ElementType::kFloat4E2M1, ElementType::kFloat8E8M0),
                         [](const auto& format) { return std::string(name_of(format.param)); });

TEST(SmallFloats, BeyondTheRange) {
  EXPECT_EQ(encode_small_float(ElementType::kFloat16, 1e6, true), 0x7C00);
  EXPECT_EQ(encode_small_float(ElementType::kFloat8E4M3Fn, 1e6, true), 0x7E);
  EXPECT_EQ(encode_small_float(ElementType::kFloat8E4M3Fn, 1e6, false), 0x7F);
  EXPECT_EQ(encode_small_float(ElementType::kFloat8E5M2, -1e6, false), 0xFC);
  EXPECT_EQ(encode_small_float(ElementType::kFloat4E2M1, -1e6, true), 0xF);
}

TEST(Value, IntegersWrapAndFloatsTruncate) {
  const std::vector<std::int64_t> in = {300, -1, 127};
  EXPECT_EQ(to_integers(from_integers(ElementType::kUint8, {3}, in)),
            (std::vector<std::int64_t>{44, 255, 127}));
  EXPECT_EQ(to_integers(from_integers(ElementType::kInt4, {3}, in)),
            (std::vector<std::int64_t>{-4, -1, -1}));
  const std::vector<double> real = {-1.9, 1.9, 0.5};
  EXPECT_EQ(to_integers(from_doubles(ElementType::kInt32, {3}, real)),
            (std::vector<std::int64_t>{-1, 1, 0}));
  EXPECT_EQ(to_integers(from_doubles(ElementType::kBool, {3}, real)),
            (std::vector<std::int64_t>{1, 1, 1}));
}

}  // namespace
}  // namespace npu::onnx
