#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.h"

namespace npu {

/// Element type of a tensor.
enum class DType : std::uint8_t {
  kInt8,
  kUint8,
  kInt16,
  kInt32,
  kInt64,
  kFloat32,
  kBool,
  kFloat16,   ///< IEEE 754 binary16.
  kBfloat16,  ///< Upper half of an IEEE 754 binary32.
};

[[nodiscard]] constexpr std::int64_t size_of(DType type) {
  switch (type) {
    case DType::kInt8:
    case DType::kUint8:
    case DType::kBool:
      return 1;
    case DType::kInt16:
    case DType::kFloat16:
    case DType::kBfloat16:
      return 2;
    case DType::kInt32:
    case DType::kFloat32:
      return 4;
    case DType::kInt64:
      return 8;
  }
  return 0;
}

/// "int8", "uint8", "float32", …
[[nodiscard]] constexpr std::string_view name_of(DType type) {
  switch (type) {
    case DType::kInt8:
      return "int8";
    case DType::kUint8:
      return "uint8";
    case DType::kInt16:
      return "int16";
    case DType::kInt32:
      return "int32";
    case DType::kInt64:
      return "int64";
    case DType::kFloat32:
      return "float32";
    case DType::kBool:
      return "bool";
    case DType::kFloat16:
      return "float16";
    case DType::kBfloat16:
      return "bfloat16";
  }
  return "?";
}

[[nodiscard]] constexpr bool is_float(DType type) {
  return type == DType::kFloat32 || type == DType::kFloat16 || type == DType::kBfloat16;
}

/// Dimensions, outermost first; empty for a scalar. All sizes are ≥ 0.
using Shape = std::vector<std::int64_t>;

[[nodiscard]] inline std::int64_t element_count(const Shape& shape) {
  std::int64_t n = 1;
  for (const std::int64_t d : shape) n *= d;
  return n;
}

/// "[1,49,10,1]"
[[nodiscard]] std::string to_string(const Shape& shape);

/// A dense row-major array with its bytes.
struct TensorData {
  DType type = DType::kInt8;
  Shape shape;
  std::vector<std::byte> bytes;

  [[nodiscard]] static TensorData zeros(DType type, Shape shape) {
    TensorData t{type, std::move(shape), {}};
    t.bytes.resize(static_cast<std::size_t>(element_count(t.shape) * size_of(type)));
    return t;
  }
  [[nodiscard]] std::int64_t size() const { return element_count(shape); }
  /// Typed view; T must have the element's size.
  template <typename T>
  [[nodiscard]] std::span<T> as() {
    NPU_CHECK(static_cast<std::int64_t>(sizeof(T)) == size_of(type), "element size");
    return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
  template <typename T>
  [[nodiscard]] std::span<const T> as() const {
    NPU_CHECK(static_cast<std::int64_t>(sizeof(T)) == size_of(type), "element size");
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

}  // namespace npu
