#pragma once

#include <cstdint>

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
[[nodiscard]] std::int32_t high_multiply(std::int32_t a, std::int32_t b);

/// x / 2^exponent, ties away from zero; 0 ≤ exponent ≤ 31.
[[nodiscard]] std::int32_t rounding_shift_right(std::int32_t x, int exponent);

/// x · multiplier · 2^(shift − 31) rounded as `rounding` says. int32 accumulators.
[[nodiscard]] std::int32_t rescale(std::int32_t x, FixedMultiplier m, Rounding rounding);

/// The 16×8 path: int64 accumulator, multiplier reduced to 16 bits, one rounding.
[[nodiscard]] std::int32_t rescale_wide(std::int64_t x, FixedMultiplier m);

// Fixed-point functions behind softmax, logistic and tanh (reference/tflite_format.md §13).
/// exp(a) for a ≤ 0 in Qk.(31−k), 0 ≤ k ≤ 5 integer bits; the result is Q0.31.
[[nodiscard]] std::int32_t exp_on_negative(std::int32_t a, int integer_bits);
/// 1 / (1 + a) for a in Q0.31, a ≥ 0; the result is Q0.31.
[[nodiscard]] std::int32_t one_over_one_plus(std::int32_t a);
/// 1 / (1 + exp(−a)) for a in Q4.27; the result is Q0.31.
[[nodiscard]] std::int32_t logistic_q4(std::int32_t a);
/// tanh(a) for a in Q4.27; the result is Q0.31.
[[nodiscard]] std::int32_t tanh_q4(std::int32_t a);

}  // namespace npu
