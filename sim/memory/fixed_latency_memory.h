#pragma once

#include <array>
#include <cstdint>
#include <deque>

#include "sim/config/npu_config.h"
#include "sim/memory/clock_ratio.h"
#include "sim/stats/activity_log.h"
#include "sim/stats/recorder.h"
#include "sim/stats/timeline.h"

namespace npu {

/// A memory without banks, rows and refresh (`dram.kind: fixed_latency`): the memory of many RTL
/// test benches, and an ideal one with latency 0.
///
/// Timing, in clocks of the memory: reads are served in the order in which they were accepted, one
/// beat every read_clocks_per_256_beats / 256 clocks, the data of a beat read_latency_clocks after
/// its turn. Writes likewise on a path of their own, done write_response_clocks after the last
/// beat. A request is accepted while the backlog is less than one clock, so that requesters that
/// compete take turns request by request. Rates are exact fractions of a clock. Buckets: busy while
/// data of either direction moves, wait_dram from the first request until then, idle otherwise. Not
/// modelled: conflicts between reads and writes.
class FixedLatencyMemory {
 public:
  /// Core cycles in which a request's data moves: [first, end). A write is done at `done`.
  struct Booking {
    std::uint64_t first_cycle = 0, end_cycle = 0, done_cycle = 0;
    std::uint64_t queued_cycles = 0;  ///< Behind other requests.
  };

  FixedLatencyMemory(const DramConfig& config, const ClockRatio& to_core,
                     const ClockRatio& to_clock, Recorder& recorder, std::uint32_t track);

  /// Whether a request that arrives at core cycle `arrival` is accepted.
  [[nodiscard]] bool has_room(bool is_write, std::uint64_t arrival) const;
  /// The first core cycle of arrival at which it will be.
  [[nodiscard]] std::uint64_t room_at(bool is_write) const;
  Booking book(bool is_write, std::int64_t beats, std::int32_t layer, std::uint64_t arrival);

  /// Accounts the cycles up to `cycle`.
  void close(std::uint64_t cycle);
  [[nodiscard]] Timeline& timeline() { return timeline_; }
  /// Counts requests from their arrival to the begin of their work.
  void watch(const QueueWatch& queues) { queues_ = queues; }

 private:
  /// Data that moves in core cycles [begin, end), asked for since `arrival`.
  struct Passage {
    std::uint64_t arrival, begin, end;
  };
  void settle(std::uint64_t cycle);
  [[nodiscard]] std::uint64_t to_cycle(std::int64_t parts) const;

  const FixedLatencyConfig config_;
  const ClockRatio to_core_, to_clock_;
  Recorder& recorder_;
  const std::uint32_t track_;
  std::array<std::int64_t, 2> free_{};  ///< End of the backlog per direction [clock / 256].
  std::array<std::deque<Passage>, 2> passages_;  ///< Not yet accounted, per direction, in order.
  Timeline timeline_;
  QueueWatch queues_;
};

}  // namespace npu
