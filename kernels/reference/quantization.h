#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "kernels/reference/arithmetic.h"
#include "workloads/graph/graph.h"

namespace npu::reference {

/// Scale of a per-tensor quantized tensor. @throws Error if it has none or one per channel.
[[nodiscard]] float scale_of(const graph::Tensor& tensor);
/// Zero point of a per-tensor quantized tensor.
/// @throws Error if there is no quantization or the value is outside the tensor's type.
[[nodiscard]] std::int32_t zero_point_of(const graph::Tensor& tensor);

struct IntegerRange {
  std::int32_t low = 0, high = 0;

  [[nodiscard]] std::int32_t clamp(std::int64_t value) const {
    return static_cast<std::int32_t>(
        std::clamp(value, static_cast<std::int64_t>(low), static_cast<std::int64_t>(high)));
  }
};

/// Smallest and largest value of an integer type of at most 32 bits.
[[nodiscard]] IntegerRange range_of(DType type);

/// Output values that a fused activation lets pass on a quantized tensor: its bounds are quantized
/// as zero_point + round(bound / scale), the division in float32, ties away from zero.
[[nodiscard]] IntegerRange activation_range(graph::Activation activation, const graph::Tensor& y);

/// The same in float32.
struct FloatRange {
  float low, high;
};
[[nodiscard]] FloatRange activation_range(graph::Activation activation);
/// Real values that a tensor can hold: those of its quantized type, or all if it has none.
[[nodiscard]] FloatRange real_range(const graph::Tensor& tensor);

/// Last step of an integer operator: rescale the accumulator, add the zero point, clamp.
struct OutputStage {
  std::vector<Multiplier> multipliers;  ///< One, or one per output channel.
  std::int32_t zero_point = 0;
  IntegerRange range;

  [[nodiscard]] Multiplier multiplier(std::size_t channel) const {
    return multipliers[multipliers.size() == 1 ? 0 : channel];
  }
  [[nodiscard]] std::int32_t finish(std::int32_t accumulator, std::size_t channel = 0) const {
    return range.clamp(static_cast<std::int64_t>(rescale(accumulator, multiplier(channel))) +
                       zero_point);
  }
  /// For 64-bit accumulators.
  [[nodiscard]] std::int32_t finish_wide(std::int64_t accumulator, std::size_t channel = 0) const {
    return range.clamp(static_cast<std::int64_t>(rescale_wide(accumulator, multiplier(channel))) +
                       zero_point);
  }
};

/// Stage with one multiplier for the ratio `real` and the zero point and activation of `y`.
[[nodiscard]] OutputStage output_stage(double real, graph::Activation activation,
                                       const graph::Tensor& y);

}  // namespace npu::reference
