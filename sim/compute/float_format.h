#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace npu::compute {

// Conversions from float32 and from integers, as docs/numerics.md has them. Written without
// branches, so that loops over them vectorize. half.h has those to float32.

inline constexpr std::uint32_t kFloatMagnitude = 0x7fffffffU;
inline constexpr std::uint32_t kFloatInfinity = 0x7f800000U;
inline constexpr std::uint32_t kFloatNan = 0x7fc00000U;  ///< The only NaN that is stored.

/// The same value; NaNs become the one that is stored.
[[nodiscard]] inline std::uint32_t float_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return (bits & kFloatMagnitude) > kFloatInfinity ? kFloatNan : bits;
}

/// To IEEE binary16, to nearest even.
[[nodiscard]] inline std::uint16_t half_bits(float value) {
  constexpr std::uint32_t kFirstNormal = 0x38800000U;  // 2^-14
  constexpr std::uint32_t kOverflow = 0x477ff000U;     // 65520, halfway beyond the largest
  constexpr std::uint32_t kRebias = 112U << 23;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t magnitude = bits & kFloatMagnitude;
  const std::uint32_t sign = bits >> 16 & 0x8000U;
  const std::uint32_t normal = (magnitude - kRebias + 0xfffU + (magnitude >> 13 & 1U)) >> 13;
  // 0.5 has the last place of a subnormal half: the sum rounds there.
  const float sum = std::bit_cast<float>(magnitude) + 0.5F;
  const std::uint32_t subnormal = std::bit_cast<std::uint32_t>(sum) - 0x3f000000U;
  std::uint32_t half = magnitude < kFirstNormal ? subnormal : normal;
  half = magnitude >= kOverflow ? 0x7c00U : half;
  half |= sign;
  return static_cast<std::uint16_t>(magnitude > kFloatInfinity ? 0x7e00U : half);
}

/// To bfloat16, to nearest even.
[[nodiscard]] inline std::uint16_t bfloat_bits(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
  const bool is_nan = (bits & kFloatMagnitude) > kFloatInfinity;
  return static_cast<std::uint16_t>(is_nan ? 0x7fc0U : rounded);
}

/// Cut towards zero, saturated to [low, high], NaN gives 0. `high + 1` and `low` are powers of two,
/// so exact.
template <typename T>
[[nodiscard]] inline T integer_of(float value) {
  constexpr auto kLow = static_cast<float>(std::numeric_limits<T>::min());
  constexpr auto kBeyond = static_cast<float>(std::int64_t{std::numeric_limits<T>::max()} + 1);
  const float known = value == value ? value : 0.0F;
  const float low = known < kLow ? kLow : known;
  const float inside = low >= kBeyond ? 0.0F : low;
  const auto cut = static_cast<T>(static_cast<std::int32_t>(inside));
  return low >= kBeyond ? std::numeric_limits<T>::max() : cut;
}

/// round half even(value) + zero, saturated to T; NaN gives 0.
template <typename T>
[[nodiscard]] inline T quantized_of(float value, std::int32_t zero) {
  constexpr auto kLow = static_cast<double>(std::numeric_limits<T>::min());
  constexpr auto kHigh = static_cast<double>(std::numeric_limits<T>::max());
  const double sum = static_cast<double>(__builtin_rintf(value)) + zero;
  const double known = sum == sum ? sum : 0.0;
  const double low = known < kLow ? kLow : known;
  return static_cast<T>(static_cast<std::int32_t>(low > kHigh ? kHigh : low));
}

/// An integer with at most 24 significant bits, the last of them 1 where bits were cut off: rounds
/// to a narrower format as the integer itself does.
[[nodiscard]] inline float odd_float_of(std::int64_t value) {
  constexpr int kBits = 24;
  const bool negative = value < 0;
  auto magnitude = static_cast<std::uint64_t>(value);
  if (negative) magnitude = 0 - magnitude;
  const int cut = static_cast<int>(std::bit_width(magnitude)) - kBits;
  if (cut > 0) {
    const std::uint64_t kept = magnitude >> cut;
    const bool rest = (magnitude & ((std::uint64_t{1} << cut) - 1)) != 0;
    magnitude = (kept | (rest ? 1U : 0U)) << cut;
  }
  const auto result = static_cast<float>(magnitude);
  return negative ? -result : result;
}

}  // namespace npu::compute
