#pragma once

#include <cstdint>
#include <vector>

#include "sim/memory/clock_ratio.h"
#include "sim/memory/dram_scheduler.h"
#include "sim/stats/activity_log.h"
#include "sim/stats/recorder.h"
#include "sim/stats/timeline.h"

namespace npu {

/// Where the cycles of one channel go, its counters and its trace, from the bursts as they are
/// booked (ahead of time).
///
/// Buckets, in core cycles: kBusy data on the bus; before a burst, where the bus is free: kIdle
/// until there was work, kRefresh while the burst's rank or bank refreshed, kRowMiss from its
/// precharge or activate to tRCD after the activate, kWaitDram for the rest (column latency,
/// turnaround, activate window). Refresh of an idle channel is kIdle; its energy counts all the
/// same. Counters are handed over per layer and about every kFlushCycles.
class DramActivity {
 public:
  /// @param to_core  DRAM clocks to core cycles.
  DramActivity(const DramConfig& config, const ClockRatio& to_core, Recorder& recorder,
               std::uint32_t track);

  void add(const DramScheduler::Issue& issue, std::int32_t layer, const DramBanks& banks);
  /// Counts the refreshes since the last call, as done by `cycle`.
  void count_refreshes(const DramBanks& banks, std::uint64_t cycle);
  /// Accounts what lies before `cycle`.
  void settle(std::uint64_t cycle);
  /// As settle, then hands over all counters and ends the open span.
  void close(std::uint64_t cycle);
  void flush_counters();

  [[nodiscard]] Timeline& timeline() { return timeline_; }
  /// Counts bursts from their arrival at the controller to their column command.
  void watch(const QueueWatch& queues) { queues_ = queues; }
  void arrives(const DramBurst& burst) { queues_.add(burst.is_write, cycle_of(burst.arrival), 1); }

 private:
  static constexpr std::uint64_t kFlushCycles = 256;

  struct Segment {
    Bucket bucket;
    std::uint64_t until;
  };
  [[nodiscard]] std::uint64_t cycle_of(DramClock clock) const {
    return static_cast<std::uint64_t>(to_core_.ceil(clock));
  }
  void append(Bucket bucket, std::uint64_t until);
  void add_gap(const DramScheduler::Issue& issue, const DramBanks& banks);
  void end_span();

  const DramClock activate_clocks_;
  const ClockRatio to_core_;
  Recorder& recorder_;
  const std::uint32_t track_;
  Timeline timeline_;
  QueueWatch queues_;
  std::vector<Segment> ahead_;  ///< Not yet in the timeline, ascending.
  DramClock data_end_ = 0;
  std::uint64_t last_until_ = 0, span_begin_ = 0, span_end_ = 0;
  std::int32_t layer_ = -1;
  std::uint64_t activates_ = 0, reads_ = 0, writes_ = 0, count_begin_ = 0, count_end_ = 0;
  std::uint64_t refreshes_ = 0, refreshed_until_ = 0;
};

}  // namespace npu
