#include "sim/vcd/waves.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace npu::vcd {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using Pairs = std::vector<std::pair<std::uint64_t, std::uint32_t>>;

Pairs pairs_of(const Wave& wave) {
  Pairs out;
  for (const Wave::Change& change : wave.changes) out.emplace_back(change.cycle, change.value);
  return out;
}

std::uint32_t number_of(Bucket bucket) { return static_cast<std::uint32_t>(bucket); }

TEST(Waves, StatesFollowThePhasesFromTheBeginOfTheRun) {
  ActivityLog log{.begin_cycle = 100, .end_cycle = 130, .units = {}, .counts = {}};
  log.units.push_back({"dma0",
                       {.begin_cycle = 90,
                        .phases = {{95, Bucket::kIdle},
                                   {110, Bucket::kBusy},
                                   {112, Bucket::kWaitDram},
                                   {130, Bucket::kBusy},
                                   {140, Bucket::kIdle}}}});
  const std::vector<Wave> waves = waves_of(log);
  ASSERT_EQ(waves.size(), 2);
  EXPECT_EQ(waves[0].name, "dma0.state");
  EXPECT_EQ(waves[0].bits, 4);
  EXPECT_THAT(pairs_of(waves[0]), ElementsAre(std::pair(0, number_of(Bucket::kBusy)),
                                              std::pair(10, number_of(Bucket::kWaitDram)),
                                              std::pair(12, number_of(Bucket::kBusy))));
  EXPECT_EQ(waves[1].name, "dma0.busy");
  EXPECT_EQ(waves[1].bits, 1);
  EXPECT_THAT(pairs_of(waves[1]), ElementsAre(std::pair(0, 1), std::pair(10, 0), std::pair(12, 1)));
}

TEST(Waves, AUnitWithoutPhasesIsIdle) {
  ActivityLog log{.begin_cycle = 5, .end_cycle = 6, .units = {{"mac_array", {}}}, .counts = {}};
  EXPECT_THAT(pairs_of(waves_of(log)[0]), ElementsAre(std::pair(0, number_of(Bucket::kIdle))));
}

TEST(Waves, CountsSumChangesOfACycleAndOfTheRunBefore) {
  ActivityLog log{.begin_cycle = 10, .end_cycle = 30, .units = {}, .counts = {CountLog("q")}};
  CountLog& count = log.counts[0];
  count.add(3, 2);
  count.begin_run();
  count.add(25, -1);
  count.add(12, 4);
  count.add(12, 1);
  count.add(9, -1);  // Booked late: at the begin.
  count.add(30, -5);
  count.add(31, 9);  // After the run.
  const std::vector<Wave> waves = waves_of(log);
  ASSERT_EQ(waves.size(), 1);
  EXPECT_EQ(waves[0].bits, 3);
  EXPECT_THAT(pairs_of(waves[0]),
              ElementsAre(std::pair(0, 1), std::pair(2, 6), std::pair(15, 5), std::pair(20, 0)));
}

TEST(Waves, TokensThatNobodyGivesAreLeftOut) {
  ActivityLog log{.begin_cycle = 0,
                  .end_cycle = 9,
                  .units = {},
                  .counts = {CountLog("tokens.mac.vec"), CountLog("mac_array.queue")}};
  const std::vector<Wave> waves = waves_of(log);
  ASSERT_EQ(waves.size(), 1);
  EXPECT_EQ(waves[0].name, "mac_array.queue");
  EXPECT_THAT(pairs_of(waves[0]), ElementsAre(std::pair(0, 0)));
}

}  // namespace
}  // namespace npu::vcd
