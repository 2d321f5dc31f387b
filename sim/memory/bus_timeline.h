#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>

#include "sim/stats/timeline.h"

namespace npu {

/// The timeline of a DMA channel, whose transfers are booked ahead of time.
class BusTimeline {
 public:
  /// Data on the bus from `begin` to `passed`, then waiting for its banks to `end`. In order.
  void add(std::uint64_t begin, std::uint64_t passed, std::uint64_t end) {
    passages_.push_back({begin, passed, end});
  }
  /// Accounts the cycles up to `until`: those in which no data passes go to `gap`.
  void account(Bucket gap, std::uint64_t until) {
    while (!passages_.empty() && passages_.front().begin < until) {
      const Passage& p = passages_.front();
      timeline_.advance(gap, p.begin);
      timeline_.advance(Bucket::kBusy, std::min(p.passed, until));
      timeline_.advance(Bucket::kWaitBank, std::min(p.end, until));
      if (p.end > until) return;
      passages_.pop_front();
    }
    timeline_.advance(gap, until);
  }
  [[nodiscard]] Timeline& timeline() { return timeline_; }

 private:
  struct Passage {
    std::uint64_t begin, passed, end;
  };
  Timeline timeline_;
  std::deque<Passage> passages_;  ///< Not yet accounted.
};

}  // namespace npu
