#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string_view>

namespace npu {

/// Where a unit's cycle went; every cycle of every unit is in exactly one bucket.
enum class Bucket : std::uint8_t {
  kBusy,            ///< Doing its work: multiplying, moving data, computing elements.
  kFillDrain,       ///< Pipeline fill and drain, weight preload that nothing hides, set-up.
  kWaitDependency,  ///< Waiting for a token.
  kWaitBank,        ///< Scratchpad or accumulator bank conflict.
  kWaitDram,  ///< DRAM queueing and latency (for a DRAM channel: command timing without data).
  kWaitInterconnect,  ///< DMA: data later for the interconnect's latency and width.
  kWaitOutstanding,   ///< DMA: data later because max_outstanding requests were under way.
  kRowMiss,           ///< DRAM channel: precharge and activate without data on the bus.
  kRefresh,           ///< DRAM channel: refresh.
  kStallFull,         ///< A full queue downstream.
  kIdle,              ///< Nothing to do.
};
inline constexpr std::size_t kBucketCount = 11;

[[nodiscard]] constexpr std::string_view name_of(Bucket b) {
  constexpr std::array<std::string_view, kBucketCount> kNames = {"busy",
                                                                 "fill_drain",
                                                                 "wait_dependency",
                                                                 "wait_bank",
                                                                 "wait_dram",
                                                                 "wait_interconnect",
                                                                 "wait_outstanding",
                                                                 "row_miss",
                                                                 "refresh",
                                                                 "stall_full",
                                                                 "idle"};
  return kNames[static_cast<std::size_t>(b)];
}

/// What a unit did when: consecutive phases from begin_cycle on.
struct PhaseLog {
  struct Phase {
    std::uint64_t until_cycle;
    Bucket bucket;
  };
  std::uint64_t begin_cycle = 0;
  std::deque<Phase> phases;  ///< No vector: millions of them, which it would copy to grow.

  void add(Bucket bucket, std::uint64_t until_cycle) {
    if (!phases.empty() && phases.back().bucket == bucket) {
      phases.back().until_cycle = until_cycle;
    } else {
      phases.push_back({until_cycle, bucket});
    }
  }
};

/// The cycles of one unit, filled from left to right: the buckets close by construction.
class Timeline {
 public:
  Timeline() = default;
  /// A finished one, of so many cycles per bucket.
  explicit Timeline(const std::array<std::uint64_t, kBucketCount>& cycles) : cycles_(cycles) {
    for (const std::uint64_t c : cycles) accounted_ += c;
  }
  /// Puts the cycles from the last accounted one up to `until_cycle` into `bucket`.
  /// Does nothing where `until_cycle` is already accounted.
  void advance(Bucket bucket, std::uint64_t until_cycle) {
    if (until_cycle <= accounted_) return;
    cycles_[static_cast<std::size_t>(bucket)] += until_cycle - accounted_;
    accounted_ = until_cycle;
    if (log_ != nullptr) log_->add(bucket, until_cycle);
    if (second_log_ != nullptr) second_log_->add(bucket, until_cycle);
  }
  /// From now on every phase also goes into `log`, emptied first; null: no more.
  void log_into(PhaseLog* log) {
    log_ = log;
    if (log != nullptr) *log = {.begin_cycle = accounted_, .phases = {}};
  }
  /// The same, beside the other log.
  void also_log_into(PhaseLog* log) {
    second_log_ = log;
    if (log != nullptr) *log = {.begin_cycle = accounted_, .phases = {}};
  }
  [[nodiscard]] std::uint64_t cycles(Bucket b) const {
    return cycles_[static_cast<std::size_t>(b)];
  }
  [[nodiscard]] std::uint64_t accounted() const { return accounted_; }
  [[nodiscard]] const std::array<std::uint64_t, kBucketCount>& all() const { return cycles_; }

 private:
  std::array<std::uint64_t, kBucketCount> cycles_{};
  std::uint64_t accounted_ = 0;
  PhaseLog* log_ = nullptr;
  PhaseLog* second_log_ = nullptr;
};

}  // namespace npu
