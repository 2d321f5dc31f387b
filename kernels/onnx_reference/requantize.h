#pragma once

#include <algorithm>
#include <cmath>

#include "workloads/onnx/value.h"

namespace npu::onnx {

/// Sums of QLinearConv and QLinearMatMul to their output: saturate(rint(fp32(fp32(sum) · factor)) +
/// zero point), factor = fp32(fp32(a_scale · b_scale) / y_scale). ONNX leaves the precision open;
/// float32 is what the scales have, ties go to even as for QuantizeLinear.
class Requantization {
 public:
  /// Of one element each.
  Requantization(const Value& scale, const Value& zero_point)
      : scale_(static_cast<float>(to_doubles(scale)[0])),
        zero_point_(to_doubles(zero_point)[0]),
        low_(static_cast<double>(lowest_of(zero_point.type))),
        high_(static_cast<double>(highest_of(zero_point.type))) {}

  [[nodiscard]] double operator()(double sum, double a_scale, double b_scale) const {
    const float factor = static_cast<float>(a_scale) * static_cast<float>(b_scale) / scale_;
    const auto steps = static_cast<double>(static_cast<float>(sum) * factor);
    return std::clamp(std::nearbyint(steps) + zero_point_, low_, high_);
  }

 private:
  float scale_;
  double zero_point_, low_, high_;
};

}  // namespace npu::onnx
