#include "sim/validation/simulate.h"

#include <utility>

#include "kernels/lowering/compile.h"
#include "sim/core/machine.h"
#include "workloads/passes/passes.h"

namespace npu::validation {

RunStats simulate(const NpuConfig& config, const graph::Graph& network) {
  graph::Graph fused = network;
  (void)passes::fuse(fused);
  kernels::Compiled compiled = kernels::compile(fused, config, {.timing_only = true});
  Machine machine(config, std::move(compiled.program), {.timing_only = true});
  machine.run();
  return machine.stats();
}

std::uint64_t dram_bytes(const RunStats& stats) {
  std::uint64_t bytes = 0;
  for (const LayerStats& layer : stats.layers) {
    bytes += layer.dram_read_bytes + layer.dram_write_bytes;
  }
  return bytes;
}

}  // namespace npu::validation
