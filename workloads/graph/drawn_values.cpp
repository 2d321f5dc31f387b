#include "workloads/graph/drawn_values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "sim/base/error.h"

namespace npu::graph {
namespace {

constexpr double kLargestInt32 = 0x1p30;

std::uint64_t hash(std::string_view name) {
  std::uint64_t h = 0xcbf29ce484222325U;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return h;
}

class Stream {
 public:
  explicit Stream(std::uint64_t start) : state_(start) {}

  /// Uniform in (0, 1).
  double next() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    return (static_cast<double>(z >> 11) + 0.5) * 0x1p-53;
  }

 private:
  std::uint64_t state_;
};

template <typename T, typename Value>
std::vector<std::byte> fill(std::int64_t elements, Value&& value) {
  std::vector<std::byte> bytes(static_cast<std::size_t>(elements) * sizeof(T));
  for (std::size_t i = 0; i < static_cast<std::size_t>(elements); ++i) {
    const T element = value();
    std::memcpy(bytes.data() + i * sizeof(T), &element, sizeof(T));
  }
  return bytes;
}

/// The bfloat16 next to a finite value.
std::uint16_t to_bfloat(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16U) & 1U)) >> 16U);
}

/// The binary16 next to a finite value, infinity beyond the range.
std::uint16_t to_half(float value) {
  constexpr int kMinExponent = -14, kMantissaBits = 10;
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::abs(static_cast<double>(value));
  if (magnitude >= 65520) return sign | 0x7c00;
  const int exponent =
      magnitude == 0 ? kMinExponent : std::max(std::ilogb(magnitude), kMinExponent);
  // A carry out of the mantissa is the next exponent's first value.
  const auto steps =
      static_cast<unsigned>(std::nearbyint(std::ldexp(magnitude, kMantissaBits - exponent)));
  return static_cast<std::uint16_t>(
      sign | ((static_cast<unsigned>(exponent - kMinExponent) << kMantissaBits) + steps));
}

}  // namespace

std::vector<std::byte> draw_values(DType type, std::int64_t elements, double deviation, double mean,
                                   std::uint64_t seed, std::string_view name) {
  Stream stream(seed + hash(name));
  const double half_width = std::sqrt(3.0) * deviation;
  const auto real = [&] { return mean + (2 * stream.next() - 1) * half_width; };
  switch (type) {
    case DType::kInt8:
      return fill<std::int8_t>(elements, [&] {
        return static_cast<std::int8_t>(std::floor(255 * stream.next()) - 127);
      });
    case DType::kInt32:
      return fill<std::int32_t>(elements, [&] {
        return static_cast<std::int32_t>(
            std::clamp(std::round(real()), -kLargestInt32, kLargestInt32));
      });
    case DType::kFloat32:
      return fill<float>(elements, [&] { return static_cast<float>(real()); });
    case DType::kFloat16:
      return fill<std::uint16_t>(elements, [&] { return to_half(static_cast<float>(real())); });
    case DType::kBfloat16:
      return fill<std::uint16_t>(elements, [&] { return to_bfloat(static_cast<float>(real())); });
    default:
      fail("values of type {} are not drawn", name_of(type));
  }
}

std::vector<std::byte> store_floats(DType type, const std::vector<double>& values) {
  std::size_t i = 0;
  const auto next = [&] { return static_cast<float>(values[i++]); };
  const auto elements = static_cast<std::int64_t>(values.size());
  if (type == DType::kFloat16)
    return fill<std::uint16_t>(elements, [&] { return to_half(next()); });
  if (type == DType::kBfloat16) {
    return fill<std::uint16_t>(elements, [&] { return to_bfloat(next()); });
  }
  NPU_CHECK(type == DType::kFloat32, "a float type");
  return fill<float>(elements, next);
}

}  // namespace npu::graph
