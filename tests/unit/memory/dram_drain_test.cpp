// Writes wait for reads: watermarks, order behind a queued write, queues of the banks.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "sim/memory/dram_scheduler.h"
#include "tests/unit/memory/fixtures.h"

namespace npu {
namespace {

using test::ddr4_2400;
using test::run_all;

DramBurst burst(bool is_write, std::uint32_t bank, std::uint32_t row, std::uint32_t column = 0) {
  return {.bank = bank, .row = row, .column = column, .is_write = is_write};
}

/// Directions in the order of service, as "RRWW".
std::string directions(const DramConfig& config, const std::vector<DramBurst>& bursts) {
  DramScheduler scheduler(config);
  std::string order;
  for (const auto& issue : run_all(scheduler, bursts)) {
    order += issue.burst.is_write ? 'W' : 'R';
  }
  return order;
}

/// Lengths of the runs of one direction.
std::vector<std::ptrdiff_t> runs_of(const std::string& order, char direction) {
  std::vector<std::ptrdiff_t> lengths;
  for (auto at = order.begin(); at != order.end();) {
    const auto end = std::find_if(at, order.end(), [at](char c) { return c != *at; });
    if (*at == direction) lengths.push_back(end - at);
    at = end;
  }
  return lengths;
}

TEST(DramDrain, ReadsGoBeforeWritesBelowTheWatermark) {
  std::vector<DramBurst> bursts;
  for (std::uint32_t i = 0; i < 10; ++i) {
    bursts.push_back(burst(true, 0, 1, i));
    bursts.push_back(burst(false, 4, 1, i));
  }
  EXPECT_EQ(directions(ddr4_2400(), bursts), "RRRRRRRRRRWWWWWWWWWW");
}

TEST(DramDrain, HighWatermarkStartsADrainToTheLowOne) {
  DramConfig c = ddr4_2400();
  c.write_queue_depth = 16;
  c.write_drain_high = 12;
  c.write_drain_low = 2;
  std::vector<DramBurst> bursts;
  for (std::uint32_t i = 0; i < 3000; ++i) {
    bursts.push_back(burst(i % 2 == 1, i % 4 * 4, 1, i % 128));
  }
  const std::vector<std::ptrdiff_t> drains = runs_of(directions(c, bursts), 'W');
  ASSERT_GT(drains.size(), 50U);
  for (std::size_t i = 0; i + 2 < drains.size(); ++i) {
    EXPECT_GE(drains[i], 12 - 2);      // What was queued at its start,
    EXPECT_LE(drains[i], 2 * 16 + 2);  // and what came meanwhile.
  }
}

TEST(DramDrain, TurningTheBusCostsBothTurnarounds) {
  // One bank, one row: per drain of n writes and n reads the columns are tCCD_L apart, but from the
  // last read to the first write the bus turns, and back tWTR_L passes after the data.
  DramConfig c = ddr4_2400();
  c.write_queue_depth = 32;
  c.write_drain_high = 32;
  c.write_drain_low = 0;
  c.queue_depth = 32;
  std::vector<DramBurst> bursts;
  for (std::uint32_t i = 0; i < 64 * 50; ++i) bursts.push_back(burst(i % 2 == 1, 0, 1, i % 128));
  DramScheduler scheduler(c);
  const auto issues = run_all(scheduler, bursts);
  DramClock turns = 0;
  DramClock least = 0;
  for (std::size_t i = 1; i < issues.size(); ++i) {
    const bool before = issues[i - 1].burst.is_write;
    const bool after = issues[i].burst.is_write;
    if (before != after) ++turns;
    least += before == after ? 6 : before ? 12 + 4 + 9 : 17 + 4 + 1 - 12;
  }
  EXPECT_GT(turns, 50);
  EXPECT_EQ(issues.back().times.column - issues.front().times.column, least);
}

TEST(DramDrain, AReadOfAQueuedWriteGoesBehindIt) {
  std::vector<DramBurst> bursts{burst(true, 0, 1, 5), burst(true, 4, 1, 6), burst(false, 8, 1, 0),
                                burst(false, 0, 1, 5), burst(false, 8, 1, 1)};
  DramScheduler scheduler(ddr4_2400());
  const auto issues = run_all(scheduler, bursts);
  const auto position = [&](bool is_write, std::uint32_t column) {
    const auto at = std::find_if(issues.begin(), issues.end(), [&](const auto& issue) {
      return issue.burst.is_write == is_write && issue.burst.column == column;
    });
    return at - issues.begin();
  };
  EXPECT_LT(position(true, 5), position(false, 5));
}

TEST(DramDrain, TheBanksQueuesHoldBothDirections) {
  const auto later = [](DramBurst burst) {
    burst.arrival = 8;
    return burst;
  };
  // The second read waits for its bank to close a row; the write, for another bank, does not.
  const std::vector<DramBurst> two_banks{burst(false, 0, 1), burst(false, 0, 2),
                                         later(burst(true, 4, 1))};
  // In a bank the older goes first, whatever its direction.
  const std::vector<DramBurst> one_bank{burst(false, 0, 1), later(burst(true, 0, 2)),
                                        later(burst(false, 0, 3))};
  DramConfig c = ddr4_2400();
  for (const auto& bursts : {two_banks, one_bank}) EXPECT_EQ(directions(c, bursts), "RRW");
  c.bank_queue_depth = 8;
  c.write_drain_high = 1;
  c.write_drain_low = 0;
  EXPECT_EQ(directions(c, two_banks), "RWR");
  EXPECT_EQ(directions(c, one_bank), "RWR");
}

TEST(DramDrain, TheBanksQueuesAreAllThatIsSeen) {
  // Row 1 of bank 0 is open; its hits lie behind bursts for row 2 that fill the bank's queue.
  DramConfig c = ddr4_2400();
  std::vector<DramBurst> bursts{burst(false, 0, 1)};
  for (std::uint32_t i = 0; i < 4; ++i) bursts.push_back(burst(false, 0, 2, i));
  for (std::uint32_t i = 0; i < 4; ++i) bursts.push_back(burst(false, 0, 1, i));
  const auto rows = [&] {
    DramScheduler scheduler(c);
    std::string order;
    for (const auto& issue : run_all(scheduler, bursts)) order += std::to_string(issue.burst.row);
    return order;
  };
  EXPECT_EQ(rows(), "111112222");
  c.bank_queue_depth = 5;
  EXPECT_EQ(rows(), "111112222");  // A hit comes in sight when the first burst has gone.
  c.bank_queue_depth = 4;
  EXPECT_EQ(rows(), "122221111");
}

}  // namespace
}  // namespace npu
