#include "kernels/llm/small_floats.h"

#include <bit>
#include <cmath>

#include "workloads/llm/group_quantize.h"

namespace npu::llm_kernels {
namespace {

constexpr std::uint16_t kHalfInfinity = 0x7c00;

std::uint16_t half_bits(float value) {
  const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000U : 0U);
  if (std::isnan(value)) return 0x7e00;
  const float rounded = std::fabs(llm::round_to_binary16(value));
  if (std::isinf(rounded)) return static_cast<std::uint16_t>(sign | kHalfInfinity);
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(rounded);
  // Subnormal: a multiple of 2^-24. Normal: the exponent's bias falls from 127 to 15.
  const std::uint32_t half = rounded < 0x1p-14F
                                 ? static_cast<std::uint32_t>(std::ldexp(rounded, 24))
                                 : (bits >> 13U) - (112U << 10U);
  return static_cast<std::uint16_t>(sign | half);
}

std::uint16_t bfloat_bits(float value) {
  if (std::isnan(value)) return 0x7fc0;
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16U & 1U)) >> 16U);
}

template <typename T>
void append_little_endian(std::vector<std::byte>& bytes, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes.push_back(static_cast<std::byte>(value >> (8 * i) & 255U));
  }
}

}  // namespace

void append_float(std::vector<std::byte>& bytes, float value, Code code) {
  switch (code) {
    case Code::kFloat32:
      return append_little_endian(bytes, std::bit_cast<std::uint32_t>(value));
    case Code::kFloat16:
      return append_little_endian(bytes, half_bits(value));
    case Code::kBfloat16:
      return append_little_endian(bytes, bfloat_bits(value));
    case Code::kInt8:
    case Code::kInt32:
      NPU_CHECK(false, "a float type");
  }
}

}  // namespace npu::llm_kernels
