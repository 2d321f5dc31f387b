#pragma once

#include <cstdint>

#include "sim/base/function.h"

namespace npu::reference {

/// f(a, b) in float32 as docs/numerics.md has it: one rounding, transcendental functions through
/// double. Functions of one operand ignore b. kSelect, kDequantize, kQuantize and the functions of
/// integers alone are not here.
[[nodiscard]] float float_function(MapFunction function, float a, float b, double imm0,
                                   double imm1);

/// f(a, b) in 64-bit integers, modulo 2^64. @pre !is_real_function(function).
[[nodiscard]] std::int64_t integer_function(MapFunction function, std::int64_t a, std::int64_t b,
                                            std::int64_t imm0, std::int64_t imm1);

/// NaN where an operand is; else a < b ? b : a, and b < a ? b : a.
[[nodiscard]] float larger(float a, float b);
[[nodiscard]] float smaller(float a, float b);

}  // namespace npu::reference
