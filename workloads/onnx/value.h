#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "sim/base/tensor.h"

namespace npu::onnx {

/// Element types with the numbers of TensorProto.DataType. Source: onnx/onnx.proto, 1.21.
enum class ElementType : std::uint8_t {
  kUndefined = 0,
  kFloat = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kDouble = 11,
  kUint32 = 12,
  kUint64 = 13,
  kComplex64 = 14,
  kComplex128 = 15,
  kBfloat16 = 16,
  kFloat8E4M3Fn = 17,
  kFloat8E4M3Fnuz = 18,
  kFloat8E5M2 = 19,
  kFloat8E5M2Fnuz = 20,
  kUint4 = 21,
  kInt4 = 22,
  kFloat4E2M1 = 23,
  kFloat8E8M0 = 24,
  kUint2 = 25,
  kInt2 = 26,
};
inline constexpr int kElementTypes = 27;

/// "float32", "int4", "bfloat16", …
[[nodiscard]] std::string_view name_of(ElementType type);
/// True for the types that a Value can hold: all but strings and complex numbers.
[[nodiscard]] bool is_supported(ElementType type);
[[nodiscard]] bool is_float(ElementType type);
/// Integers and bool.
[[nodiscard]] bool is_integer(ElementType type);
[[nodiscard]] bool is_signed(ElementType type);
/// Bits of an element as the type defines it; bool: 8.
[[nodiscard]] int bits_of(ElementType type);
/// Bytes of an element in a Value: types below 8 bits take a byte each.
[[nodiscard]] std::int64_t bytes_of(ElementType type);
/// Range of an integer type of at most 32 bits or of int64; uint64 gives int64's upper end.
[[nodiscard]] std::int64_t lowest_of(ElementType type);
[[nodiscard]] std::int64_t highest_of(ElementType type);

/// A dense row-major tensor of an ONNX type. Types below 8 bits have one element per byte
/// (sign-extended where signed); small floats keep their bits.
struct Value {
  ElementType type = ElementType::kUndefined;
  Shape shape;
  std::vector<std::byte> bytes;

  [[nodiscard]] static Value zeros(ElementType type, Shape shape);
  [[nodiscard]] std::int64_t size() const { return element_count(shape); }
  [[nodiscard]] std::int64_t rank() const { return static_cast<std::int64_t>(shape.size()); }
  template <typename T>
  [[nodiscard]] std::span<const T> as() const {
    NPU_CHECK(static_cast<std::int64_t>(sizeof(T)) == bytes_of(type), "element size");
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <typename T>
  [[nodiscard]] std::span<T> as() {
    NPU_CHECK(static_cast<std::int64_t>(sizeof(T)) == bytes_of(type), "element size");
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

/// Every element as a double: exact for all types but 64-bit integers beyond 2^53.
[[nodiscard]] std::vector<double> to_doubles(const Value& value);
/// Every element of an integer type or bool; uint64 modulo 2^64. @throws Error for a float type.
[[nodiscard]] std::vector<std::int64_t> to_integers(const Value& value);
/// Rounds to the nearest value of a float type, ties to even, and saturates as `saturate` says
/// (8-bit floats only); an integer type takes the value truncated towards zero, modulo its width.
[[nodiscard]] Value from_doubles(ElementType type, Shape shape, std::span<const double> elements,
                                 bool saturate = true);
/// Modulo the type's width; bool: non-zero.
[[nodiscard]] Value from_integers(ElementType type, Shape shape,
                                  std::span<const std::int64_t> elements);

/// Bits of a float type of at most 16 bits, and back. Sources: IEEE 754 binary16; bfloat16 as the
/// upper half of binary32; OCP 8-bit floating point (OFP8) and microscaling (MX) formats for E4M3,
/// E5M2, E2M1 and E8M0; ONNX's documentation of the FNUZ variants.
[[nodiscard]] std::uint16_t encode_small_float(ElementType type, double value, bool saturate);
[[nodiscard]] double decode_small_float(ElementType type, std::uint16_t bits);

}  // namespace npu::onnx
