#pragma once

#include <cstdint>

#include "sim/config/npu_config.h"
#include "sim/stats/run_stats.h"
#include "workloads/graph/graph.h"

namespace npu::validation {

/// One timing-only inference of the network on the NPU: fused, mapped, lowered and run as
/// `npusim run --timing-only` does. Once per process.
/// @throws Error if the network does not map. @throws RunFault.
[[nodiscard]] RunStats simulate(const NpuConfig& config, const graph::Graph& network);

/// Bytes that the run moved from and to the DRAM for the network's layers, whole bursts.
[[nodiscard]] std::uint64_t dram_bytes(const RunStats& stats);

}  // namespace npu::validation
