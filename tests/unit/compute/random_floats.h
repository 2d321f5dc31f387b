#pragma once

#include <cmath>

#include "tests/unit/compute/float_values.h"
#include "tests/unit/compute/random_operands.h"

namespace npu::test {

/// Elements of a type: mostly of moderate size, some the type's extremes. Integers keep what the
/// memory has.
inline void fill_values(Draw& draw, MemoryBytes& memory, std::int64_t at, std::int64_t count,
                        std::int64_t type, bool extremes = true) {
  if (!is_float_type(type)) return;
  const std::int64_t bytes = bytes_of(type);
  for (std::int64_t i = 0; i < count; ++i) {
    long double v = static_cast<long double>(draw(-1'000'000, 1'000'000)) *
                    std::ldexp(1.0L, static_cast<int>(draw(-24, -14)));
    if (extremes && draw.chance(12)) {
      const long double specials[] = {0.0L,
                                      -0.0L,
                                      1e-7L,
                                      -1e-40L,
                                      65504.0L,
                                      -65520.0L,
                                      3e38L,
                                      1.0L,
                                      0.5L,
                                      -2.5L,
                                      std::numeric_limits<long double>::infinity(),
                                      -std::numeric_limits<long double>::infinity(),
                                      std::numeric_limits<long double>::quiet_NaN(),
                                      2147483648.0L,
                                      -129.0L,
                                      255.5L};
      v = specials[draw(0, 15)];
    }
    put_bits(memory, at + i * bytes, encode(v, type), bytes);
  }
}

[[nodiscard]] inline std::int64_t bits_of(float value) {
  return std::bit_cast<std::uint32_t>(value);
}

}  // namespace npu::test
