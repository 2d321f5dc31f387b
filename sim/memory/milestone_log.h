#pragma once

#include <cstdint>

#include "sim/base/error.h"
#include "sim/stats/schedule.h"

namespace npu {

/// Keeps what the instants of a DMA channel with overlapping descriptors hang on, for the critical
/// path; does nothing unless there is a log.
///
/// The channel issues in order, so that an instant of a descriptor hangs on the taking of the
/// descriptor, on the slot that the issue waited for last, or on the bus, whichever came last.
class MilestoneLog {
 public:
  using Index = std::int32_t;
  static constexpr Index kNone = Schedule::kNone;

  void log_into(Schedule::ChannelLog* log) {
    log_ = log;
    if (log != nullptr) *log = {};
    origin_ = bus_ = kNone;
  }

  /// A descriptor is taken. @return its number.
  std::uint32_t begin() {
    if (log_ == nullptr) return 0;
    origin_ = kNone;
    log_->descriptors.emplace_back();
    return static_cast<std::uint32_t>(log_->descriptors.size() - 1);
  }
  /// What the issue of the running descriptor goes on from; kNone: from its begin.
  [[nodiscard]] Index origin() const { return origin_; }
  /// The issue waited until then.
  void go_on_from(Index milestone) {
    if (milestone != kNone) origin_ = milestone;
  }
  /// What data that could pass in cycle `now` waits for: the bus, if data has it until later.
  [[nodiscard]] Index bus_or(Index before, std::uint64_t now) const {
    return bus_ != kNone && cycle_of(bus_) > now ? bus_ : before;
  }
  /// The data booked last.
  [[nodiscard]] Index bus() const { return bus_; }
  /// The bus is kept by the running descriptor's set-up.
  void set_up() { bus_ = kNone; }

  /// Data of a descriptor has the bus until `cycle`.
  Index pass(std::uint32_t descriptor, std::uint64_t cycle, Index before) {
    return bus_ = answer(descriptor, cycle, before);
  }
  /// A request of a descriptor is answered.
  Index answer(std::uint32_t descriptor, std::uint64_t cycle, Index before) {
    if (log_ == nullptr) return kNone;
    NPU_CHECK(before == kNone || cycle_of(before) <= cycle, "a milestone lies before its cause");
    log_->milestones.push_back({.cycle = cycle, .descriptor = descriptor, .before = before});
    return static_cast<Index>(log_->milestones.size() - 1);
  }
  /// All requests of the running descriptor are issued.
  void release(std::uint32_t descriptor) {
    if (log_ != nullptr) log_->descriptors[descriptor].released_by = origin_;
  }
  void end(std::uint32_t descriptor, std::uint64_t end_cycle, std::uint64_t completion_cycles,
           Index in_place_by) {
    if (log_ == nullptr) return;
    Schedule::Descriptor& d = log_->descriptors[descriptor];
    d.end_cycle = end_cycle;
    d.completion_cycles = completion_cycles;
    d.in_place_by = in_place_by;
  }

 private:
  [[nodiscard]] std::uint64_t cycle_of(Index milestone) const {
    return log_->milestones[static_cast<std::size_t>(milestone)].cycle;
  }

  Schedule::ChannelLog* log_ = nullptr;
  Index origin_ = kNone;
  Index bus_ = kNone;  ///< The data booked last.
};

}  // namespace npu
