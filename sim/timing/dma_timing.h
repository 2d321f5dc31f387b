#pragma once

#include <cstdint>

#include "sim/config/npu_config.h"

namespace npu::timing {

struct TransferTiming {
  std::int64_t cycles = 0;  ///< Core cycles from issue to completion on an otherwise idle machine.
  std::int64_t dram_bytes = 0;  ///< Whole bursts, moved on the DRAM bus.
};

/// Bytes of the longest DRAM request of a DMA channel: dma.max_burst_bytes, but at least one DRAM
/// burst, at most 4 KiB.
[[nodiscard]] std::int64_t request_bytes(const NpuConfig& config);

/// Sustained DRAM bandwidth of a sequential stream in bytes per core cycle
/// (timing::stream_bytes_per_clock).
[[nodiscard]] double dram_bytes_per_core_cycle(const NpuConfig& config);

/// Core cycles from a request at the DMA channel to its last byte there, on an idle machine with
/// the row closed.
[[nodiscard]] std::int64_t request_latency_cycles(const NpuConfig& config, bool is_write);

/// Estimate of one descriptor of `rows` runs of `run_bytes`, contiguous neither in DRAM nor in the
/// scratchpad:
///   setup + latency + max(bus, interconnect, DRAM bandwidth, requests / max_outstanding · latency)
/// with bus = rows · Σ over a row's requests of ceil(bytes / bus_width). Rather low: rows are taken
/// as aligned to the DRAM's bursts; row misses, bank conflicts and other traffic are left out.
/// Merge contiguous rows before asking.
[[nodiscard]] TransferTiming estimate_transfer(const NpuConfig& config, std::int64_t rows,
                                               std::int64_t run_bytes, bool is_write);

}  // namespace npu::timing
