#pragma once

#include "kernels/mapper/mapping.h"
#include "sim/config/npu_config.h"

namespace npu::mapper {

/// Proves of a finished mapping, whoever made it, and without the formulas that made it:
/// - every resident storage and every buffer is aligned and inside of the scratchpad, and no two
///   share a byte while both live: storages from their producer to their last consumer, buffers
///   during their layer (neighbouring layers may reuse bytes: the tokens order their accesses);
/// - what is not resident has a buffer, with slots that hold the largest tile of the layer's loops;
/// - the sums of a layer's tiles fit the accumulators, each slot of its own.
/// @throws MappingError naming layer, memory, buffer or tensor, bytes needed and bytes there.
void check_mapping(const graph::Graph& graph, const NpuConfig& config, const Mapping& mapping);

}  // namespace npu::mapper
