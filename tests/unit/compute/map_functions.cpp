#include "tests/unit/compute/map_functions.h"

#include <cmath>
#include <limits>
#include <stdexcept>

namespace npu::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

double real(MapFunction f, double x, double imm0, double imm1) {
  const double softplus = (x < 0 ? 0 : x) + std::log1p(std::exp(-std::abs(x)));
  const double u = 0.7978845608028654 * (x + 0.044715 * (x * x * x));
  const double below = imm0 * std::expm1(x / imm0);
  using enum MapFunction;
  switch (f) {
    case kReciprocalSqrt:
      return 1 / std::sqrt(x);
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
      return 1 / (1 + std::exp(-x));
    case kSilu:
      return x / (1 + std::exp(-x));
    case kSoftplus:
      return softplus;
    case kSoftsign:
      return x / (1 + std::abs(x));
    case kMish:
      return x * std::tanh(softplus);
    case kElu:
      return x >= 0 ? x : imm0 * std::expm1(x);
    case kSelu:
      return imm1 * (x >= 0 ? x : imm0 * std::expm1(x));
    case kCelu:
      return (x < 0 ? 0 : x) + (below > 0 ? 0 : below);
    case kGelu:
      return x / 2 * std::erfc(-x * std::sqrt(0.5));
    case kGeluTanh:
      return x / (1 + std::exp(-2 * u));
    default:
      throw std::invalid_argument("interpreter: not a function of one real");
  }
}

}  // namespace

float map_pair(MapFunction f, float a, float b) {
  using enum MapFunction;
  switch (f) {
    case kAdd:
      return a + b;
    case kSub:
      return a - b;
    case kMul:
      return a * b;
    case kDiv:
      return a / b;
    case kMax:
      if (std::isnan(a) || std::isnan(b)) return kNan;
      return a < b ? b : a;
    case kMin:
      if (std::isnan(a) || std::isnan(b)) return kNan;
      return b < a ? b : a;
    case kPow:
      return static_cast<float>(std::pow(double{a}, double{b}));
    case kMod: {
      const float r = std::fmod(a, b);
      if (r == 0) return std::signbit(b) ? -0.0F : 0.0F;
      return std::isnan(r) || std::signbit(r) == std::signbit(b) ? r : r + b;
    }
    case kRemainder:
      return std::fmod(a, b);
    case kEqual:
      return a == b ? 1 : 0;
    case kNotEqual:
      return a == b ? 0 : 1;
    case kLess:
      return a < b ? 1 : 0;
    case kLessEqual:
      return a <= b ? 1 : 0;
    case kGreater:
      return a > b ? 1 : 0;
    case kGreaterEqual:
      return a >= b ? 1 : 0;
    case kAnd:
      return a != 0 && b != 0 ? 1 : 0;
    case kOr:
      return a != 0 || b != 0 ? 1 : 0;
    case kXor:
      return (a != 0) != (b != 0) ? 1 : 0;
    case kPrelu:
      return a >= 0 ? a : a * b;
    default:
      throw std::invalid_argument("interpreter: not a function of two floats");
  }
}

float map_one(MapFunction f, float a, float imm0, float imm1) {
  using enum MapFunction;
  switch (f) {
    case kCopy:
      return a;
    case kNegate:
      return -a;
    case kAbs:
      return std::abs(a);
    case kSign:
      return std::isnan(a) ? a : a > 0 ? 1.0F : a < 0 ? -1.0F : 0.0F;
    case kNot:
      return a == 0 ? 1 : 0;
    case kFloor:
      return std::floor(a);
    case kCeil:
      return std::ceil(a);
    case kRound:
      return std::nearbyint(a);
    case kIsNan:
      return std::isnan(a) ? 1 : 0;
    case kIsInf:
      return std::isinf(a) ? 1 : 0;
    case kRelu:
      return a < 0 ? 0 : a;
    case kClip:
      return map_pair(kMin, map_pair(kMax, a, imm0), imm1);
    case kLeakyRelu:
      return a >= 0 ? a : a * imm0;
    case kThreshold:
      return a > imm0 ? a : 0;
    case kHardSigmoid: {
      const float product = imm0 * a;
      return map_pair(kMax, 0, map_pair(kMin, 1, product + imm1));
    }
    case kHardSwish: {
      const auto v = static_cast<float>((static_cast<long double>(a) + 3) / 6);
      return a * map_pair(kMax, 0, map_pair(kMin, 1, v));
    }
    case kSqrt:
      return std::sqrt(a);
    case kReciprocal:
      return 1 / a;
    default:
      return static_cast<float>(real(f, a, imm0, imm1));
  }
}

std::int64_t map_pair(MapFunction f, std::int64_t a, std::int64_t b) {
  using enum MapFunction;
  using Unsigned = std::uint64_t;
  const auto product = [](std::int64_t x, std::int64_t y) {  // modulo 2^64
    return static_cast<std::int64_t>(static_cast<Unsigned>(x) * static_cast<Unsigned>(y));
  };
  switch (f) {
    case kAdd:
      return static_cast<std::int64_t>(static_cast<Unsigned>(a) + static_cast<Unsigned>(b));
    case kSub:
      return a - b;
    case kMul:
      return product(a, b);
    case kDiv:
      return b == 0 ? 0 : a / b;
    case kMax:
      return a < b ? b : a;
    case kMin:
      return b < a ? b : a;
    case kPow: {
      if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 == 0 ? 1 : -1) : 0;
      std::int64_t r = 1;
      for (std::int64_t k = 0; k < b; ++k) r = product(r, a);
      return r;
    }
    case kMod:
      return b == 0 ? 0 : ((a % b) + b) % b;
    case kRemainder:
      return b == 0 ? 0 : a % b;
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
      return a & b;
    case kOr:
      return a | b;
    case kXor:
      return a ^ b;
    case kShiftLeft:
      return static_cast<std::int64_t>(static_cast<Unsigned>(a) << (b & 63));
    case kShiftRight:
      return a >> (b & 63);
    case kPrelu:
      return a >= 0 ? a : a * b;
    default:
      throw std::invalid_argument("interpreter: not a function of two integers");
  }
}

std::int64_t map_one(MapFunction f, std::int64_t a, std::int64_t imm0, std::int64_t imm1) {
  using enum MapFunction;
  switch (f) {
    case kCopy:
    case kFloor:
    case kCeil:
    case kRound:
      return a;
    case kNegate:
      return -a;
    case kAbs:
      return a < 0 ? -a : a;
    case kSign:
      return a > 0 ? 1 : a < 0 ? -1 : 0;
    case kNot:
      return a == 0 ? 1 : 0;
    case kComplement:
      return -a - 1;
    case kIsNan:
    case kIsInf:
      return 0;
    case kRelu:
      return a > 0 ? a : 0;
    case kClip:
      return map_pair(kMin, map_pair(kMax, a, imm0), imm1);
    case kLeakyRelu:
      return a >= 0 ? a : a * imm0;
    case kThreshold:
      return a > imm0 ? a : 0;
    case kIntegerSqrt: {
      std::int64_t r = 0;
      while ((r + 1) * (r + 1) <= a) ++r;
      return r;
    }
    default:
      throw std::invalid_argument("interpreter: not a function of one integer");
  }
}

}  // namespace npu::test
