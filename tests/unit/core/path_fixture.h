#pragma once

#include <gtest/gtest.h>

#include <string_view>

#include "sim/stats/critical_path.h"
#include "tests/unit/core/machine_fixture.h"

namespace npu::machine_test {

struct PathRun {
  std::uint64_t total_cycles = 0;
  CriticalPath path;
};

inline PathRun path_of(const isa::Program& program, const NpuConfig& config, int runs = 1,
                       bool check_hazards = true) {
  PathRun run;
  {
    Machine machine(config, program,
                    {.timing_only = true, .check_hazards = check_hazards, .record_schedule = true});
    for (int i = 0; i < runs; ++i) machine.run();
    run.total_cycles = machine.stats().total_cycles;
    run.path = find_critical_path(machine.schedule());
  }
  sc_core::sc_get_curr_simcontext()->reset();
  return run;
}

inline std::uint64_t cycles_of(const CriticalPath& path, std::string_view unit, Cause cause) {
  std::uint64_t sum = 0;
  for (const PathStep& step : path.steps) {
    if (unit_of(path, step, cause) == unit) sum += step.cycles[static_cast<std::size_t>(cause)];
  }
  return sum;
}

inline std::uint64_t handovers(const CriticalPath& path, Handover handover) {
  std::uint64_t n = 0;
  for (const PathStep& step : path.steps) n += step.handover == handover ? 1 : 0;
  return n;
}

/// A path that check() accepts and that is as long as the run.
inline void expect_whole(const PathRun& run, int runs = 1) {
  EXPECT_NO_THROW(run.path.check());
  EXPECT_EQ(run.path.end_cycle, run.total_cycles);
  if (runs == 1) {
    EXPECT_EQ(run.path.begin_cycle, 0U);
  }
  ASSERT_FALSE(run.path.steps.empty());
  EXPECT_EQ(run.path.steps.front().handover, Handover::kStart);
}

inline std::uint64_t dram_cycles(const CriticalPath& path) {
  std::uint64_t sum = 0;
  for (std::size_t c = 0; c < kCauseCount; ++c) {
    sum += cycles_of(path, "dram", static_cast<Cause>(c));
  }
  return sum;
}

}  // namespace npu::machine_test
