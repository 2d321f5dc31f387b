#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace npu {

/// Rounding of the requantization step, a property of the hardware.
enum class Rounding : std::uint8_t { kTfliteDouble, kTfliteSingle, kFloatRne };

/// real ≈ multiplier · 2^(shift − 31), the Q31 multiplier in [2^30, 2^31) or 0.
struct FixedMultiplier {
  std::int32_t multiplier = 0;
  std::int32_t shift = 0;  ///< > 0: left shift.
};

/// Splits `real` (≥ 0, finite) into a Q31 multiplier and a power of two.
/// Source: reference/quant_semantics.yaml, quantize_multiplier.
[[nodiscard]] FixedMultiplier quantize_multiplier(double real);

/// Saturating rounding doubling high multiply: floor((a·b + 2^30) / 2^31).
/// Only INT32_MIN · INT32_MIN saturates, to INT32_MAX.
[[nodiscard]] inline std::int32_t high_multiply(std::int32_t a, std::int32_t b) {
  constexpr std::int32_t kLowest = std::numeric_limits<std::int32_t>::min();
  const std::int64_t product = std::int64_t{a} * b + (std::int64_t{1} << 30);
  return a == kLowest && b == kLowest ? std::numeric_limits<std::int32_t>::max()
                                      : static_cast<std::int32_t>(product >> 31);
}

/// x / 2^exponent, ties away from zero; 0 ≤ exponent ≤ 31.
[[nodiscard]] inline std::int32_t rounding_shift_right(std::int32_t x, int exponent) {
  const auto mask = static_cast<std::int32_t>((std::uint32_t{1} << exponent) - 1);
  const std::int32_t remainder = x & mask;
  const std::int32_t threshold = (mask >> 1) + (x < 0 ? 1 : 0);
  return (x >> exponent) + (remainder > threshold ? 1 : 0);
}

/// x · 2^count modulo 2^32; 0 ≤ count ≤ 31.
[[nodiscard]] inline std::int32_t shift_left_wrap(std::int32_t x, int count) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(x) << count);
}

/// x · multiplier · 2^(shift − 31) rounded as `rounding` says. int32 accumulators.
/// A shift outside [−31, 31] acts as the nearest of the two (kTfliteSingle: [−31, 30]); x · 2^shift
/// wraps in 32 bits with kTfliteDouble, the 64-bit result with kTfliteSingle keeps its low 32 bits,
/// kFloatRne saturates.
[[nodiscard]] std::int32_t rescale(std::int32_t x, FixedMultiplier m, Rounding rounding);

// The three roundings as branch-free bodies that a loop over channels vectorizes. 0 ≤ left, right ≤
// 31, one of them 0.
[[nodiscard]] inline std::int32_t rescale_double(std::int32_t x, std::int32_t multiplier, int left,
                                                 int right) {
  return rounding_shift_right(high_multiply(shift_left_wrap(x, left), multiplier), right);
}
/// @param total_shift  31 − shift, in [1, 62].
[[nodiscard]] inline std::int32_t rescale_single(std::int32_t x, std::int32_t multiplier,
                                                 int total_shift) {
  const std::int64_t rounded =
      std::int64_t{x} * multiplier + (std::int64_t{1} << (total_shift - 1));
  return static_cast<std::int32_t>(rounded >> total_shift);
}
/// @param scale  multiplier · 2^(shift − 31) in float32. Accumulator and product are rounded to
/// float32 too.
[[nodiscard]] inline std::int32_t rescale_float(std::int32_t x, float scale) {
  constexpr float kLimit = 2147483648.0F;
  const float rounded = std::nearbyint(static_cast<float>(x) * scale);
  if (!(rounded < kLimit)) return std::numeric_limits<std::int32_t>::max();
  return rounded < -kLimit ? std::numeric_limits<std::int32_t>::min()
                           : static_cast<std::int32_t>(rounded);
}
[[nodiscard]] float float_scale(FixedMultiplier m);  ///< The scale of rescale_float.

/// The 16×8 path: int64 accumulator, multiplier reduced to 16 bits, one rounding. Exact for |x| <
/// 2^47; beyond, and for results beyond int32, the low bits remain. A shift outside [−31, 14] acts
/// as the nearest of the two.
[[nodiscard]] inline std::int32_t rescale_wide(std::int64_t x, FixedMultiplier m) {
  const std::int32_t reduced =
      m.multiplier < 0x7FFF0000 ? (m.multiplier + (1 << 15)) >> 16 : 0x7FFF;
  const int total_shift = 15 - std::clamp(m.shift, -31, 14);
  const auto product =
      static_cast<std::uint64_t>(x) * static_cast<std::uint64_t>(std::int64_t{reduced});
  const auto rounded = static_cast<std::int64_t>(product + (std::uint64_t{1} << (total_shift - 1)));
  return static_cast<std::int32_t>(rounded >> total_shift);
}

// Fixed-point functions behind softmax, logistic and tanh (reference/tflite_format.md §13).
/// exp(a) for a ≤ 0 in Qk.(31−k), 0 ≤ k ≤ 5 integer bits; the result is Q0.31.
[[nodiscard]] std::int32_t exp_on_negative(std::int32_t a, int integer_bits);
/// x · 2^count saturated to int32; 0 ≤ count ≤ 31.
[[nodiscard]] std::int32_t saturating_shift_left(std::int32_t x, int count);
/// 1 / (1 + a) for a in Q0.31, a ≥ 0; the result is Q0.31.
[[nodiscard]] std::int32_t one_over_one_plus(std::int32_t a);
/// 1 / (1 + exp(−a)) for a in Q4.27; the result is Q0.31.
[[nodiscard]] std::int32_t logistic_q4(std::int32_t a);
/// tanh(a) for a in Q4.27; the result is Q0.31.
[[nodiscard]] std::int32_t tanh_q4(std::int32_t a);

}  // namespace npu
