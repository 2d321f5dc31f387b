#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <vector>

namespace npu::reference {

// int16 functions from tables with linear interpolation. Source: TensorFlow Lite Micro's reference
// kernels (integer_ops/logistic.h, tanh.h, softmax.h).

/// The argument of LOGISTIC and TANH in steps of 1/12288. A scale of 2^e with e among the given
/// exponents (to within 2^±0.001) counts as exact; any other becomes a multiplier of 15 bits,
/// truncated, and a rounding shift with ties toward +∞.
class CurveArgument {
 public:
  /// @throws Error if no multiplier of 15 bits and shift of at most 31 gives the scale.
  CurveArgument(float scale, std::initializer_list<int> exact_exponents);

  [[nodiscard]] std::int32_t operator()(std::int32_t q) const;
  [[nodiscard]] std::int32_t multiplier() const { return multiplier_; }
  [[nodiscard]] int shift() const { return shift_; }

 private:
  std::int32_t multiplier_ = 0;
  int shift_ = 0;
};

/// 1 / (1 + exp(−i/24)) in Q0.16 for i < 256. Samples lie above the function by half of what a
/// chord between two of them would lie below it in its middle; the last one is the largest value.
class InterpolatedLogistic {
 public:
  InterpolatedLogistic();
  /// In Q0.15, of an argument in steps of 1/12288.
  [[nodiscard]] std::int32_t logistic(std::int32_t argument) const;
  [[nodiscard]] std::int32_t tanh(std::int32_t argument) const;
  [[nodiscard]] const std::vector<std::int32_t>& samples() const { return samples_; }

 private:
  /// The function of |argument| · 2^−bits samples, in Q0.16 times 2^bits; `last` from sample 255
  /// on.
  [[nodiscard]] std::int64_t upper_half(std::int32_t argument, int bits, std::int32_t last) const;
  std::vector<std::int32_t> samples_;
};

/// A function over [first, first + length] in Q0.15, by 512 chords over the range of int16.
class ChordTable {
 public:
  /// Built in float32; `function` maps float32 to float32.
  ChordTable(float first, float length, const std::function<float(float)>& function);
  /// Interpolated at an int16, rounded to nearest, ties toward +∞.
  [[nodiscard]] std::int32_t at(std::int32_t position) const;
  [[nodiscard]] const std::vector<std::int32_t>& samples() const { return samples_; }

 private:
  std::vector<std::int32_t> samples_;
};

}  // namespace npu::reference
