#pragma once

#include <cstdint>

namespace npu::reference {

// Integer primitives of quantized inference with double rounding, written from their definitions
// alone. Source: TensorFlow Lite Micro's reference kernels (common.h, quantization_util) and
// gemmlowp's fixedpoint.h.

/// real ≈ value · 2^(shift − 31) with value in [2^30, 2^31), or 0.
struct Multiplier {
  std::int32_t value = 0;
  int shift = 0;  ///< > 0: to the left.

  friend bool operator==(const Multiplier&, const Multiplier&) = default;
};

/// Splits a ratio of scales into its Q31 multiplier; ratios below 2^-32 become 0.
/// @throws Error if `real` is negative, not finite or at least 2^30.
[[nodiscard]] Multiplier to_multiplier(double real);

/// floor((a·b + 2^30) / 2^31), saturated to int32: ties go toward +∞.
[[nodiscard]] inline std::int32_t high_multiply(std::int32_t a, std::int32_t b) {
  const std::int64_t rounded = (static_cast<std::int64_t>(a) * b + (std::int64_t{1} << 30)) >> 31;
  return rounded > INT32_MAX ? INT32_MAX : static_cast<std::int32_t>(rounded);
}

/// x / 2^exponent, ties away from zero; 0 ≤ exponent ≤ 31.
[[nodiscard]] inline std::int32_t round_shift(std::int32_t x, int exponent) {
  if (exponent == 0) return x;
  const std::int64_t half = std::int64_t{1} << (exponent - 1);
  return static_cast<std::int32_t>((x + half - (x < 0 ? 1 : 0)) >> exponent);
}

/// x · 2^count modulo 2^32; 0 ≤ count ≤ 31.
[[nodiscard]] inline std::int32_t shift_left(std::int32_t x, int count) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(x) << count);
}

/// x · 2^count saturated to int32; 0 ≤ count ≤ 31.
[[nodiscard]] std::int32_t shift_left_saturating(std::int32_t x, int count);

/// x · m with two roundings: after the high multiply and after the right shift.
[[nodiscard]] inline std::int32_t rescale(std::int32_t x, Multiplier m) {
  if (m.shift > 0) return high_multiply(shift_left(x, m.shift), m.value);
  return round_shift(high_multiply(x, m.value), -m.shift);
}

/// x · m for the 64-bit accumulators of int16 activations: the multiplier is reduced to 16 bits and
/// the product rounded once, ties toward +∞. |x| < 2^47; the shift must be at most 14.
[[nodiscard]] std::int32_t rescale_wide(std::int64_t x, Multiplier m);

/// exp(a) in Q0.31 for a ≤ 0 in Qk.(31−k), where k = integer_bits, 0 ≤ k ≤ 5.
[[nodiscard]] std::int32_t exp_of_negative(std::int32_t a, int integer_bits);

/// 1 / (1 + a) in Q0.31 for a ≥ 0 in Q0.31.
[[nodiscard]] std::int32_t reciprocal_of_one_plus(std::int32_t a);

/// 1 / (1 + exp(−a)) in Q0.31 for a in Q4.27.
[[nodiscard]] std::int32_t fixed_logistic(std::int32_t a);

/// tanh(a) in Q0.31 for a in Q4.27.
[[nodiscard]] std::int32_t fixed_tanh(std::int32_t a);

}  // namespace npu::reference
