#pragma once

#include <cstdint>
#include <vector>

#include "kernels/mapper/mapping.h"

namespace npu::kernels {

/// A number per layer of the mapping, equal for layers that lower to the same instructions but for
/// DRAM addresses and values: kind, attributes, shapes, types and quantization of all operands;
/// where they lie (scratchpad address, or DRAM), how many layers ago they were made, from
/// kFarProducer on all the same; the layer's buffers and the free area that its tile was chosen
/// for, but not the end of it that they lie at (map_network takes turns). The values of constants
/// and their scales do not count, nor the sources of weights.
[[nodiscard]] std::vector<std::uint32_t> layer_keys(const graph::Graph& graph,
                                                    const mapper::Mapping& mapping);
inline constexpr int kFarProducer = 4;

/// Predicted cycles of each layer: those of its tile, or where the mapper predicts none the longer
/// of its bytes through DRAM and its elements through the vector unit.
[[nodiscard]] std::vector<double> predicted_cycles(const graph::Graph& graph,
                                                   const NpuConfig& config,
                                                   const mapper::Mapping& mapping);

}  // namespace npu::kernels
