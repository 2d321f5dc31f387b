#pragma once

#include <cstdint>

#include "kernels/mapper/mapping.h"

namespace npu::mapper {

/// Steps that the layer's loops take: tiles, their parts of the input channels, taps, boxes, chunks
/// or pieces of a move through the bounce buffer.
[[nodiscard]] std::int64_t step_count(const graph::Graph& graph, const Storages& storages,
                                      const LayerPlan& plan);

/// Most steps of a network with decisions: what a program is made from in memory.
inline constexpr std::int64_t kMaxSteps = 1 << 20;

/// @throws MappingError naming the layer with the most steps if the network has more than
/// kMaxSteps.
void check_step_count(const graph::Graph& graph, const Mapping& mapping);

}  // namespace npu::mapper
