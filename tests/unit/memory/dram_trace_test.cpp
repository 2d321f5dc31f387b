#include "sim/memory/dram_trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "sim/base/csv.h"
#include "sim/config/dram_device.h"
#include "tests/unit/memory/fixtures.h"

namespace npu {
namespace {

using test::ddr4_2400;

DramTraceResult run(const DramConfig& config, TracePattern pattern, std::int64_t gap = 1) {
  return run_dram_trace(config, {.pattern = pattern, .gap_clocks = gap});
}

TEST(DramTrace, ClosedFormsOfTheFourPatterns) {
  // Bank groups lowest: a stream fills the bus.
  EXPECT_GT(run(ddr4_2400(), TracePattern::kStream).bus_share, 0.999);
  // Random rows: four activates per tFAW.
  EXPECT_NEAR(run(ddr4_2400(), TracePattern::kRandom).bus_share, 4.0 * 4 / 26, 0.002);
  // 64 bursts on with the groups in the lowest two bits: one group, tCCD_L.
  EXPECT_NEAR(run(ddr4_2400(), TracePattern::kStride).bus_share, 4.0 / 6, 0.005);
  const DramTraceResult triad = run(ddr4_2400(), TracePattern::kTriad);
  EXPECT_NEAR(static_cast<double>(triad.writes) / static_cast<double>(triad.reads), 0.5, 0.01);
}

TEST(DramTrace, RefreshTakesItsShareOfAStream) {
  for (const auto& [refresh, cycles] :
       {std::pair{RefreshPolicy::kNone, 0}, std::pair{RefreshPolicy::kAllBank, 420}}) {
    DramConfig c = ddr4_2400();
    c.refresh = refresh;
    // The rows are closed before it, one is opened after it.
    const double lost = refresh == RefreshPolicy::kNone ? 0 : (cycles + 17.0 + 17.0) / 9360;
    EXPECT_NEAR(run(c, TracePattern::kStream).bus_share, 1 - lost, 0.004);
  }
}

TEST(DramTrace, IdleReadsTakeTheIdleLatency) {
  DramConfig c = ddr4_2400();
  EXPECT_NEAR(run(c, TracePattern::kStream, 200).mean_read_clocks, 17 + 4, 1);
  EXPECT_NEAR(run(c, TracePattern::kRandom, 200).mean_read_clocks, 17 + 17 + 17 + 4, 1);
  c.page_policy = PagePolicy::kClosed;
  EXPECT_NEAR(run(c, TracePattern::kRandom, 200).mean_read_clocks, 17 + 17 + 4, 0.01);
  c.controller_latency_ns = 10;
  EXPECT_NEAR(run(c, TracePattern::kRandom, 200).mean_read_clocks, 17 + 17 + 4 + 12, 0.01);
}

TEST(DramTrace, ASingleBankIsBoundByTrc) {
  DramConfig c = ddr4_2400();
  c.bank_groups = c.banks_per_group = 1;
  c.tCCD_L = c.tCCD_S;
  EXPECT_NEAR(run(c, TracePattern::kRandom).bus_share, 4.0 / (39 + 17), 0.001);
}

/// The traces that two other simulators ran on the same device and mapping: within their range,
/// widened by 5 %.
TEST(DramTrace, BandwidthLiesBetweenTwoOtherSimulators) {
  const std::string folder = NPUSIM_SOURCE_DIR "/configs/validation/";
  const CsvTable dramsim = CsvTable::load(folder + "dramsim3.csv");
  const CsvTable ramulator = CsvTable::load(folder + "ramulator.csv");
  const auto bandwidth = [](const CsvTable& table,
                            const std::vector<std::pair<std::string, std::string>>& key) {
    for (std::size_t row = 0; row < table.rows(); ++row) {
      const bool is_it = std::ranges::all_of(
          key, [&](const auto& k) { return table.text(row, k.first) == k.second; });
      if (is_it) return table.number(row, "fraction_of_peak", 0, 1);
    }
    ADD_FAILURE() << "no row " << key.back().second;
    return 0.0;
  };
  struct Trace {
    TracePattern pattern;
    const char* dramsim;
    const char* ramulator;
  };
  constexpr std::array kTraces{Trace{TracePattern::kStream, "stream_read_sat", "stream"},
                               Trace{TracePattern::kRandom, "random_read_sat", "random"},
                               Trace{TracePattern::kStride, "stride4k_read_sat", "stride4k"},
                               Trace{TracePattern::kTriad, "stream_2r1w_sat", "mix2r1w"}};
  struct Device {
    const char* dramsim;
    const char* ramulator;
    std::array<const char*, 2> ours;
  };
  constexpr std::array kDevices{
      Device{
          "DDR4_8Gb_x8_2400__1rank", "DDR4-2400R", {"dramsim3_ddr4_2400", "ramulator_ddr4_2400r"}},
      Device{"DDR4_8Gb_x8_3200__1rank",
             "DDR4-3200AA",
             {"dramsim3_ddr4_3200", "ramulator_ddr4_3200aa"}}};
  for (const Device& device : kDevices) {
    for (const Trace& trace : kTraces) {
      const double a = bandwidth(dramsim, {{"config", device.dramsim}, {"test", trace.dramsim}});
      const double b = bandwidth(ramulator, {{"config", device.ramulator},
                                             {"ranks", "1"},
                                             {"addr_map", "RoBaRaCoCh"},
                                             {"load", "sat"},
                                             {"pattern", trace.ramulator}});
      for (const char* name : device.ours) {
        DramConfig c = load_dram_device(folder + "dram/" + name + ".yaml");
        c.ranks = 1;
        const double ours = run(c, trace.pattern).bus_share;
        EXPECT_GT(ours, 0.95 * std::min(a, b)) << name << " " << trace.dramsim;
        EXPECT_LT(ours, 1.05 * std::max(a, b)) << name << " " << trace.dramsim;
      }
    }
  }
}

}  // namespace
}  // namespace npu
