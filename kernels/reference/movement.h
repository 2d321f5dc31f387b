#pragma once

#include <cstdint>
#include <vector>

#include "kernels/reference/invocation.h"
#include "kernels/reference/operators.h"

namespace npu::reference {

/// Copies elements x[base + Σ position[i] · strides[i]] to y in y's row-major order.
/// @param strides  in elements, one per dimension of y; may be negative or 0.
void strided_copy(const View& x, std::int64_t base, const std::vector<std::int64_t>& strides,
                  TensorData& y);

/// Elements between neighbours along each dimension of a dense tensor.
[[nodiscard]] std::vector<std::int64_t> dense_strides(const Shape& shape);

/// True if all operands and results have one type: operators that only move raw values.
[[nodiscard]] bool moves_values(const graph::Graph& graph, const graph::Node& node);

}  // namespace npu::reference
