#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "isa/instructions.h"

namespace npu::compute {

/// Element types as instructions encode them.
enum class Element : std::uint8_t { kInt8, kUint8, kInt16, kInt32, kFloat16, kBfloat16, kFloat32 };
[[nodiscard]] constexpr std::int64_t size_of(Element type) {
  return isa::element_bytes(static_cast<std::int64_t>(type));
}
[[nodiscard]] constexpr bool is_float(Element type) { return type >= Element::kFloat16; }
/// Of an integer type.
[[nodiscard]] constexpr std::int32_t lowest_of(Element type) {
  return type == Element::kInt8    ? -128
         : type == Element::kUint8 ? 0
         : type == Element::kInt16 ? -32768
                                   : INT32_MIN;
}
[[nodiscard]] constexpr std::int32_t highest_of(Element type) {
  return type == Element::kInt8    ? 127
         : type == Element::kUint8 ? 255
         : type == Element::kInt16 ? 32767
                                   : INT32_MAX;
}

/// Memory holds elements at any address.
template <typename T>
[[nodiscard]] inline T load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}
template <typename T>
inline void store(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}

/// count values of type T at `at` = values, or += values modulo T's range; T unsigned.
template <typename T>
inline void store_sums(std::byte* at, bool accumulate, const T* values, std::int64_t count) {
  constexpr auto kSize = static_cast<std::int64_t>(sizeof(T));
  if (!accumulate) {
    std::memcpy(at, values, static_cast<std::size_t>(count) * sizeof(T));
    return;
  }
  for (std::int64_t i = 0; i < count; ++i)
    store<T>(at + i * kSize, static_cast<T>(load<T>(at + i * kSize) + values[i]));
}

/// An element of an integer type.
[[nodiscard]] inline std::int32_t load_element(const std::byte* at, Element type) {
  switch (type) {
    case Element::kInt8:
      return load<std::int8_t>(at);
    case Element::kUint8:
      return load<std::uint8_t>(at);
    case Element::kInt16:
      return load<std::int16_t>(at);
    case Element::kInt32:
    case Element::kFloat16:
    case Element::kBfloat16:
    case Element::kFloat32:
      break;
  }
  return load<std::int32_t>(at);
}

/// Calls `body` with a value of the C++ type of `type`, an integer type.
template <typename Body>
inline void with_type(Element type, Body&& body) {
  switch (type) {
    case Element::kInt8:
      return body(std::int8_t{});
    case Element::kUint8:
      return body(std::uint8_t{});
    case Element::kInt16:
      return body(std::int16_t{});
    case Element::kInt32:
    case Element::kFloat16:
    case Element::kBfloat16:
    case Element::kFloat32:
      return body(std::int32_t{});
  }
}

/// The sum or product in 32 bits, modulo 2^32.
[[nodiscard]] constexpr std::int32_t add_wrap(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}
[[nodiscard]] constexpr std::int32_t subtract_wrap(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) - static_cast<std::uint32_t>(b));
}
[[nodiscard]] constexpr std::int32_t multiply_wrap(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) * static_cast<std::uint32_t>(b));
}

}  // namespace npu::compute
