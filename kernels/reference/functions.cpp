#include "kernels/reference/functions.h"

#include <cmath>
#include <limits>
#include <numbers>

#include "sim/base/error.h"

namespace npu::reference {
namespace {

using enum MapFunction;

float truth(bool holds) { return holds ? 1.0F : 0.0F; }

float modulo(float a, float b) {
  const float r = std::fmod(a, b);
  if (r == 0.0F) return std::copysign(0.0F, b);
  return std::signbit(r) != std::signbit(b) ? r + b : r;
}

/// Functions whose result is exact, or one float32 operation.
float plain(MapFunction function, float a, float b, float imm0, float imm1) {
  switch (function) {
    case kAdd:
      return a + b;
    case kSub:
      return a - b;
    case kMul:
      return a * b;
    case kDiv:
      return a / b;
    case kMax:
      return larger(a, b);
    case kMin:
      return smaller(a, b);
    case kMod:
      return modulo(a, b);
    case kRemainder:
      return std::fmod(a, b);
    case kEqual:
      return truth(a == b);
    case kNotEqual:
      return truth(a != b);
    case kLess:
      return truth(a < b);
    case kLessEqual:
      return truth(a <= b);
    case kGreater:
      return truth(a > b);
    case kGreaterEqual:
      return truth(a >= b);
    case kAnd:
      return truth(a != 0.0F && b != 0.0F);
    case kOr:
      return truth(a != 0.0F || b != 0.0F);
    case kXor:
      return truth((a != 0.0F) != (b != 0.0F));
    case kPrelu:
      return a >= 0.0F ? a : a * b;
    case kCopy:
      return a;
    case kNegate:
      return -a;
    case kAbs:
      return std::fabs(a);
    case kSign:
      return std::isnan(a) ? a : truth(a > 0.0F) - truth(a < 0.0F);
    case kNot:
      return truth(a == 0.0F);
    case kFloor:
      return std::floor(a);
    case kCeil:
      return std::ceil(a);
    case kRound:
      return std::nearbyint(a);
    case kIsNan:
      return truth(std::isnan(a));
    case kIsInf:
      return truth(std::isinf(a));
    case kRelu:
      return a < 0.0F ? 0.0F : a;
    case kClip:
      return smaller(larger(a, imm0), imm1);
    case kLeakyRelu:
      return a >= 0.0F ? a : a * imm0;
    case kThreshold:
      return a > imm0 ? a : 0.0F;
    case kHardSigmoid: {
      const float product = imm0 * a;
      return larger(0.0F, smaller(1.0F, product + imm1));
    }
    case kHardSwish: {
      const auto gate = static_cast<float>((static_cast<double>(a) + 3.0) / 6.0);
      return a * larger(0.0F, smaller(1.0F, gate));
    }
    case kSqrt:
      return std::sqrt(a);
    case kReciprocal:
      return 1.0F / a;
    default:
      NPU_CHECK(false, "not a function of floats");
      return 0;
  }
}

double softplus(double x) { return (x < 0 ? 0.0 : x) + std::log1p(std::exp(-std::fabs(x))); }

double gelu_tanh(double x) {
  constexpr double kSqrtOfTwoOverPi = 0.7978845608028654;
  const double u = kSqrtOfTwoOverPi * (x + 0.044715 * (x * x * x));
  return x / (1.0 + std::exp(-2.0 * u));
}

/// Functions that are evaluated in double and rounded once; x and the immediates are float32.
double transcendental(MapFunction function, double x, double y, double imm0, double imm1) {
  switch (function) {
    case kPow:
      return std::pow(x, y);
    case kReciprocalSqrt:
      return 1.0 / std::sqrt(x);
    case kExp:
      return std::exp(x);
    case kLog:
      return std::log(x);
    case kSin:
      return std::sin(x);
    case kCos:
      return std::cos(x);
    case kTan:
      return std::tan(x);
    case kAsin:
      return std::asin(x);
    case kAcos:
      return std::acos(x);
    case kAtan:
      return std::atan(x);
    case kSinh:
      return std::sinh(x);
    case kCosh:
      return std::cosh(x);
    case kTanh:
      return std::tanh(x);
    case kAsinh:
      return std::asinh(x);
    case kAcosh:
      return std::acosh(x);
    case kAtanh:
      return std::atanh(x);
    case kErf:
      return std::erf(x);
    case kSigmoid:
      return 1.0 / (1.0 + std::exp(-x));
    case kSilu:
      return x / (1.0 + std::exp(-x));
    case kSoftplus:
      return softplus(x);
    case kSoftsign:
      return x / (1.0 + std::fabs(x));
    case kMish:
      return x * std::tanh(softplus(x));
    case kElu:
      return x >= 0.0 ? x : imm0 * std::expm1(x);
    case kSelu:
      return imm1 * (x >= 0.0 ? x : imm0 * std::expm1(x));
    case kCelu: {
      const double negative = imm0 * std::expm1(x / imm0);
      return (x < 0.0 ? 0.0 : x) + (negative > 0.0 ? 0.0 : negative);
    }
    case kGelu:
      return x / 2.0 * std::erfc(-x * (std::numbers::sqrt2 / 2.0));
    case kGeluTanh:
      return gelu_tanh(x);
    default:
      NPU_CHECK(false, "not a transcendental function");
      return 0;
  }
}

std::int64_t wrap(std::uint64_t bits) { return static_cast<std::int64_t>(bits); }
std::uint64_t bits(std::int64_t value) { return static_cast<std::uint64_t>(value); }

std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) {
    if (base == 1) return 1;
    if (base == -1) return exponent % 2 == 0 ? 1 : -1;
    return 0;
  }
  std::uint64_t result = 1;
  std::uint64_t square = bits(base);
  for (std::uint64_t e = bits(exponent); e != 0; e >>= 1) {
    if ((e & 1U) != 0) result *= square;
    square *= square;
  }
  return wrap(result);
}

/// Quotient towards zero and remainder with the sign of a; the one overflow wraps.
struct Division {
  std::int64_t quotient, remainder;
};
Division divide(std::int64_t a, std::int64_t b) {
  if (b == 0) return {0, 0};
  if (b == -1) return {wrap(0 - bits(a)), 0};
  return {a / b, a % b};
}

std::int64_t integer_sqrt(std::int64_t a) {
  if (a <= 0) return 0;
  std::int64_t root = 0;
  for (std::int64_t bit = std::int64_t{1} << 31; bit > 0; bit >>= 1) {
    const std::int64_t next = root | bit;
    if (next <= a / next) root = next;
  }
  return root;
}

}  // namespace

float larger(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<float>::quiet_NaN();
  return a < b ? b : a;
}

float smaller(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<float>::quiet_NaN();
  return b < a ? b : a;
}

float float_function(MapFunction function, float a, float b, double imm0, double imm1) {
  const auto narrow0 = static_cast<float>(imm0);
  const auto narrow1 = static_cast<float>(imm1);
  const bool is_transcendental =
      function == kPow || (function >= kReciprocalSqrt && function <= kGeluTanh);
  if (!is_transcendental) return plain(function, a, b, narrow0, narrow1);
  return static_cast<float>(transcendental(function, static_cast<double>(a), static_cast<double>(b),
                                           static_cast<double>(narrow0),
                                           static_cast<double>(narrow1)));
}

std::int64_t integer_function(MapFunction function, std::int64_t a, std::int64_t b,
                              std::int64_t imm0, std::int64_t imm1) {
  switch (function) {
    case kAdd:
      return wrap(bits(a) + bits(b));
    case kSub:
      return wrap(bits(a) - bits(b));
    case kMul:
      return wrap(bits(a) * bits(b));
    case kDiv:
      return divide(a, b).quotient;
    case kMax:
      return a < b ? b : a;
    case kMin:
      return b < a ? b : a;
    case kPow:
      return integer_power(a, b);
    case kMod: {
      const std::int64_t r = divide(a, b).remainder;
      return r != 0 && (r < 0) != (b < 0) ? r + b : r;
    }
    case kRemainder:
      return divide(a, b).remainder;
    case kEqual:
      return a == b ? 1 : 0;
    case kNotEqual:
      return a != b ? 1 : 0;
    case kLess:
      return a < b ? 1 : 0;
    case kLessEqual:
      return a <= b ? 1 : 0;
    case kGreater:
      return a > b ? 1 : 0;
    case kGreaterEqual:
      return a >= b ? 1 : 0;
    case kAnd:
      return wrap(bits(a) & bits(b));
    case kOr:
      return wrap(bits(a) | bits(b));
    case kXor:
      return wrap(bits(a) ^ bits(b));
    case kShiftLeft:
      return wrap(bits(a) << (bits(b) & 63U));
    case kShiftRight:
      return a >> (bits(b) & 63U);
    case kPrelu:
      return a >= 0 ? a : wrap(bits(a) * bits(b));
    case kCopy:
    case kFloor:
    case kCeil:
    case kRound:
      return a;
    case kNegate:
      return wrap(0 - bits(a));
    case kAbs:
      return a < 0 ? wrap(0 - bits(a)) : a;
    case kSign:
      return (a > 0 ? 1 : 0) - (a < 0 ? 1 : 0);
    case kNot:
      return a == 0 ? 1 : 0;
    case kComplement:
      return wrap(~bits(a));
    case kIsNan:
    case kIsInf:
      return 0;
    case kRelu:
      return a < 0 ? 0 : a;
    case kClip: {
      const std::int64_t low = a < imm0 ? imm0 : a;
      return imm1 < low ? imm1 : low;
    }
    case kLeakyRelu:
      return a >= 0 ? a : wrap(bits(a) * bits(imm0));
    case kThreshold:
      return a > imm0 ? a : 0;
    case kIntegerSqrt:
      return integer_sqrt(a);
    default:
      NPU_CHECK(false, "not a function of integers");
      return 0;
  }
}

}  // namespace npu::reference
