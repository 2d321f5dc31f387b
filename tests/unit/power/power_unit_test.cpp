#include "sim/power/power_unit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "sim/power/ledger.h"
#include "tests/unit/power/energy_fixture.h"

namespace npu {
namespace {

using test::energy_config;
using test::kClock;

constexpr double kCyclePs = 2000;

double energy_pj(const std::vector<PowerSample>& samples) {
  double sum = 0;
  for (const PowerSample& s : samples) {
    for (const double w : s.watts) {
      sum += w * static_cast<double>(s.end_cycle - s.begin_cycle) * kCyclePs;
    }
  }
  return sum;
}

/// Picojoules of one component in one window, leakage taken off.
double event_pj(const PowerUnit& unit, const PowerSample& s, const std::string& component,
                double leakage_pj_per_cycle) {
  const auto& names = unit.components();
  const auto c =
      static_cast<std::size_t>(std::find(names.begin(), names.end(), component) - names.begin());
  const auto cycles = static_cast<double>(s.end_cycle - s.begin_cycle);
  return s.watts.at(c) * cycles * kCyclePs - leakage_pj_per_cycle * cycles;
}

TEST(PowerUnit, ComponentsAreThoseOfEventsThenOfLeakage) {
  PowerUnit unit("power", energy_config(), kClock);
  EXPECT_EQ(unit.components().front(), "mac_array");
  EXPECT_EQ(unit.components().back(), "clock_tree");
}

TEST(PowerUnit, SpreadsAnActivityEvenlyOverItsWindows) {
  PowerUnit unit("power", energy_config(100), kClock);
  unit.on_activity(Event::kMacInt8, 1000, 50, 300);  // 500 pJ over 250 cycles
  const std::vector<PowerSample> samples = unit.samples(300);
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_NEAR(event_pj(unit, samples[0], "mac_array", 6.0), 100, 1e-9);
  EXPECT_NEAR(event_pj(unit, samples[1], "mac_array", 6.0), 200, 1e-9);
  EXPECT_NEAR(event_pj(unit, samples[2], "mac_array", 6.0), 200, 1e-9);
}

TEST(PowerUnit, AnActivityThatEndsOnABoundaryStaysBeforeIt) {
  PowerUnit unit("power", energy_config(100), kClock);
  unit.on_activity(Event::kMacInt8, 10, 0, 100);
  unit.on_activity(Event::kMacInt8, 20, 100, 100);
  const std::vector<PowerSample> samples = unit.samples(200);
  EXPECT_NEAR(event_pj(unit, samples[0], "mac_array", 6.0), 5, 1e-9);
  EXPECT_NEAR(event_pj(unit, samples[1], "mac_array", 6.0), 10, 1e-9);
}

TEST(PowerUnit, LastWindowIsPartialAndTakesWhatLiesBeyondTheEnd) {
  PowerUnit unit("power", energy_config(100), kClock);
  unit.on_activity(Event::kMacInt8, 100, 100, 400);
  const std::vector<PowerSample> samples = unit.samples(150);
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[1].begin_cycle, 100U);
  EXPECT_EQ(samples[1].end_cycle, 150U);
  EXPECT_NEAR(event_pj(unit, samples[1], "mac_array", 6.0), 50, 1e-9);
}

TEST(PowerUnit, WindowsSumToTheLedger) {
  const EnergyConfig config = energy_config(64);
  PowerUnit unit("power", config, kClock);
  std::mt19937_64 random(1);
  EventCounts events{};
  constexpr std::uint64_t kTotal = 100001;
  for (int i = 0; i < 5000; ++i) {
    const std::uint64_t event = random() % kEventCount, count = random() % 1000;
    const std::uint64_t begin = random() % kTotal, length = random() % 700;
    unit.on_activity(static_cast<Event>(event), count, begin, begin + length);
    events[event] += count;
  }
  const double total = make_ledger(config, kClock, events, kTotal).total_pj();
  EXPECT_NEAR(energy_pj(unit.samples(kTotal)), total, 1e-9 * total);
}

/// Keeps the simulation alive until a cycle.
struct Activity : sc_core::sc_module {
  explicit Activity(int until) : sc_module(sc_core::sc_module_name("activity")), cycles(until) {
    SC_HAS_PROCESS(Activity);
    SC_THREAD(run);
  }
  void run() {
    for (int i = 0; i < cycles; ++i) wait(sc_core::sc_time(kCyclePs, sc_core::SC_PS));
  }
  int cycles;
};

TEST(PowerUnit, SamplesWhileRunningAndEndsWhenNothingElseIsPending) {
  PowerUnit unit("power", energy_config(100), kClock);
  Activity activity(250);
  unit.start();
  unit.on_activity(Event::kMacInt8, 1000, 0, 100);
  EXPECT_TRUE(unit.latest_watts().empty());
  sc_core::sc_start(sc_core::sc_time(150 * kCyclePs, sc_core::SC_PS));
  ASSERT_FALSE(unit.latest_watts().empty());
  EXPECT_NEAR(unit.latest_watts()[0], (500 + 600) / (100 * kCyclePs), 1e-15);
  sc_core::sc_start();
  EXPECT_EQ(sc_core::sc_time_stamp(), sc_core::sc_time(300 * kCyclePs, sc_core::SC_PS));
  EXPECT_NEAR(unit.latest_watts()[0], 600 / (100 * kCyclePs), 1e-15);
}

TEST(PowerUnit, StopDoesNotProlongTheRun) {
  PowerUnit unit("power", energy_config(100), kClock);
  Activity activity(150);
  unit.start();
  sc_core::sc_start(sc_core::sc_time(149 * kCyclePs, sc_core::SC_PS));
  unit.stop();
  sc_core::sc_start();
  EXPECT_EQ(sc_core::sc_time_stamp(), sc_core::sc_time(150 * kCyclePs, sc_core::SC_PS));
}

TEST(PowerUnit, RefusesAWindowOfNoCycles) {
  EXPECT_THROW(PowerUnit("power", energy_config(0), kClock), std::logic_error);
}

}  // namespace
}  // namespace npu
