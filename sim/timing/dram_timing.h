#pragma once

#include <cstdint>

#include "sim/config/npu_config.h"

namespace npu::timing {

/// Clocks that one burst keeps the data bus: ceil(burst_length / data_rate).
[[nodiscard]] std::int64_t burst_clocks(const DramConfig& config);

/// Share of time that refresh leaves to a channel: 1 − tRFC / tREFI for all-bank refresh. Per-bank
/// refresh leaves the other banks working: 1 − tRFCpb / tREFI, what one bank loses.
[[nodiscard]] double refresh_efficiency(const DramConfig& config);

/// Clocks between two column commands of a sequential stream. tCCD_S where the bank group changes
/// with every burst (bg below co in the address mapping), tCCD_L where a row streams out of one
/// bank group; one bank group: tCCD_L. Lower bound: a reordering queue that reaches into the next
/// row in another group does better than tCCD_L.
[[nodiscard]] std::int64_t stream_clocks_per_burst(const DramConfig& config);

/// Sustained bytes per DRAM clock of a sequential stream over all channels, refresh included, row
/// misses hidden.
[[nodiscard]] double stream_bytes_per_clock(const DramConfig& config);

/// The bound that activates put on bursts that each miss their row, per channel: 4 per tFAW and
/// rank, 1 per tRRD_S and rank, at most 1 per stream burst; refresh included. [bursts / clock]
[[nodiscard]] double random_bursts_per_clock(const DramConfig& config);

/// Clocks from a read's arrival at an idle controller to its last beat: tCL + burst, + tRCD with
/// the bank closed,
/// + tRP with another row open.
[[nodiscard]] std::int64_t idle_read_clocks(const DramConfig& config, bool row_hit, bool row_open);

}  // namespace npu::timing
