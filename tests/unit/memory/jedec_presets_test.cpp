// The JEDEC rules over long random traffic on every device that ships, and that the checker finds
// what it looks for.

#include <gtest/gtest.h>

#include <filesystem>
#include <random>

#include "sim/config/dram_device.h"
#include "sim/memory/dram_scheduler.h"
#include "tests/unit/memory/fixtures.h"
#include "tests/unit/memory/jedec_checker.h"

namespace npu {
namespace {

using Kind = DramCommandKind;
using test::ddr4_2400;
using test::JedecChecker;

/// Reads and writes, runs of one row and single bursts, busy times and pauses of up to four refresh
/// intervals. @return the checker's fault.
std::string fault_of_traffic(const DramConfig& c, std::uint64_t bursts, std::uint64_t& refreshes) {
  const int pause = c.refresh == RefreshPolicy::kNone ? 10'000 : 4 * c.tREFI;
  DramScheduler scheduler(c);
  JedecChecker checker(c);
  std::vector<DramCommand> log;
  scheduler.banks().log = &log;
  std::mt19937_64 random(7);
  std::vector<DramScheduler::Issue> issues;
  const auto bank_count = scheduler.banks().bank_count();
  DramBurst burst;
  DramClock now = 0, next_arrival = 0, wake = kNever;
  std::string fault;
  std::uint64_t issued = 0;
  for (std::uint64_t pushed = 0; issued < bursts && fault.empty();) {
    while (pushed < bursts && next_arrival <= now && scheduler.has_room(burst.is_write)) {
      burst.arrival = now;
      (void)scheduler.push(burst);
      wake = std::min(wake, scheduler.wake_for(now));
      ++pushed;
      const std::uint64_t dice = random();
      if (dice % 4 != 0) {
        burst.bank = static_cast<std::uint32_t>((dice >> 8) % bank_count);
        burst.row = static_cast<std::uint32_t>((dice >> 32) % 16);
      }
      burst.column = static_cast<std::uint32_t>((dice >> 40) % 8);
      if (dice % 5 == 0) burst.is_write = !burst.is_write;
      if (dice % 64 == 1) next_arrival = now + static_cast<DramClock>((dice >> 48) % 256);
      if (dice % 16384 == 2) {
        next_arrival =
            now + static_cast<DramClock>((dice >> 32) % static_cast<std::uint64_t>(pause));
      }
    }
    if (now >= wake) {
      issues.clear();
      wake = scheduler.run(now, issues);
      issued += issues.size();
    }
    const bool can_push = pushed < bursts && scheduler.has_room(burst.is_write);
    now = std::min(wake, can_push ? std::max(next_arrival, now + 1) : wake);
    // What is booked from here on is not before now.
    fault = checker.check(log, now);
    log.clear();
  }
  if (fault.empty()) fault = checker.check(log);
  refreshes = checker.refreshes();
  return fault;
}

std::vector<DramConfig> presets() {
  std::vector<DramConfig> all;
  for (const auto& entry : std::filesystem::directory_iterator(NPUSIM_SOURCE_DIR "/configs/dram")) {
    if (entry.path().extension() != ".yaml") continue;
    const DramConfig c = load_dram_device(entry.path().string());
    if (c.kind == DramKind::kJedec) all.push_back(c);
  }
  std::ranges::sort(all, {}, &DramConfig::device);
  return all;
}

class JedecOnPresets : public ::testing::TestWithParam<std::size_t> {};

TEST_P(JedecOnPresets, AMillionRandomRequestsBreakNoRule) {
  const DramConfig c = presets().at(GetParam());
  std::uint64_t refreshes = 0;
  EXPECT_EQ(fault_of_traffic(c, 1'000'000, refreshes), "") << c.device;
  EXPECT_TRUE(c.refresh == RefreshPolicy::kNone || refreshes > 500);
}

TEST_P(JedecOnPresets, NeitherDoPagePoliciesRefreshKindsRanksAndQueues) {
  for (const PagePolicy page : {PagePolicy::kOpen, PagePolicy::kClosed}) {
    for (const RefreshPolicy refresh : {RefreshPolicy::kAllBank, RefreshPolicy::kPerBank}) {
      for (const int ranks : {1, 2}) {
        DramConfig c = presets().at(GetParam());
        const bool refreshes_so = refresh == RefreshPolicy::kPerBank ? c.tRFCpb > 0 : c.tRFC > 0;
        if (c.refresh != RefreshPolicy::kNone) {
          if (!refreshes_so) continue;
          c.refresh = refresh;
        }
        c.page_policy = page;
        c.ranks = ranks;
        c.bank_queue_depth = ranks == 1 ? 0 : 8;
        std::uint64_t refreshes = 0;
        EXPECT_EQ(fault_of_traffic(c, 50'000, refreshes), "")
            << c.device << (page == PagePolicy::kOpen ? " open" : " closed")
            << (refresh == RefreshPolicy::kAllBank ? " all banks " : " per bank ") << ranks;
        EXPECT_TRUE(c.refresh == RefreshPolicy::kNone || refreshes > 20);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Dram, JedecOnPresets, ::testing::Range<std::size_t>(0, presets().size()));

TEST(JedecOnPresets, ThereIsOneOfEachFamily) {
  std::string names;
  for (const DramConfig& c : presets()) names += c.device + "\n";
  for (const char* family : {"DDR4", "LPDDR4", "LPDDR5", "HBM2", "GDDR6"}) {
    EXPECT_NE(names.find(family), std::string::npos) << family;
  }
}

/// One pair of commands: legal at `distance`, a violation one clock before.
struct Pair {
  Kind from, to;
  std::uint32_t bank;  ///< Of the second; the first is on bank 0.
  DramClock distance;
};

TEST(JedecChecker, EachDistanceHasItsBoundary) {
  const DramConfig c = ddr4_2400();
  // Bank 0 and bank 1 share a group; bank 4 is in another.
  const std::vector<Pair> pairs = {{Kind::kActivate, Kind::kActivate, 1, 6},
                                   {Kind::kActivate, Kind::kActivate, 4, 4},
                                   {Kind::kActivate, Kind::kRead, 0, 17},
                                   {Kind::kActivate, Kind::kPrecharge, 0, 39},
                                   {Kind::kRead, Kind::kRead, 1, 6},
                                   {Kind::kRead, Kind::kRead, 4, 4},
                                   {Kind::kRead, Kind::kPrecharge, 0, 9},
                                   {Kind::kWrite, Kind::kPrecharge, 0, 12 + 4 + 18},
                                   {Kind::kWrite, Kind::kRead, 1, 12 + 4 + 9},
                                   {Kind::kWrite, Kind::kRead, 4, 12 + 4 + 3},
                                   {Kind::kRead, Kind::kWrite, 4, 17 + 4 + 1 - 12}};
  for (const Pair& p : pairs) {
    for (const DramClock distance : {p.distance, p.distance - 1}) {
      JedecChecker checker(c);
      std::vector<DramCommand> log;
      constexpr DramClock kStart = 10'000;
      const bool from_row = p.from != Kind::kActivate;
      for (const std::uint32_t bank : {0U, 1U, 4U}) {
        const bool opened = bank == 0 ? from_row : p.to != Kind::kActivate;
        if (opened) log.push_back({Kind::kActivate, bank, 3, 1000 + 100 * DramClock{bank}});
      }
      log.push_back({p.from, 0, 3, kStart});
      log.push_back({p.to, p.bank, 3, kStart + distance});
      EXPECT_EQ(checker.check(log).empty(), distance == p.distance)
          << static_cast<int>(p.from) << " to " << static_cast<int>(p.to) << " bank " << p.bank
          << " at " << distance;
    }
  }
}

TEST(JedecChecker, FindsRowFaultsWindowsAndRefreshes) {
  DramConfig c = ddr4_2400();
  c.refresh = RefreshPolicy::kAllBank;
  using Log = std::vector<DramCommand>;
  const auto fault = [&c](const Log& log) { return JedecChecker(c).check(log); };
  EXPECT_EQ(fault({{Kind::kRead, 0, 1, 50}}), "row not open: RD bank 0 row 1 at 50");
  EXPECT_EQ(fault({{Kind::kActivate, 0, 1, 0}, {Kind::kRead, 0, 2, 50}}),
            "row not open: RD bank 0 row 2 at 50");
  EXPECT_EQ(fault({{Kind::kActivate, 0, 1, 0}, {Kind::kActivate, 0, 2, 100}}),
            "activates an open bank: ACT bank 0 row 2 at 100");
  Log window;
  for (std::uint32_t bank = 0; bank < 16; bank += 4)
    window.push_back({Kind::kActivate, bank, 1, bank});
  window.push_back({Kind::kActivate, 1, 1, 26});
  EXPECT_EQ(fault(window), "");
  window.back().at = 25;
  EXPECT_EQ(fault(window), "five activates in tFAW: ACT bank 1 row 1 at 25");
  EXPECT_EQ(fault({{Kind::kActivate, 0, 1, 0}, {Kind::kRefresh, 0, 0, 100}}),
            "refreshes an open bank: REF bank 0 row 0 at 100");
  EXPECT_EQ(fault({{Kind::kRefresh, 0, 0, 0}, {Kind::kActivate, 7, 1, 419}}),
            "tRFC: ACT bank 7 row 1 at 419");
  EXPECT_EQ(fault({{Kind::kRefresh, 0, 0, 0}, {Kind::kActivate, 7, 1, 420}}), "");
  EXPECT_EQ(fault({{Kind::kRefresh, 0, 0, 9 * 9360 + 1}}),
            "refresh postponed too far: REF bank 0 row 0 at 84241");
}

}  // namespace
}  // namespace npu
