#pragma once

#include <optional>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::passes {

/// The values of a constant of any float type; nullopt for other tensors and without the values.
[[nodiscard]] std::optional<std::vector<float>> constant_floats(const graph::Tensor& tensor);

/// The value of a float constant of one element.
[[nodiscard]] std::optional<float> constant_float(const graph::Tensor& tensor);

/// Which elements of an integer or bool constant without quantization are not 0.
[[nodiscard]] std::optional<std::vector<bool>> constant_condition(const graph::Tensor& tensor);

}  // namespace npu::passes
