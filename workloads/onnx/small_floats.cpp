// Floating point formats of at most 16 bits by their parameters.
#include <cmath>
#include <limits>

#include "workloads/onnx/value.h"

namespace npu::onnx {
namespace {

/// What the topmost codes mean.
enum class Specials : std::uint8_t {
  kIeee,     ///< All-ones exponent: infinity and NaN.
  kNanOnly,  ///< Only the all-ones code is NaN (E4M3FN); no infinity.
  kNegZero,  ///< Negative zero's code is NaN (FNUZ); no infinity, no negative zero.
  kNone,     ///< Every code is a number (E2M1).
};

struct Format {
  int exponent_bits, mantissa_bits, bias;
  Specials specials;
};

Format format_of(ElementType type) {
  switch (type) {
    case ElementType::kFloat16:
      return {5, 10, 15, Specials::kIeee};
    case ElementType::kBfloat16:
      return {8, 7, 127, Specials::kIeee};
    case ElementType::kFloat8E4M3Fn:
      return {4, 3, 7, Specials::kNanOnly};
    case ElementType::kFloat8E4M3Fnuz:
      return {4, 3, 8, Specials::kNegZero};
    case ElementType::kFloat8E5M2:
      return {5, 2, 15, Specials::kIeee};
    case ElementType::kFloat8E5M2Fnuz:
      return {5, 2, 16, Specials::kNegZero};
    case ElementType::kFloat4E2M1:
      return {2, 1, 1, Specials::kNone};
    default:
      break;
  }
  NPU_CHECK(false, "not a small float");
  return {};
}

constexpr int kE8M0Bias = 127;
constexpr std::uint16_t kE8M0Nan = 255;

/// A power of two without sign: zero becomes the smallest, below there is none.
std::uint16_t encode_e8m0(double value) {
  if (value == 0) return 0;
  if (!(value > 0)) return kE8M0Nan;
  if (std::isinf(value)) return 254;
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);  // in [0.5, 1)
  // Up to the next power of two: Cast's default round_mode.
  const int power = fraction > 0.5 ? exponent : exponent - 1;
  const int code = power + kE8M0Bias;
  return static_cast<std::uint16_t>(code < 0 ? 0 : code > 254 ? 254 : code);
}

struct Codes {
  std::uint16_t sign, nan, infinity, largest;
};

Codes codes_of(const Format& f) {
  const int magnitude_bits = f.exponent_bits + f.mantissa_bits;
  const auto sign = static_cast<std::uint16_t>(1U << magnitude_bits);
  const auto top = static_cast<std::uint16_t>(sign - 1);
  const auto infinity =
      static_cast<std::uint16_t>(((1U << f.exponent_bits) - 1) << f.mantissa_bits);
  switch (f.specials) {
    case Specials::kIeee: {
      const auto quiet = static_cast<std::uint16_t>(infinity | (1U << (f.mantissa_bits - 1)));
      return {sign, quiet, infinity, static_cast<std::uint16_t>(infinity - 1)};
    }
    case Specials::kNanOnly:
      return {sign, top, top, static_cast<std::uint16_t>(top - 1)};
    case Specials::kNegZero:
      return {sign, sign, sign, top};
    case Specials::kNone:
      break;
  }
  return {sign, top, top, top};
}

}  // namespace

std::uint16_t encode_small_float(ElementType type, double value, bool saturate) {
  if (type == ElementType::kFloat8E8M0) return encode_e8m0(value);
  const Format f = format_of(type);
  const Codes codes = codes_of(f);
  const bool is_8_bit = f.exponent_bits + f.mantissa_bits == 7;
  const std::uint16_t sign = std::signbit(value) ? codes.sign : 0;
  if (std::isnan(value)) {
    if (f.specials == Specials::kNegZero) return codes.nan;
    if (f.specials == Specials::kNone) return codes.sign;  // ONNX: NaN becomes −0
    return static_cast<std::uint16_t>(sign | codes.nan);
  }
  const auto beyond = [&]() -> std::uint16_t {
    const bool clamps = f.specials == Specials::kNone || (is_8_bit && saturate);
    if (clamps) return static_cast<std::uint16_t>(sign | codes.largest);
    if (f.specials == Specials::kNegZero) return codes.nan;
    return static_cast<std::uint16_t>(sign | codes.infinity);
  };
  if (std::isinf(value)) return beyond();
  const double magnitude = std::fabs(value);
  int exponent = 0;
  (void)std::frexp(magnitude, &exponent);  // magnitude in [2^(exponent−1), 2^exponent)
  const int lowest = 1 - f.bias;           // exponent of the smallest normal number
  const int power = std::max(exponent - 1, lowest);
  // Integer number of units in the last place; ties to even by nearbyint.
  const double units = std::nearbyint(std::ldexp(magnitude, f.mantissa_bits - power));
  // power = lowest with units < 2^m is subnormal: exponent field 0.
  const double code = units + std::ldexp(static_cast<double>(power - lowest), f.mantissa_bits);
  if (magnitude == 0 || code == 0) return f.specials == Specials::kNegZero ? 0 : sign;
  if (code > codes.largest) return beyond();
  return static_cast<std::uint16_t>(sign | static_cast<std::uint16_t>(code));
}

double decode_small_float(ElementType type, std::uint16_t bits) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  if (type == ElementType::kFloat8E8M0) {
    return bits == kE8M0Nan ? kNan : std::ldexp(1.0, int{bits} - kE8M0Bias);
  }
  const Format f = format_of(type);
  const Codes codes = codes_of(f);
  const auto magnitude = static_cast<std::uint16_t>(bits & (codes.sign - 1));
  const bool is_negative = (bits & codes.sign) != 0;
  if (f.specials == Specials::kNegZero && bits == codes.nan) return kNan;
  if (f.specials == Specials::kNanOnly && magnitude == codes.nan) return kNan;
  if (f.specials == Specials::kIeee && magnitude >= codes.infinity) {
    if (magnitude > codes.infinity) return kNan;
    return is_negative ? -std::numeric_limits<double>::infinity()
                       : std::numeric_limits<double>::infinity();
  }
  const int exponent = magnitude >> f.mantissa_bits;
  const int mantissa = magnitude & ((1 << f.mantissa_bits) - 1);
  const double value = exponent == 0 ? std::ldexp(mantissa, 1 - f.bias - f.mantissa_bits)
                                     : std::ldexp(mantissa + (1 << f.mantissa_bits),
                                                  exponent - f.bias - f.mantissa_bits);
  return is_negative ? -value : value;
}

}  // namespace npu::onnx
