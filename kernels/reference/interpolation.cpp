#include "kernels/reference/interpolation.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "sim/base/error.h"

namespace npu::reference {

CurveArgument::CurveArgument(float scale, std::initializer_list<int> exact_exponents) {
  const float octaves = std::log(scale) * (1.0F / std::log(2.0F));
  const float nearest = std::round(octaves);
  for (const int exponent : exact_exponents) {
    if (nearest == static_cast<float>(exponent) && std::fabs(octaves - nearest) < 0.001F) {
      multiplier_ = 3 << (exponent + 12);
      return;
    }
  }
  double steps = static_cast<double>(scale) * 12288.0;
  while (steps <= 16383.5 && shift_ < 31) {
    steps *= 2;
    ++shift_;
  }
  if (!(steps >= 1 && steps < 32768)) fail("int16 input scale {} is out of range", scale);
  multiplier_ = static_cast<std::int32_t>(steps);
}

std::int32_t CurveArgument::operator()(std::int32_t q) const {
  if (shift_ == 0) return q * multiplier_;
  const std::int64_t product = static_cast<std::int64_t>(q) * multiplier_;
  return static_cast<std::int32_t>((product + (std::int64_t{1} << (shift_ - 1))) >> shift_);
}

InterpolatedLogistic::InterpolatedLogistic() {
  const auto exact = [](double i) { return 65536.0 / (1.0 + std::exp(i / -24.0)); };
  for (int i = 0; i < 255; ++i) {
    const double below = exact(i + 0.5) - 0.5 * (exact(i) + exact(i + 1));
    samples_.push_back(static_cast<std::int32_t>(std::floor(exact(i) + 0.5 * below + 0.5)));
  }
  samples_.push_back(65535);
}

std::int64_t InterpolatedLogistic::upper_half(std::int32_t argument, int bits,
                                              std::int32_t last) const {
  const std::int64_t size = std::abs(static_cast<std::int64_t>(argument));
  const std::int64_t spacing = std::int64_t{1} << bits;
  const auto i = static_cast<std::size_t>(size / spacing);
  if (i >= 255) return last * spacing;
  const std::int64_t fraction = size % spacing;
  return samples_[i] * (spacing - fraction) + samples_[i + 1] * fraction;
}

std::int32_t InterpolatedLogistic::logistic(std::int32_t argument) const {
  // Q0.25; ties go away from 1/2. The table ends at 32767.
  const std::int64_t y = upper_half(argument, 9, 65534);
  const std::int64_t rounded = argument >= 0 ? y + 512 : (1 << 25) - y + 511;
  return static_cast<std::int32_t>(rounded >> 10);
}

std::int32_t InterpolatedLogistic::tanh(std::int32_t argument) const {
  // 2 · logistic(2x) − 1: samples are half as far apart, Q0.24 less one half is Q0.15 times 2^8.
  const std::int64_t y = upper_half(argument, 8, 65535) - (1 << 23);
  const std::int64_t rounded = argument >= 0 ? y + 128 : 127 - y;
  return static_cast<std::int32_t>(rounded >> 8);
}

ChordTable::ChordTable(float first, float length, const std::function<float(float)>& function) {
  const float spacing = length / 512.0F;
  const auto scaled = [&](float x) { return function(x) * 32768.0F; };
  const auto limit = [](float v) {
    return static_cast<std::int32_t>(std::min(std::max(v, -32768.0F), 32767.0F));
  };
  for (int i = 0; i < 512; ++i) {
    const float x = first + static_cast<float>(i) * spacing;
    const float next = first + static_cast<float>(i + 1) * spacing;
    const float sample = std::round(scaled(x));
    const float on_chord = std::round((scaled(next) + sample) * 0.5F);
    const float error = on_chord - std::round(scaled(x + 0.5F * spacing));
    samples_.push_back(limit(sample - std::round(error * 0.5F)));
  }
  samples_.push_back(limit(std::round(scaled(first + length))));
}

std::int32_t ChordTable::at(std::int32_t position) const {
  const std::int32_t offset = position + 32768;
  const auto i = static_cast<std::size_t>(offset / 128);
  const std::int32_t rise = samples_[i + 1] - samples_[i];
  return samples_[i] + ((rise * (offset % 128) + 64) >> 7);
}

}  // namespace npu::reference
