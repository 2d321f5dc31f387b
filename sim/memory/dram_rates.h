#pragma once

#include <cmath>
#include <cstdint>

#include "sim/base/error.h"
#include "sim/config/npu_config.h"
#include "sim/memory/clock_ratio.h"
#include "sim/memory/core_clock.h"

namespace npu {

/// Periods as integers: core in ps, DRAM as 10^9 ps·kHz / kHz.
struct DramRates {
  std::int64_t khz, period_ps;
  DramRates(const DramConfig& config, const CoreClock& clock)
      : khz(std::llround(config.clock_mhz * 1000)),
        period_ps(static_cast<std::int64_t>(clock.period_ps())) {
    NPU_CHECK(khz > 0, "a DRAM needs a clock");
  }
  [[nodiscard]] ClockRatio clock_to_core() const { return {kPsKhz, khz * period_ps}; }
  [[nodiscard]] ClockRatio core_to_clock() const { return {khz * period_ps, kPsKhz}; }
  [[nodiscard]] ClockRatio clock_to_ps() const { return {kPsKhz, khz}; }

 private:
  static constexpr std::int64_t kPsKhz = 1'000'000'000;
};

}  // namespace npu
