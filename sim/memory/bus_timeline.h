#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "sim/stats/timeline.h"

namespace npu {

/// The timeline of a DMA channel, whose transfers are booked ahead of time.
///
/// What a cycle without data waited for shows when the next data comes: such cycles stay open until
/// then. Of the gap in front of data, first the cycles for which its request was held up by
/// max_outstanding, but only what is left beside its time in the DRAM's queues, which an earlier
/// request would have spent there; the last ones are those by which the interconnect delayed it
/// more than the data before; between them it was with the DRAM.
class BusTimeline {
 public:
  /// What kept the data of a passage, beside DRAM commands [cycles].
  struct Waits {
    std::uint64_t held = 0;          ///< Its request had no place among max_outstanding.
    std::uint64_t queued = 0;        ///< In the DRAM beyond an idle one's latency.
    std::uint64_t interconnect = 0;  ///< There and back, and for the width.
  };
  /// Data on the bus from `begin` to `passed`, then waiting for its banks to `end`. In order.
  void add(std::uint64_t begin, std::uint64_t passed, std::uint64_t end, const Waits& waits) {
    passages_.push_back({begin, passed, end, waits});
  }
  /// Accounts the cycles up to `until`: those in which no data passes go to `gap`; kWaitDram stands
  /// for whatever the data that comes next waited for.
  void account(Bucket gap, std::uint64_t until) {
    while (!passages_.empty() && passages_.front().begin < until) {
      const Passage& p = passages_.front();
      close_gap(gap == Bucket::kWaitDram ? p.begin : std::min(open_until_, p.begin), p.waits);
      timeline_.advance(gap, p.begin);
      timeline_.advance(Bucket::kBusy, std::min(p.passed, until));
      timeline_.advance(Bucket::kWaitBank, std::min(p.end, until));
      if (p.end > until) return;
      passages_.pop_front();
    }
    if (gap == Bucket::kWaitDram) {
      open_until_ = std::max(open_until_, until);
    } else {
      advance(gap, until);
    }
  }
  /// As account() with kWaitDram where no data follows, but an answer, of which the interconnect
  /// had so many cycles.
  void finish(std::uint64_t until, std::uint64_t interconnect_cycles) {
    account(Bucket::kWaitDram, until);
    close_gap(until, {.interconnect = interconnect_cycles});
  }
  /// No data passes, and what did so is accounted.
  void advance(Bucket bucket, std::uint64_t until) {
    close_gap(open_until_, {});
    timeline_.advance(bucket, until);
  }
  [[nodiscard]] Timeline& timeline() { return timeline_; }

 private:
  struct Passage {
    std::uint64_t begin, passed, end;
    Waits waits;
  };

  void close_gap(std::uint64_t until, const Waits& waits) {
    const std::uint64_t from = timeline_.accounted();
    if (until <= from) return;
    const std::uint64_t gap = until - from;
    const std::uint64_t held = std::min(waits.held, gap - std::min(gap, waits.queued));
    timeline_.advance(Bucket::kWaitOutstanding, from + held);
    timeline_.advance(Bucket::kWaitDram, until - std::min(waits.interconnect, gap - held));
    timeline_.advance(Bucket::kWaitInterconnect, until);
  }

  Timeline timeline_;
  std::deque<Passage> passages_;  ///< Not yet accounted.
  std::uint64_t open_until_ = 0;  ///< Cycles without data up to here wait for a bucket.
};

}  // namespace npu
