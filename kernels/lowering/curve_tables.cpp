#include "kernels/lowering/curve_tables.h"

#include <algorithm>
#include <cmath>

#include "sim/base/error.h"

namespace npu::kernels {
namespace {

/// log2 of `scale` if it is a power of two to within 0.1 % of an octave, computed in float32.
bool is_power_of_two(float scale, int exponent) {
  const float log2 = std::log(scale) * (1.0F / std::log(2.0F));
  const float rounded = std::round(log2);
  return std::abs(log2 - rounded) < 1e-3F && static_cast<int>(rounded) == exponent;
}

template <typename Function>
std::array<std::int16_t, 513> sample(float low, float high, Function&& function) {
  constexpr int kIntervals = 512;
  constexpr float kOne = 32768.0F;
  const float step = (high - low) / static_cast<float>(kIntervals);
  const auto at = [&](int i) { return low + static_cast<float>(i) * step; };
  std::array<std::int16_t, kIntervals + 1> samples{};
  for (int i = 0; i < kIntervals; ++i) {
    const float exact = std::round(function(at(i)) * kOne);
    const float chord = std::round((function(at(i + 1)) * kOne + exact) / 2.0F);
    const float middle = std::round(function(at(i) + step / 2.0F) * kOne);
    const float shifted = exact - std::round((chord - middle) / 2.0F);
    samples[static_cast<std::size_t>(i)] =
        static_cast<std::int16_t>(std::clamp(shifted, -kOne, kOne - 1.0F));
  }
  samples[kIntervals] =
      static_cast<std::int16_t>(std::clamp(std::round(function(high) * kOne), -kOne, kOne - 1.0F));
  return samples;
}

}  // namespace

CurveWords curve_words(graph::OpKind kind, float x_scale) {
  constexpr std::int32_t kUnit = 1 << 16;  // of the samples
  const bool tanh = kind == graph::OpKind::kTanh;
  CurveWords w;
  if (is_power_of_two(x_scale, -12)) {
    w.multiplier = 3;
  } else if (tanh && is_power_of_two(x_scale, -11)) {
    w.multiplier = 6;
  } else {
    double multiplier = static_cast<double>(x_scale) * 4096.0 * 3.0;
    for (; multiplier <= 32767.0 / 2.0 && w.shift <= 30; ++w.shift) multiplier *= 2.0;
    NPU_CHECK(multiplier >= 1 && multiplier < 32768, "verify() bounds the input scale");
    w.multiplier = static_cast<std::int32_t>(multiplier);
  }
  if (tanh) {
    // tanh(x) = 2 · logistic(2x) − 1: intervals of half the length, and the result from ±1/2 up to
    // Q0.15.
    w.fraction = w.out_shift = 8;
    w.limit = kUnit - 1;
    const std::int32_t middle = kUnit / 2 * (1 << w.fraction);
    const std::int32_t half = 1 << (w.out_shift - 1);
    w.positive = half - middle;
    w.negative = middle + half - 1;
  } else {
    w.fraction = 9;
    w.out_shift = w.fraction + 1;  // Q0.16 to Q0.15
    w.limit = kUnit - 2;
    const std::int32_t half = 1 << (w.out_shift - 1);
    w.positive = half;
    w.negative = kUnit * (1 << w.fraction) + half - 1;
  }
  return w;
}

std::array<std::uint16_t, 256> logistic_samples() {
  const auto logistic = [](double i) { return 65536.0 / (1.0 + std::exp(-i / 24.0)); };
  std::array<std::uint16_t, 256> samples{};
  for (std::size_t n = 0; n < samples.size(); ++n) {
    const auto i = static_cast<double>(n);
    const double chord = (logistic(i) + logistic(i + 1)) / 2;
    samples[n] =
        static_cast<std::uint16_t>(std::lround(logistic(i) + (logistic(i + 0.5) - chord) / 2));
  }
  samples.back() = 65535;
  return samples;
}

std::array<std::int16_t, 513> exponential_samples() {
  return sample(-10.0F, 0.0F,
                [](float x) { return static_cast<float>(std::exp(static_cast<double>(x))); });
}

std::array<std::int16_t, 513> reciprocal_samples() {
  return sample(0.0F, 1.0F, [](float x) { return 1.0F / (1.0F + x); });
}

}  // namespace npu::kernels
