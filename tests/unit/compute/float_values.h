#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <vector>

namespace npu::test {

// Element types in arithmetic alone, without the bit tricks of the units.

struct FloatFormat {
  int precision, lowest_exponent, highest_exponent;  ///< Of normal numbers, 1.x · 2^e.
};
[[nodiscard]] inline FloatFormat format_of(std::int64_t type) {
  return type == 4   ? FloatFormat{11, -14, 15}
         : type == 5 ? FloatFormat{8, -126, 127}
                     : FloatFormat{24, -126, 127};
}
[[nodiscard]] inline std::int64_t bytes_of(std::int64_t type) {
  return type < 2 ? 1 : type == 2 || type == 4 || type == 5 ? 2 : 4;
}
[[nodiscard]] inline bool is_float_type(std::int64_t type) { return type >= 4; }

/// The bits of `value` in a format, to nearest even.
[[nodiscard]] inline std::uint32_t encode(long double value, std::int64_t type) {
  const FloatFormat f = format_of(type);
  const int shift = f.precision - 1;
  const std::uint32_t infinity = static_cast<std::uint32_t>(2 * f.highest_exponent + 1) << shift;
  if (std::isnan(value)) return infinity | 1U << (shift - 1);
  const std::uint32_t sign = std::signbit(value) ? 1U << (bytes_of(type) * 8 - 1) : 0;
  const long double magnitude = std::fabs(value);
  if (std::isinf(value)) return sign | infinity;
  if (magnitude == 0) return sign;
  const int exponent = std::max(std::ilogb(magnitude), f.lowest_exponent);
  const long double places = std::nearbyint(std::ldexp(magnitude, shift - exponent));
  const auto digits = static_cast<std::uint32_t>(places);  // the carry raises the exponent
  const auto raised = static_cast<std::uint32_t>(exponent - f.lowest_exponent) << shift;
  return sign | std::min(raised + digits, infinity);
}

[[nodiscard]] inline float decode(std::uint32_t bits, std::int64_t type) {
  const FloatFormat f = format_of(type);
  const int shift = f.precision - 1;
  const bool negative = bits >> (bytes_of(type) * 8 - 1) != 0;
  const auto exponent =
      static_cast<int>(bits >> shift & static_cast<std::uint32_t>(2 * f.highest_exponent + 1));
  const std::uint32_t fraction = bits & ((1U << shift) - 1);
  float v = 0;
  if (exponent == 2 * f.highest_exponent + 1) {
    v = fraction != 0 ? std::numeric_limits<float>::quiet_NaN()
                      : std::numeric_limits<float>::infinity();
  } else if (exponent == 0) {
    v = std::ldexp(static_cast<float>(fraction), f.lowest_exponent - shift);
  } else {
    v = std::ldexp(static_cast<float>(fraction + (1U << shift)),
                   f.lowest_exponent + exponent - 1 - shift);
  }
  return negative ? -v : v;
}

using MemoryBytes = std::vector<std::byte>;

inline std::uint32_t get_bits(const MemoryBytes& m, std::int64_t at, std::int64_t bytes) {
  std::uint32_t v = 0;
  if (at < 0 || at + bytes > static_cast<std::int64_t>(m.size())) {
    throw std::out_of_range("interpreter: read");
  }
  std::memcpy(&v, m.data() + at, static_cast<std::size_t>(bytes));
  return v;
}
inline void put_bits(MemoryBytes& m, std::int64_t at, std::uint32_t v, std::int64_t bytes) {
  if (at < 0 || at + bytes > static_cast<std::int64_t>(m.size())) {
    throw std::out_of_range("interpreter: write");
  }
  std::memcpy(m.data() + at, &v, static_cast<std::size_t>(bytes));
}
inline std::int64_t get_integer(const MemoryBytes& m, std::int64_t at, std::int64_t type) {
  const std::uint32_t bits = get_bits(m, at, bytes_of(type));
  if (type == 0) return static_cast<std::int8_t>(bits);
  if (type == 1) return bits;
  if (type == 2) return static_cast<std::int16_t>(bits);
  return static_cast<std::int32_t>(bits);
}
inline float get_float(const MemoryBytes& m, std::int64_t at, std::int64_t type) {
  if (is_float_type(type)) return decode(get_bits(m, at, bytes_of(type)), type);
  return static_cast<float>(get_integer(m, at, type));
}
inline long double lowest(std::int64_t type) {
  return type == 1 ? 0 : -std::ldexp(1.0L, static_cast<int>(bytes_of(type)) * 8 - 1);
}
inline long double highest(std::int64_t type) {
  return std::ldexp(1.0L, static_cast<int>(bytes_of(type)) * 8 - (type == 1 ? 0 : 1)) - 1;
}
/// A real number into an integer or a float.
inline void put_real(MemoryBytes& m, std::int64_t at, std::int64_t type, long double v) {
  if (is_float_type(type)) return put_bits(m, at, encode(v, type), bytes_of(type));
  const long double cut =
      std::isnan(v) ? 0 : std::fmin(std::fmax(std::trunc(v), lowest(type)), highest(type));
  put_bits(m, at, static_cast<std::uint32_t>(static_cast<std::int64_t>(cut)), bytes_of(type));
}
/// An integer of any size: its low bits, or the float next to it.
inline void put_integer(MemoryBytes& m, std::int64_t at, std::int64_t type, std::int64_t v) {
  put_bits(m, at,
           is_float_type(type) ? encode(static_cast<long double>(v), type)
                               : static_cast<std::uint32_t>(static_cast<std::uint64_t>(v)),
           bytes_of(type));
}
/// saturate(round half even(v) + zero)
inline void put_quantized(MemoryBytes& m, std::int64_t at, std::int64_t type, float v,
                          std::int64_t zero) {
  const long double sum =
      std::nearbyint(static_cast<long double>(v)) + static_cast<long double>(zero);
  put_real(m, at, type, sum);
}

}  // namespace npu::test
