#include "kernels/lowering/repeats.h"

#include <gtest/gtest.h>

#include <map>
#include <numeric>

namespace npu::kernels {
namespace {

std::vector<std::uint32_t> times(const std::vector<std::uint32_t>& block, std::size_t count) {
  std::vector<std::uint32_t> keys;
  for (std::size_t i = 0; i < count; ++i) keys.insert(keys.end(), block.begin(), block.end());
  return keys;
}

std::vector<std::uint32_t> join(std::vector<std::uint32_t> a, const std::vector<std::uint32_t>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

RepeatPlan plan_of(const std::vector<std::uint32_t>& keys, double steady_cycles) {
  return find_repeats(keys, std::vector<double>(keys.size(), 100.0), steady_cycles);
}

/// Every layer is stood for once, by a layer of its own key.
void expect_whole(const RepeatPlan& plan, const std::vector<std::uint32_t>& keys) {
  std::int64_t sum = 0;
  std::map<std::uint32_t, std::int64_t> of_key;
  int before = -1;
  for (const KeptLayer& k : plan.kept) {
    EXPECT_GT(k.layer, before);
    before = k.layer;
    sum += k.repeats;
    of_key[keys[static_cast<std::size_t>(k.layer)]] += k.repeats;
    EXPECT_EQ(plan.stands_in[static_cast<std::size_t>(k.layer)], k.layer);
  }
  EXPECT_EQ(sum, static_cast<std::int64_t>(keys.size()));
  for (const std::uint32_t key : keys) --of_key[key];
  for (const auto& [key, left] : of_key) EXPECT_EQ(left, 0) << "key " << key;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto stand_in = static_cast<std::size_t>(plan.stands_in[i]);
    EXPECT_LE(stand_in, i);
    EXPECT_EQ(keys[stand_in], keys[i]);
    EXPECT_EQ(plan.stands_in[stand_in], plan.stands_in[i]);
  }
}

std::vector<std::pair<int, std::int64_t>> kept_of(const RepeatPlan& plan) {
  std::vector<std::pair<int, std::int64_t>> kept;
  for (const KeptLayer& k : plan.kept) kept.emplace_back(k.layer, k.repeats);
  return kept;
}

TEST(Repeats, OneLayerAgainAndAgain) {
  const auto keys = times({7}, 10);
  const RepeatPlan plan = plan_of(keys, 0);
  expect_whole(plan, keys);
  using Kept = std::vector<std::pair<int, std::int64_t>>;
  EXPECT_EQ(kept_of(plan), (Kept{{0, 1}, {1, 4}, {2, 4}, {9, 1}}));
  EXPECT_EQ(plan.stands_in, (std::vector<int>{0, 1, 2, 2, 2, 2, 2, 2, 2, 9}));
  ASSERT_EQ(plan.periods.size(), 1U);
  EXPECT_EQ(plan.periods[0].stands_for, 8);
}

TEST(Repeats, AnOddNumberOfLayersIsNotLeftOut) {
  const auto keys = times({7}, 11);
  const RepeatPlan plan = plan_of(keys, 0);
  expect_whole(plan, keys);
  using Kept = std::vector<std::pair<int, std::int64_t>>;
  EXPECT_EQ(kept_of(plan), (Kept{{0, 1}, {1, 3}, {2, 3}, {3, 3}, {10, 1}}));
  EXPECT_EQ(plan.periods[0].early_periods, 1);
  EXPECT_EQ(plan.periods[0].late_periods, 2);
}

TEST(Repeats, FiveOfABlockAreKeptSixAreNot) {
  EXPECT_EQ(plan_of(times({1, 2}, 5), 0).kept.size(), 10U);
  const auto keys = times({1, 2}, 6);
  expect_whole(plan_of(keys, 0), keys);
  EXPECT_EQ(plan_of(keys, 0).kept.size(), 8U);
}

TEST(Repeats, SteadyPeriodsTakeTheCyclesAskedFor) {
  const auto keys = times({1, 2, 3, 4}, 40);  // A period of 400 cycles.
  EXPECT_EQ(plan_of(keys, 800).kept.size(), 4U * 4U);
  EXPECT_EQ(plan_of(keys, 801).kept.size(), 4U * 6U);
  EXPECT_EQ(plan_of(keys, 1e9).kept.size(), keys.size());
}

TEST(Repeats, WhatSavesLittleIsNotLeftOut) {
  // Six of 36 layers could be left out: a sixth.
  const auto block = times({1}, 10);
  std::vector<std::uint32_t> different(26);
  std::iota(different.begin(), different.end(), 100U);
  EXPECT_EQ(plan_of(join(block, different), 0).kept.size(), 36U);
  different.resize(20);  // A fifth.
  EXPECT_EQ(plan_of(join(block, different), 0).kept.size(), 24U);
}

TEST(Repeats, TheBlockThatSavesMostGoesFirstAndOthersAreNested) {
  // Eight equal experts in each of twenty blocks.
  const auto block = join(join({1, 2}, times({3, 4}, 8)), {5});
  const auto keys = join(join({9}, times(block, 20)), {8, 8});
  const RepeatPlan plan = plan_of(keys, 0);
  expect_whole(plan, keys);
  EXPECT_EQ(plan.periods.size(), 5U);  // The blocks, and the experts of each that is kept.
  // 1 and 2 layers beside the blocks; of four blocks two, one, and four experts of two each.
  EXPECT_EQ(plan.kept.size(), 3U + 4U * 11U);
  // The experts of a steady block stand for 9 times 3 of them.
  std::int64_t most = 0;
  for (const KeptLayer& k : plan.kept) most = std::max(most, k.repeats);
  EXPECT_EQ(most, 27);
}

TEST(Repeats, UncertainIsWhatTheHalvesDiffer) {
  const RepeatPlan plan = plan_of(times({7}, 10), 0);
  EXPECT_EQ(plan.uncertain_cycles(std::vector<std::uint64_t>{50, 100, 100, 70}), 0);
  EXPECT_EQ(plan.uncertain_cycles(std::vector<std::uint64_t>{50, 100, 104, 70}), 4.0 / 2 * 8);
  EXPECT_EQ(keep_all(3).uncertain_cycles(std::vector<std::uint64_t>{1, 2, 3}), 0);
}

}  // namespace
}  // namespace npu::kernels
