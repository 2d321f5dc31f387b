#include "kernels/cost/layer_cost.h"

#include <algorithm>
#include <cmath>

namespace npu::cost {
namespace {

/// Descriptor set-up, one interconnect round trip and a closed-row DRAM access [core cycles].
double descriptor_latency(const NpuConfig& config) {
  if (config.dram.kind == DramKind::kFixedLatency) {
    return config.dma.setup_cycles + 2.0 * config.interconnect.latency_cycles +
           (config.dram.fixed_latency.read_latency_clocks + 1) * config.clock.frequency_mhz /
               config.dram.clock_mhz;
  }
  const double dram_ns = (config.dram.tRCD + config.dram.tCL) * 1e3 / config.dram.clock_mhz +
                         config.dram.controller_latency_ns;
  return config.dma.setup_cycles + 2.0 * config.interconnect.latency_cycles +
         dram_ns * config.clock.frequency_mhz / 1e3;
}

}  // namespace

double dram_bytes_per_cycle(const NpuConfig& config) {
  const double device = config.dram.peak_bytes_per_second() / (config.clock.frequency_mhz * 1e6);
  const double outstanding = static_cast<double>(config.dma.max_outstanding) *
                             config.dma.max_burst_bytes / descriptor_latency(config);
  return std::min({device, static_cast<double>(config.interconnect.bytes_per_cycle),
                   static_cast<double>(config.dma.bus_width_bytes), outstanding});
}

std::int64_t layer_cycles(const NpuConfig& config, const LayerWork& work) {
  const double bandwidth = dram_bytes_per_cycle(config);
  const double latency = descriptor_latency(config);
  const double dma =
      static_cast<double>(work.load_bytes + work.store_bytes) / bandwidth +
      (config.dma.pipelined_descriptors ? 1.0 : static_cast<double>(work.descriptors)) *
          config.dma.setup_cycles;
  const auto mac = static_cast<double>(work.mac_cycles);
  const auto vector = static_cast<double>(work.vector_cycles);
  double cycles = std::max({dma, mac, vector});
  cycles += std::min(mac, vector) / static_cast<double>(work.tiles);
  if (work.load_bytes > 0)
    cycles += latency + static_cast<double>(work.first_load_bytes) / bandwidth;
  if (work.store_bytes > 0)
    cycles += latency + static_cast<double>(work.last_store_bytes) / bandwidth;
  return static_cast<std::int64_t>(std::ceil(cycles));
}

}  // namespace npu::cost
