#pragma once

#include "kernels/mapper/mapping.h"

namespace npu::kernels {

/// Decides for every node where it runs.
/// @throws Error for an operator that runs nowhere (name, index, types), or a float operator
/// between integer ones.
[[nodiscard]] mapper::Partition partition(const graph::Graph& graph);

/// CONCATENATION of operands whose quantization differs from the output's (legacy uint8) becomes
/// one rescale per such operand, a CONCATENATION of one, and a plain one. Returns the graph
/// unchanged otherwise.
[[nodiscard]] graph::Graph split_rescaled_concatenations(graph::Graph graph);

}  // namespace npu::kernels
