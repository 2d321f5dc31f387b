#pragma once

#include <string>

#include "sim/config/npu_config.h"
#include "sim/stats/recorder.h"

namespace npu::test {

/// A table in which every row differs: event i costs 0.5·(i + 1) pJ.
inline EnergyConfig energy_config(std::int64_t window_cycles = 100) {
  EnergyConfig energy;
  energy.technology = "test";
  for (std::size_t i = 0; i < kEventCount; ++i) {
    energy.events.push_back(
        {.picojoules = 0.5 * static_cast<double>(i + 1),
         .source_class = i % 2 == 0 ? SourceClass::kPublished : SourceClass::kDerived,
         .source = "row " + std::to_string(i)});
  }
  energy.leakage = {{"mac_array", 3.0, SourceClass::kAssumed, "guess"},
                    {"clock_tree", 0.25, SourceClass::kAssumed, "guess"}};
  energy.window_cycles = window_cycles;
  return energy;
}

inline constexpr ClockConfig kClock{.frequency_mhz = 500};  ///< 2000 ps

}  // namespace npu::test
