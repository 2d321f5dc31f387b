#pragma once

#include <cstdint>
#include <systemc>

namespace npu {

/// The core clock as cycle numbers. Everything in the core happens on whole cycles.
class CoreClock {
 public:
  explicit CoreClock(std::int64_t period_ps) : period_ps_(static_cast<std::uint64_t>(period_ps)) {}

  /// Current cycle (time rounded up to the next edge).
  [[nodiscard]] std::uint64_t now() const {
    return (sc_core::sc_time_stamp().value() + period_ps_ - 1) / period_ps_;
  }
  [[nodiscard]] std::uint64_t period_ps() const { return period_ps_; }
  [[nodiscard]] sc_core::sc_time at(std::uint64_t cycle) const {
    return sc_core::sc_time::from_value(cycle * period_ps_);
  }
  /// Blocks the calling SC_THREAD until `cycle`; returns at once if it is past.
  void wait_until(std::uint64_t cycle) const {
    const sc_core::sc_time target = at(cycle);
    if (target > sc_core::sc_time_stamp()) sc_core::wait(target - sc_core::sc_time_stamp());
  }

 private:
  std::uint64_t period_ps_;  ///< SystemC's resolution is 1 ps.
};

}  // namespace npu
