#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "kernels/reference/invocation.h"

namespace npu::reference {

/// What general operators compute with: fp32 values or 64-bit integers.
using Floats = std::vector<float>;
using Integers = std::vector<std::int64_t>;
using Numbers = std::variant<Floats, Integers>;

/// Whether quantized tensors stand for their real values, or for the integers that they hold.
enum class Quantized : std::uint8_t { kReal, kRaw };

/// The values of an operand: floats widened, quantized integers as fp32(fp32(q − zero point) ·
/// scale), other integers as they are.
[[nodiscard]] Numbers load_numbers(const Invocation& call, std::size_t index,
                                   Quantized quantized = Quantized::kReal);
/// … widened to fp32 where they are integers.
[[nodiscard]] Floats load_reals(const Invocation& call, std::size_t index);
[[nodiscard]] Floats to_floats(const Numbers& values);

/// Puts the values into the node's output: floats into quantized integers as clamp(rint(fp32(v /
/// scale)) + zero point), everything else as docs/numerics.md says under Storing. In float
/// inference the real values stay as they are.
void store_numbers(Invocation& call, const Numbers& values, Quantized quantized = Quantized::kReal);

/// The conversions behind it. Quantized results saturate, NaN gives 0.
[[nodiscard]] std::int64_t quantized_value(float value, float scale, std::int32_t zero_point,
                                           DType type);
/// A float as an integer of the type: cut, saturated, NaN gives 0.
[[nodiscard]] std::int64_t integer_value(float value, DType type);
/// Nearest float16 or bfloat16, ties to even, as bits. Exact operands of any size.
[[nodiscard]] std::uint16_t narrow_bits(long double value, DType type);

}  // namespace npu::reference
