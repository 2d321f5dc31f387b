#pragma once

#include <cstddef>
#include <string>

#include "kernels/lowering/compile.h"
#include "kernels/search/objective.h"
#include "sim/config/npu_config.h"
#include "workloads/graph/graph.h"

namespace npu::search {

/// Simulates one layer of a mapped network as a program of its own, timing only. Each call has its
/// machine; in a process without another. @throws RunFault.
[[nodiscard]] Cost simulate_layer(const kernels::MappedNetwork& network, const NpuConfig& config,
                                  std::size_t layer);

/// Simulates one inference of a network, timing only; equal layers that repeat once. Without the
/// check for hazards, which is for who chooses among the costs.
/// @throws Error if it does not map. @throws RunFault.
[[nodiscard]] Cost simulate_network(const graph::Graph& network, const NpuConfig& config,
                                    kernels::CompileOptions options);

/// A cost on its way out of a process. @{
[[nodiscard]] std::string to_text(const Cost& cost);
[[nodiscard]] Cost cost_from_text(const std::string& text);  ///< @}

}  // namespace npu::search
