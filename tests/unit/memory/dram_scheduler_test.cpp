#include "sim/memory/dram_scheduler.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "sim/base/error.h"
#include "sim/memory/address_mapping.h"
#include "sim/timing/dram_timing.h"
#include "tests/unit/memory/fixtures.h"
#include "tests/unit/memory/jedec_checker.h"

namespace npu {
namespace {

using test::ddr4_2400;
using test::run_all;

constexpr DramClock kBurst = 4;

struct Trace {
  std::vector<DramScheduler::Issue> issues;
  std::vector<DramCommand> log;
  double bursts_per_clock = 0;
};

Trace run(const DramConfig& config, const std::vector<DramBurst>& bursts) {
  Trace trace;
  DramScheduler scheduler(config);
  scheduler.banks().log = &trace.log;
  trace.issues = run_all(scheduler, bursts);
  trace.bursts_per_clock =
      static_cast<double>(bursts.size()) / static_cast<double>(trace.issues.back().times.data_end);
  return trace;
}

DramBurst read_of(std::uint32_t bank, std::uint32_t row, DramClock arrival = 0) {
  return {.bank = bank, .row = row, .arrival = arrival};
}

/// Random traffic: a share of row hits, of writes, and gaps between arrivals.
std::vector<DramBurst> traffic(const DramConfig& c, unsigned seed, int count, int locality,
                               int gap) {
  std::mt19937 random(seed);
  const auto banks = static_cast<std::uint32_t>(c.ranks * c.bank_groups * c.banks_per_group);
  std::vector<DramBurst> bursts;
  DramBurst b;
  for (int i = 0; i < count; ++i) {
    if (static_cast<int>(random() % 100) >= locality) {
      b.bank = static_cast<std::uint32_t>(random()) % banks;
      b.row = static_cast<std::uint32_t>(random()) % 4;
    }
    b.is_write = random() % 3 == 0;
    b.arrival += static_cast<DramClock>(random() % static_cast<unsigned>(gap + 1));
    b.request = static_cast<std::uint32_t>(i);
    bursts.push_back(b);
  }
  return bursts;
}

class RandomTraffic : public ::testing::TestWithParam<int> {};

TEST_P(RandomTraffic, KeepsEveryTimingRuleAndServesEveryBurst) {
  const int seed = GetParam();
  DramConfig c = ddr4_2400();
  c.ranks = seed % 2 == 0 ? 1 : 2;
  c.refresh = seed % 3 == 0   ? RefreshPolicy::kNone
              : seed % 3 == 1 ? RefreshPolicy::kAllBank
                              : RefreshPolicy::kPerBank;
  c.page_policy = seed % 5 == 0 ? PagePolicy::kClosed : PagePolicy::kOpen;
  c.tREFI = 2500;
  c.queue_depth = 1 << (seed % 6);
  const auto bursts = traffic(c, static_cast<unsigned>(seed), 3000, seed * 7 % 100, seed % 4 * 10);
  const Trace trace = run(c, bursts);
  EXPECT_EQ(test::JedecChecker(c).check(trace.log), "");
  std::vector<int> served(bursts.size(), 0);
  for (const auto& issue : trace.issues) ++served[issue.burst.request];
  for (const int times : served) EXPECT_EQ(times, 1);
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomTraffic, ::testing::Range(0, 30));

std::vector<std::uint32_t> order_of(const Trace& trace) {
  std::vector<std::uint32_t> rows;
  for (const auto& issue : trace.issues) rows.push_back(issue.burst.row);
  return rows;
}

TEST(DramScheduler, RowHitsGoFirst) {
  // Row 1 opens bank 0; the older request for row 2 of the bank waits for the hits.
  const Trace trace =
      run(ddr4_2400(), {read_of(0, 1), read_of(0, 2), read_of(0, 1), read_of(0, 1)});
  EXPECT_EQ(order_of(trace), (std::vector<std::uint32_t>{1, 1, 1, 2}));
}

TEST(DramScheduler, StarvationCapBoundsHowManyOvertake) {
  for (const int cap : {1, 2, 5}) {
    DramConfig c = ddr4_2400();
    c.starvation_cap = cap;
    std::vector<DramBurst> bursts{read_of(0, 1), read_of(0, 2)};
    for (int i = 0; i < 10; ++i) bursts.push_back(read_of(0, 1));
    const std::vector<std::uint32_t> order = order_of(run(c, bursts));
    EXPECT_EQ(std::find(order.begin(), order.end(), 2U) - order.begin(), 1 + cap);
  }
}

TEST(DramScheduler, QueueDepthBoundsReordering) {
  DramConfig c = ddr4_2400();
  c.queue_depth = 1;
  std::vector<DramBurst> bursts{read_of(0, 1), read_of(0, 2), read_of(0, 3), read_of(0, 2)};
  EXPECT_EQ(order_of(run(c, bursts)), (std::vector<std::uint32_t>{1, 2, 3, 2}));
  c.queue_depth = 4;
  EXPECT_EQ(order_of(run(c, bursts)), (std::vector<std::uint32_t>{1, 2, 2, 3}));
}

TEST(DramScheduler, FullQueueHasRoomWhenARowIsOpenedForABurst) {
  DramConfig c = ddr4_2400();
  c.queue_depth = 2;
  DramScheduler scheduler(c);
  EXPECT_TRUE(scheduler.push(read_of(0, 1)));
  EXPECT_TRUE(scheduler.has_room(false));
  EXPECT_TRUE(scheduler.push(read_of(0, 2)));
  EXPECT_FALSE(scheduler.has_room(false));
  EXPECT_FALSE(scheduler.push(read_of(0, 2)));  // Waits in front.
  EXPECT_TRUE(scheduler.has_room(true));
  std::vector<DramScheduler::Issue> issues;
  DramClock wake = scheduler.run(0, issues);  // Opens row 1: its column lies behind the window.
  EXPECT_EQ(issues.size(), 0U);
  EXPECT_EQ(scheduler.placed().size(), 1U);
  EXPECT_FALSE(scheduler.has_room(false));
  while (wake != kNever) wake = scheduler.run(wake, issues);
  EXPECT_EQ(issues.size(), 3U);
  EXPECT_TRUE(scheduler.has_room(false));
}

TEST(DramScheduler, IdleControllerAsksForNoWakeUp) {
  DramConfig c = ddr4_2400();
  c.refresh = RefreshPolicy::kAllBank;
  DramScheduler scheduler(c);
  (void)scheduler.push(read_of(0, 1));
  std::vector<DramScheduler::Issue> issues;
  EXPECT_EQ(scheduler.run(0, issues), kNever);
  EXPECT_EQ(issues.size(), 1U);
}

TEST(DramScheduler, LoneReadHasTheIdleLatency) {
  const Trace trace = run(ddr4_2400(), {read_of(0, 1), read_of(0, 1, 1000), read_of(0, 2, 2000)});
  EXPECT_EQ(trace.issues[0].times.data_end, 17 + 17 + kBurst);
  EXPECT_EQ(trace.issues[1].times.data_end - 1000, 17 + kBurst);
  EXPECT_EQ(trace.issues[2].times.data_end - 2000, 17 + 17 + 17 + kBurst);
}

TEST(DramScheduler, StreamOverBankGroupsFillsTheBus) {
  DramConfig c = ddr4_2400();
  std::vector<DramBurst> bursts;
  for (std::uint32_t i = 0; i < 20000; ++i) {
    bursts.push_back(read_of(i % 4 * 4 + i / 512 % 4, i / 2048));
  }
  EXPECT_GT(run(c, bursts).bursts_per_clock * kBurst, 0.995);
  c.refresh = RefreshPolicy::kAllBank;
  const double with_refresh = run(c, bursts).bursts_per_clock * kBurst;
  EXPECT_NEAR(with_refresh, 1.0 - 420.0 / 9360, 0.01);
}

TEST(DramScheduler, StreamInOneBankGroupIsTccdLBound) {
  std::vector<DramBurst> bursts;
  for (std::uint32_t i = 0; i < 20000; ++i) bursts.push_back(read_of(i / 128 % 16, i / 2048));
  const double efficiency = run(ddr4_2400(), bursts).bursts_per_clock * kBurst;
  EXPECT_GT(efficiency, 4.0 / 6 * 0.99);
  EXPECT_LT(efficiency, 0.85);
}

TEST(DramScheduler, RandomRowMissesApproachTheActivateWindow) {
  std::mt19937 random(7);
  std::vector<DramBurst> bursts;
  for (int i = 0; i < 20000; ++i) {
    bursts.push_back(read_of(static_cast<std::uint32_t>(random()) % 16,
                             static_cast<std::uint32_t>(random()) % 65536));
  }
  const double rate = run(ddr4_2400(), bursts).bursts_per_clock;
  EXPECT_LE(rate, 4.0 / 26 + 1e-4);
  EXPECT_GT(rate, 4.0 / 26 * 0.97);
}

TEST(DramScheduler, MissesOfOneBankAreTrcApart) {
  std::vector<DramBurst> bursts;
  for (std::uint32_t i = 0; i < 1000; ++i) bursts.push_back(read_of(0, i));
  EXPECT_NEAR(run(ddr4_2400(), bursts).bursts_per_clock, 1.0 / (39 + 17), 1e-4);
}

TEST(DramScheduler, LeastRefreshIntervalLeavesTime) {
  DramConfig c = ddr4_2400();
  c.refresh = RefreshPolicy::kAllBank;
  // tRFC + 2 (tRP + tRCD + tCL + 5 bursts) + tRAS + tFAW + tWR + tWTR_L.
  EXPECT_EQ(c.least_refresh_interval(), 420 + 2 * (17 + 17 + 17 + 5 * 4) + 39 + 26 + 18 + 9);
  c.tREFI = static_cast<int>(c.least_refresh_interval()) - 1;
  EXPECT_THROW(DramScheduler{c}, std::logic_error);
  ++c.tREFI;
  EXPECT_EQ(run(c, traffic(c, 3, 500, 50, 4)).issues.size(), 500U);
  c.refresh = RefreshPolicy::kPerBank;
  c.ranks = 4;
  EXPECT_EQ(run(c, traffic(c, 3, 500, 50, 4)).issues.size(), 500U);
}

TEST(DramScheduler, ServesEveryPresetAtItsStreamBandwidth) {
  int presets = 0;
  for (const auto& entry : std::filesystem::directory_iterator(NPUSIM_SOURCE_DIR "/configs/npu")) {
    if (entry.path().extension() != ".yaml") continue;
    DramConfig c = load_npu_config(entry.path().string()).dram;
    c.channels = 1;
    const AddressMapping mapping(c);
    std::vector<DramBurst> bursts;
    for (int i = 0; i < 20000; ++i) {
      const DramLocation at = mapping.decode(i * c.burst_bytes());
      const auto groups = static_cast<std::uint32_t>(c.bank_groups);
      const auto banks = static_cast<std::uint32_t>(c.banks_per_group);
      bursts.push_back(read_of((at.rank * groups + at.bank_group) * banks + at.bank, at.row));
    }
    const double bytes_per_clock =
        run(c, bursts).bursts_per_clock * static_cast<double>(c.burst_bytes());
    EXPECT_GT(bytes_per_clock, 0.9 * timing::stream_bytes_per_clock(c)) << entry.path();
    EXPECT_LT(bytes_per_clock, 1.2 * timing::stream_bytes_per_clock(c)) << entry.path();
    ++presets;
  }
  EXPECT_GT(presets, 0);
}

}  // namespace
}  // namespace npu
