#include "sim/stats/repeats.h"

#include <gtest/gtest.h>

#include <random>

namespace npu {
namespace {

const std::vector<Stretch> kStretches = {{10, 20, 1}, {20, 50, 7}, {50, 60, 1}};

TEST(Repeats, CyclesOfTheWhole) { EXPECT_EQ(repeated_cycles(kStretches), 10U + 30 * 7 + 10); }

TEST(Repeats, PhasesAreCutAtTheStretches) {
  PhaseLog log{.begin_cycle = 10, .phases = {}};
  log.add(Bucket::kBusy, 25);
  log.add(Bucket::kIdle, 45);
  log.add(Bucket::kBusy, 60);
  const auto cycles = repeated_buckets(log, kStretches);
  EXPECT_EQ(cycles[static_cast<std::size_t>(Bucket::kBusy)], 10U + 5 * 7 + 5 * 7 + 10);
  EXPECT_EQ(cycles[static_cast<std::size_t>(Bucket::kIdle)], 20U * 7);
}

TEST(Repeats, BucketsOfRandomPhasesSumToTheWhole) {
  std::mt19937 rng(1);
  for (int i = 0; i < 200; ++i) {
    std::vector<Stretch> stretches;
    std::uint64_t at = rng() % 100;
    PhaseLog log{.begin_cycle = at, .phases = {}};
    for (int s = 0; s < 5; ++s) {
      const std::uint64_t begin = at;
      at += 1 + rng() % 50;
      stretches.push_back({begin, at, 1 + rng() % 9});
    }
    std::uint64_t cycle = log.begin_cycle;
    while (cycle < at) {
      cycle = std::min<std::uint64_t>(at, cycle + 1 + rng() % 30);
      log.add(static_cast<Bucket>(rng() % kBucketCount), cycle);
    }
    std::uint64_t sum = 0;
    for (const std::uint64_t c : repeated_buckets(log, stretches)) sum += c;
    EXPECT_EQ(sum, repeated_cycles(stretches));
    std::uint64_t events = repeated_count(at - log.begin_cycle, log.begin_cycle, at, stretches);
    EXPECT_NEAR(static_cast<double>(events), static_cast<double>(sum), 9.0 * 5);
  }
}

TEST(Repeats, EventsGoToTheirStretches) {
  EXPECT_EQ(repeated_count(3, 12, 12, kStretches), 3U);
  EXPECT_EQ(repeated_count(3, 20, 20, kStretches), 21U);
  EXPECT_EQ(repeated_count(4, 15, 25, kStretches), 2U + 2 * 7);
  EXPECT_EQ(repeated_count(5, 15, 25, kStretches), 2U + 3 * 7);  // Whole ones.
  EXPECT_EQ(repeated_count(2, 0, 5, kStretches), 2U);            // Before all.
  EXPECT_EQ(repeated_count(2, 70, 80, kStretches), 2U);          // Behind all.
}

}  // namespace
}  // namespace npu
