#include <algorithm>
#include <cmath>
#include <numbers>

#include "sim/base/error.h"
#include "sim/compute/map_functions.h"

namespace npu::compute {
namespace {

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }

double celu(double x, double alpha) {
  return std::max(x, 0.0) + std::min(alpha * std::expm1(x / alpha), 0.0);
}

double gelu_tanh(double x) {
  constexpr double kScale = 0.7978845608028654;  // √(2/π)
  const double u = kScale * (x + 0.044715 * (x * x * x));
  return x / (1 + std::exp(-2 * u));
}

}  // namespace

void map_real(MapFunction function, const MapOperands<float>& row) {
  const double imm0 = row.imm0;
  const double imm1 = row.imm1;
  const auto each = [&](const auto& f) {
    for (std::int64_t i = 0; i < row.count; ++i)
      row.out[i] = static_cast<float>(f(double{row.a[i]}));
  };
  using enum MapFunction;
  switch (function) {
    case kPow:
      return each_pair(
          row, [](float a, float b) { return static_cast<float>(std::pow(double{a}, double{b})); });
    case kReciprocalSqrt:
      return each([](double x) { return 1 / std::sqrt(x); });
    case kExp:
      return each([](double x) { return std::exp(x); });
    case kLog:
      return each([](double x) { return std::log(x); });
    case kSin:
      return each([](double x) { return std::sin(x); });
    case kCos:
      return each([](double x) { return std::cos(x); });
    case kTan:
      return each([](double x) { return std::tan(x); });
    case kAsin:
      return each([](double x) { return std::asin(x); });
    case kAcos:
      return each([](double x) { return std::acos(x); });
    case kAtan:
      return each([](double x) { return std::atan(x); });
    case kSinh:
      return each([](double x) { return std::sinh(x); });
    case kCosh:
      return each([](double x) { return std::cosh(x); });
    case kTanh:
      return each([](double x) { return std::tanh(x); });
    case kAsinh:
      return each([](double x) { return std::asinh(x); });
    case kAcosh:
      return each([](double x) { return std::acosh(x); });
    case kAtanh:
      return each([](double x) { return std::atanh(x); });
    case kErf:
      return each([](double x) { return std::erf(x); });
    case kSigmoid:
      return each([](double x) { return 1 / (1 + std::exp(-x)); });
    case kSilu:
      return each([](double x) { return x / (1 + std::exp(-x)); });
    case kSoftplus:
      return each(softplus);
    case kSoftsign:
      return each([](double x) { return x / (1 + std::fabs(x)); });
    case kMish:
      return each([](double x) { return x * std::tanh(softplus(x)); });
    case kElu:
      return each([&](double x) { return x >= 0 ? x : imm0 * std::expm1(x); });
    case kSelu:
      return each([&](double x) { return imm1 * (x >= 0 ? x : imm0 * std::expm1(x)); });
    case kCelu:
      return each([&](double x) { return celu(x, imm0); });
    case kGelu:
      return each([](double x) { return x / 2 * std::erfc(-x * (std::numbers::sqrt2 / 2)); });
    case kGeluTanh:
      return each(gelu_tanh);
    default:
      NPU_CHECK(false, "not a function of reals");
  }
}

}  // namespace npu::compute
