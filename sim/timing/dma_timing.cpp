#include "sim/timing/dma_timing.h"

#include <algorithm>
#include <cmath>

#include "sim/base/math.h"
#include "sim/timing/dram_timing.h"

namespace npu::timing {
namespace {

constexpr std::int64_t kBoundaryBytes = 4096;

double core_cycles_per_clock(const NpuConfig& config) {
  return config.clock.frequency_mhz / config.dram.clock_mhz;
}

}  // namespace

std::int64_t request_bytes(const NpuConfig& config) {
  return std::min(kBoundaryBytes,
                  std::max<std::int64_t>(config.dma.max_burst_bytes, config.dram.burst_bytes()));
}

double dram_bytes_per_core_cycle(const NpuConfig& config) {
  if (config.dram.kind == DramKind::kFixedLatency) {
    return config.dram.peak_bytes_per_second() / (config.clock.frequency_mhz * 1e6);
  }
  return stream_bytes_per_clock(config.dram) / core_cycles_per_clock(config);
}

std::int64_t request_latency_cycles(const NpuConfig& config, bool is_write) {
  const DramConfig& dram = config.dram;
  if (dram.kind == DramKind::kFixedLatency) {
    const FixedLatencyConfig& f = dram.fixed_latency;
    const int waited = is_write ? f.write_response_clocks : f.read_latency_clocks;
    return 2 * std::int64_t{config.interconnect.latency_cycles} +
           static_cast<std::int64_t>(std::ceil((waited + 1) * core_cycles_per_clock(config)));
  }
  const std::int64_t clocks = dram.tRCD + (is_write ? dram.tCWL : dram.tCL) + burst_clocks(dram);
  const double controller = dram.controller_latency_ns * config.clock.frequency_mhz / 1000.0;
  return 2 * std::int64_t{config.interconnect.latency_cycles} +
         static_cast<std::int64_t>(
             std::ceil(controller + static_cast<double>(clocks) * core_cycles_per_clock(config)));
}

TransferTiming estimate_transfer(const NpuConfig& config, std::int64_t rows, std::int64_t run_bytes,
                                 bool is_write) {
  TransferTiming timing;
  timing.cycles = config.dma.setup_cycles;
  if (rows <= 0 || run_bytes <= 0) return timing;

  const std::int64_t request = request_bytes(config);
  const std::int64_t burst = config.dram.burst_bytes();
  const std::int64_t full = run_bytes / request;
  const std::int64_t rest = run_bytes % request;
  const std::int64_t beats = full * ceil_div(request, config.dma.bus_width_bytes) +
                             ceil_div(rest, config.dma.bus_width_bytes);
  timing.dram_bytes = rows * ceil_div(run_bytes, burst) * burst;

  const auto bus = static_cast<double>(rows * beats);
  const double interconnect =
      static_cast<double>(rows * run_bytes) / config.interconnect.bytes_per_cycle;
  const double dram = static_cast<double>(timing.dram_bytes) / dram_bytes_per_core_cycle(config);
  const auto requests = static_cast<double>(rows * ceil_div(run_bytes, request));
  const auto latency = static_cast<double>(request_latency_cycles(config, is_write));
  // The first max_outstanding requests pay the latency once, in the sum; the others follow one slot
  // each.
  const double slots = std::max(0.0, requests / config.dma.max_outstanding - 1) * latency;
  timing.cycles += static_cast<std::int64_t>(
      std::ceil(latency + std::max(std::max(bus, interconnect), std::max(dram, slots))));
  return timing;
}

}  // namespace npu::timing
