#pragma once

#include <cstdint>

#include "sim/config/npu_config.h"

namespace npu {

/// Addresses of a trace, one burst each, within its span.
enum class TracePattern : std::uint8_t {
  kStream,  ///< One burst after the other.
  kRandom,  ///< Uniformly random.
  kStride,  ///< kTraceStrideBytes apart.
  /// Three streams a quarter of a GiB apart in turn: two of reads, one of writes, as c[i] = a[i] +
  /// b[i] makes them.
  kTriad,
};
inline constexpr std::int64_t kTraceStrideBytes = 4096;

/// Traffic offered to one controller: a burst every `gap_clocks`, and none while the queue for it
/// is full (in order: what cannot be taken holds up the rest).
struct DramTrace {
  TracePattern pattern = TracePattern::kStream;
  std::int64_t gap_clocks = 1;
  std::int64_t clocks = 300'000;                    ///< Length.
  std::int64_t span_bytes = std::int64_t{1} << 30;  ///< From address 0; at most the capacity.
};

struct DramTraceResult {
  std::uint64_t reads = 0, writes = 0, activates = 0;
  double mean_read_clocks = 0;  ///< From the arrival to the last beat, with the controller latency.
  double bus_share = 0;  ///< Bursts · burst clocks / clocks: fraction of the peak bandwidth.
};

/// Runs a trace through controller and devices of one channel alone: no interconnect, no other
/// channels. Deterministic.
[[nodiscard]] DramTraceResult run_dram_trace(const DramConfig& config, const DramTrace& trace);

}  // namespace npu
