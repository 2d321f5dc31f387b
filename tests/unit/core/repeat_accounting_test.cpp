#include "sim/core/repeat_accounting.h"

#include <gtest/gtest.h>

#include <numeric>

#include "sim/power/ledger.h"
#include "tests/unit/core/machine_fixture.h"

// A machine whose program has layers that stand for several.
namespace npu {
namespace {

using machine_test::gemm;
using machine_test::kDma0;
using machine_test::kDma1;
using machine_test::kMac;
using machine_test::kOutputAddress;
using machine_test::kVec;
using machine_test::load;
using machine_test::small_config;
using machine_test::store;
using machine_test::vec_max;

/// Three layers, of which the middle one repeats.
isa::Program program(std::int64_t repeats) {
  isa::Program p = machine_test::program_of(
      {load(0, 0, 0, 5120, 0, kMac | kVec), gemm(0, 4096, 0, 128, 32, 32, kDma0, 0),
       vec_max(0, 1024, 8192, 1024, kDma0, kDma1), store(1, 8192, kOutputAddress, 1024, kVec, 0)});
  p.layers = {{.name = "a"}, {.name = "b", .repeats = repeats}, {.name = "c"}};
  p.layer_of = {0, 1, 1, 2, -1};
  return p;
}

RunStats stats_of(const isa::Program& p, int runs = 1) {
  Machine machine(small_config(), p, {.timing_only = true});
  for (int i = 0; i < runs; ++i) machine.run();
  return machine.stats();
}

std::string error_of(const isa::Program& p, const MachineOptions& options) {
  try {
    const Machine machine(small_config(), p, options);
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(RepeatAccounting, EverythingClosesOverAllRepeats) {
  const NpuConfig config = small_config();
  const RunStats once = stats_of(program(1), 2);
  Machine::reset_kernel();
  const RunStats stats = stats_of(program(5), 2);
  EXPECT_EQ(stats.simulated_cycles, once.total_cycles);
  EXPECT_EQ(once.simulated_cycles, once.total_cycles);
  ASSERT_EQ(stats.layers.size(), 3U);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(stats.layers[i].repeats, i == 1 ? 5U : 1U);
    EXPECT_EQ(stats.layers[i].begin_cycle, once.layers[i].begin_cycle);
    EXPECT_EQ(stats.layers[i].cycles(), once.layers[i].cycles() * stats.layers[i].repeats);
    EXPECT_EQ(
        stats.layers[i].events[static_cast<std::size_t>(Event::kMacInt8)],
        once.layers[i].events[static_cast<std::size_t>(Event::kMacInt8)] * stats.layers[i].repeats);
    EXPECT_EQ(stats.layers[i].dma_busy_cycles,
              once.layers[i].dma_busy_cycles * stats.layers[i].repeats);
    sum += stats.layers[i].cycles();
  }
  ASSERT_EQ(stats.run_cycles.size(), 2U);
  EXPECT_EQ(sum, stats.run_cycles.back());
  EXPECT_EQ(stats.run_cycles[0] + stats.run_cycles[1], stats.total_cycles);
  EXPECT_GT(stats.total_cycles, once.total_cycles + 4 * once.layers[1].cycles());
  ASSERT_EQ(stats.units.size(), once.units.size());
  for (const UnitStats& u : stats.units) {
    const auto& cycles = u.timeline.all();
    EXPECT_EQ(std::accumulate(cycles.begin(), cycles.end(), std::uint64_t{0}), stats.total_cycles)
        << u.name;
  }
  for (std::size_t e = 0; e < kEventCount; ++e) {
    std::uint64_t events = 0;
    for (const EventCounts& layer : stats.events_per_layer) events += layer[e];
    EXPECT_EQ(events, stats.events[e]) << name_of(static_cast<Event>(e));
  }
  const EnergyLedger ledger =
      make_ledger(config.energy, config.clock, stats.events, stats.total_cycles);
  double energy = 0;
  std::uint64_t at = 0;
  for (const PowerSample& s : stats.power) {
    EXPECT_EQ(s.begin_cycle, at);
    at = s.end_cycle;
    for (const double watts : s.watts) {
      energy += watts * static_cast<double>((s.end_cycle - s.begin_cycle) * s.repeats) *
                static_cast<double>(config.clock.period_ps());
    }
  }
  EXPECT_EQ(at, stats.simulated_cycles);
  EXPECT_NEAR(energy, ledger.total_pj(), 1e-9 * ledger.total_pj());
}

TEST(RepeatAccounting, OfTimingAlone) {
  EXPECT_EQ(error_of(program(5), {}),
            "layers of the program stand for several equal ones: it can only be timed "
            "(timing-only)");
  EXPECT_EQ(error_of(program(5), {.timing_only = true, .record_schedule = true}),
            "layers of the program stand for several equal ones: it can only be timed (without a "
            "schedule)");
}

TEST(RepeatAccounting, IsAloneInItsMachine) {
  Machine machine(small_config(), program(1), {.timing_only = true});
  try {
    machine.load(program(5));
    FAIL() << "loaded";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "a program in which layers stand for several equal ones is alone in its machine");
  }
}

}  // namespace
}  // namespace npu
