#include "kernels/reference/floats.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "sim/base/half.h"

namespace npu::reference {

std::uint16_t to_half(float value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000U : 0U;
  if (std::isnan(value)) return 0x7e00U;
  const auto magnitude = static_cast<double>(std::abs(value));
  if (magnitude >= 65520.0) return static_cast<std::uint16_t>(sign | 0x7c00U);
  // Steps of 2^(e − 10), not below 2^-24; the scaled value is exact in double.
  const int exponent = magnitude == 0 ? -14 : std::max(std::ilogb(magnitude), -14);
  const double steps = std::nearbyint(std::ldexp(magnitude, 10 - exponent));
  // A carry into the next binade runs into the exponent field by itself.
  const auto code = static_cast<unsigned>(steps) + (static_cast<unsigned>(exponent + 14) << 10);
  return static_cast<std::uint16_t>(sign | code);
}

std::uint16_t to_bfloat(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return 0x7fc0U;
  const std::uint32_t dropped = bits & 0xffffU;
  std::uint32_t kept = bits >> 16;
  if (dropped > 0x8000U || (dropped == 0x8000U && (kept & 1U) != 0)) ++kept;
  return static_cast<std::uint16_t>(kept);
}

std::vector<float> load_floats(const View& view) {
  std::vector<float> values(static_cast<std::size_t>(view.size()));
  if (view.type == DType::kFloat32) {
    std::ranges::copy(view.as<float>(), values.begin());
  } else {
    std::ranges::transform(view.as<std::uint16_t>(), values.begin(),
                           view.type == DType::kFloat16 ? half_to_float : bfloat_to_float);
  }
  return values;
}

void store_floats(TensorData& out, std::span<const float> values) {
  if (out.type == DType::kFloat32) {
    std::ranges::transform(values, out.as<float>().begin(), [](float value) {
      return std::isnan(value) ? std::bit_cast<float>(0x7fc00000U) : value;
    });
  } else {
    std::ranges::transform(values, out.as<std::uint16_t>().begin(),
                           out.type == DType::kFloat16 ? to_half : to_bfloat);
  }
}

}  // namespace npu::reference
