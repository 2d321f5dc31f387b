#include "sim/memory/dram_trace.h"

#include <algorithm>
#include <random>
#include <vector>

#include "sim/base/error.h"
#include "sim/memory/address_mapping.h"
#include "sim/memory/dram_scheduler.h"
#include "sim/timing/dram_timing.h"

namespace npu {
namespace {

constexpr std::int64_t kTriadDistanceBytes = std::int64_t{1} << 28;

/// Makes the bursts of a trace.
class Source {
 public:
  Source(const DramConfig& config, const DramTrace& trace)
      : config_(config),
        mapping_(config),
        pattern_(trace.pattern),
        span_(std::min(trace.span_bytes, mapping_.capacity_bytes())) {
    make();
  }
  [[nodiscard]] const DramBurst& next() const { return next_; }
  void advance() {
    ++count_;
    make();
  }

 private:
  [[nodiscard]] std::int64_t address() {
    const std::int64_t bytes = config_.burst_bytes();
    switch (pattern_) {
      case TracePattern::kStream:
        return count_ * bytes;
      case TracePattern::kRandom:
        return static_cast<std::int64_t>(random_() >> 1);
      case TracePattern::kStride:
        return count_ * kTraceStrideBytes;
      case TracePattern::kTriad:
        return count_ % 3 * kTriadDistanceBytes + count_ / 3 * bytes;
    }
    return 0;
  }
  void make() {
    const DramLocation at = mapping_.decode(address() % span_);
    NPU_CHECK(at.channel == 0, "a DRAM trace runs on one channel");
    const auto groups = static_cast<std::uint32_t>(config_.bank_groups);
    const auto banks = static_cast<std::uint32_t>(config_.banks_per_group);
    next_ = {.bank = (at.rank * groups + at.bank_group) * banks + at.bank,
             .row = at.row,
             .column = at.column,
             .is_write = pattern_ == TracePattern::kTriad && count_ % 3 == 2};
  }

  const DramConfig& config_;
  AddressMapping mapping_;
  TracePattern pattern_;
  std::int64_t span_;
  std::int64_t count_ = 0;
  std::mt19937_64 random_{1};
  DramBurst next_;
};

}  // namespace

DramTraceResult run_dram_trace(const DramConfig& config, const DramTrace& trace) {
  NPU_CHECK(config.channels == 1, "a DRAM trace runs on one channel");
  Source source(config, trace);
  DramScheduler scheduler(config);
  std::vector<DramScheduler::Issue> issues;
  DramTraceResult result;
  DramClock read_clocks = 0, offer_at = 0, wake = kNever;
  for (DramClock now = 0; now < trace.clocks;) {
    if (now >= offer_at && scheduler.has_room(source.next().is_write)) {
      DramBurst burst = source.next();
      burst.arrival = now;
      (void)scheduler.push(burst);
      source.advance();
      offer_at = now + trace.gap_clocks;
      wake = std::min(wake, scheduler.wake_for(now));
    }
    if (now >= wake) {
      issues.clear();
      wake = scheduler.run(now, issues);
      for (const DramScheduler::Issue& issue : issues) {
        if (issue.times.activate >= 0) ++result.activates;
        if (issue.burst.is_write) {
          ++result.writes;
        } else {
          ++result.reads;
          read_clocks += issue.times.data_end - issue.burst.arrival;
        }
      }
    }
    const bool can_offer = scheduler.has_room(source.next().is_write);
    now = std::min(wake, can_offer ? std::max(offer_at, now + 1) : wake);
  }
  const auto bursts = static_cast<double>(result.reads + result.writes);
  result.bus_share = bursts * static_cast<double>(timing::burst_clocks(config)) /
                     static_cast<double>(trace.clocks);
  if (result.reads > 0) {
    result.mean_read_clocks = static_cast<double>(read_clocks) / static_cast<double>(result.reads) +
                              config.controller_latency_ns * config.clock_mhz / 1000;
  }
  return result;
}

}  // namespace npu
