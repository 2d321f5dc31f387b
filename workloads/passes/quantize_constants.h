#pragma once

#include "workloads/graph/graph.h"

namespace npu::passes {

/// A float32 constant's values.
[[nodiscard]] std::vector<float> float_values(const graph::Tensor& tensor);

/// A float32 constant as int8, asymmetric over its own range.
[[nodiscard]] graph::Tensor quantized_constant(const graph::Tensor& tensor);

/// Largest magnitude of each slice along `axis`. @throws Error for values that are not finite.
[[nodiscard]] std::vector<float> magnitudes(const graph::Tensor& tensor, int axis);

/// A float32 constant as int8, symmetric with these scales along `axis`.
[[nodiscard]] graph::Tensor quantized_weights(const graph::Tensor& tensor, int axis,
                                              std::vector<float> scales);

/// A float32 bias as int32 with a scale per entry. Entries must be below 2^31 · scale.
[[nodiscard]] graph::Tensor quantized_bias(const graph::Tensor& tensor,
                                           const std::vector<float>& scales);

}  // namespace npu::passes
