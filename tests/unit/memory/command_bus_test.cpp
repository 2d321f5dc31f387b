#include "sim/memory/command_bus.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "sim/memory/dram_scheduler.h"
#include "tests/unit/memory/fixtures.h"
#include "tests/unit/memory/jedec_checker.h"

namespace npu {
namespace {

using test::ddr4_2400;
using test::run_all;

TEST(CommandBus, OneCommandAClock) {
  CommandBus bus;
  EXPECT_EQ(bus.free_from(100), 100);
  bus.take(100);
  bus.take(101);
  EXPECT_EQ(bus.free_from(99), 99);
  EXPECT_EQ(bus.free_from(100), 102);
  EXPECT_EQ(bus.free_from(102), 102);
}

TEST(CommandBus, TheLastFreeClockOfAnInterval) {
  CommandBus bus;
  bus.take(100);
  bus.take(101);
  EXPECT_EQ(bus.last_free(90, 102), 102);
  EXPECT_EQ(bus.last_free(99, 101), 99);
  EXPECT_EQ(bus.last_free(100, 101), -1);
  bus.take(0);
  EXPECT_EQ(bus.last_free(0, 0), -1);
}

/// Reads of random rows in all banks, at once.
std::vector<DramBurst> random_rows(const DramConfig& c, int count) {
  std::mt19937 random(7);
  const auto banks = static_cast<std::uint32_t>(c.ranks * c.bank_groups * c.banks_per_group);
  std::vector<DramBurst> bursts;
  for (int i = 0; i < count; ++i) {
    bursts.push_back({.bank = static_cast<std::uint32_t>(random()) % banks,
                      .row = static_cast<std::uint32_t>(random()) % 1024,
                      .request = static_cast<std::uint32_t>(i)});
  }
  return bursts;
}

TEST(CommandBus, APrechargeGoesEarlierWhereTheBusIsTaken) {
  DramConfig c = ddr4_2400();
  c.bank_queue_depth = 8;
  std::vector<DramCommand> log;
  DramScheduler scheduler(c);
  scheduler.banks().log = &log;
  (void)run_all(scheduler, random_rows(c, 2000));
  std::map<std::uint32_t, DramClock> closed;
  int in_time = 0, early = 0;
  for (const DramCommand& command : log) {
    if (command.kind == DramCommandKind::kPrecharge) closed[command.bank] = command.at;
    if (command.kind != DramCommandKind::kActivate || !closed.contains(command.bank)) continue;
    ++(command.at - closed[command.bank] == c.tRP ? in_time : early);
  }
  EXPECT_GT(early, 0);
  EXPECT_GT(in_time, early);
}

TEST(CommandBus, ForgetsWhatIsLongPast) {
  CommandBus bus;
  bus.take(5);
  bus.take(5 + 64 * 64);
  EXPECT_EQ(bus.free_from(5), 5);
  EXPECT_EQ(bus.free_from(5 + 64 * 64), 6 + 64 * 64);
}

TEST(CommandBus, OfBanksWithQueuesIsNeverTakenTwice) {
  for (const int ranks : {1, 2}) {
    DramConfig c = ddr4_2400();
    c.ranks = ranks;
    c.refresh = RefreshPolicy::kNone;
    c.bank_queue_depth = 8;
    std::vector<DramCommand> log;
    DramScheduler scheduler(c);
    scheduler.banks().log = &log;
    (void)run_all(scheduler, random_rows(c, 2000));
    std::map<DramClock, int> commands;
    for (const DramCommand& command : log) ++commands[command.at];
    EXPECT_EQ(
        std::ranges::max_element(commands, {}, [](const auto& at) { return at.second; })->second,
        1);
    EXPECT_EQ(test::JedecChecker(c).check(log), "");
  }
}

/// The banks in which reads of open rows go, in their order.
std::vector<std::uint32_t> order_of(int bank_queue_depth) {
  DramConfig c = ddr4_2400();
  c.ranks = 1;
  c.refresh = RefreshPolicy::kNone;
  c.bank_queue_depth = bank_queue_depth;
  DramScheduler scheduler(c);
  // Rows of a bank in each of four groups are opened, then each gets two reads at the same time.
  std::vector<DramBurst> bursts;
  for (const std::uint32_t bank : {0U, 4U, 8U, 12U}) bursts.push_back({.bank = bank, .row = 1});
  for (const std::uint32_t bank : {12U, 12U, 8U, 8U, 4U, 4U, 0U, 0U}) {
    bursts.push_back({.bank = bank, .row = 1, .arrival = 1000});
  }
  std::vector<std::uint32_t> order;
  for (const auto& issue : run_all(scheduler, bursts)) order.push_back(issue.burst.bank);
  return {order.begin() + 4, order.end()};
}

TEST(CommandBus, BanksWithQueuesTakeTurnsOthersGoByAge) {
  const std::vector<std::uint32_t> turns = order_of(8);
  EXPECT_EQ(turns, (std::vector<std::uint32_t>{4, 8, 12, 0, 4, 8, 12, 0}));
  const std::vector<std::uint32_t> ages = order_of(0);
  EXPECT_EQ(ages, (std::vector<std::uint32_t>{12, 8, 12, 8, 4, 0, 4, 0}));
}

}  // namespace
}  // namespace npu
