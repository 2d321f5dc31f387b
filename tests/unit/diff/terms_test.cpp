#include "sim/diff/terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace npu::diff {
namespace {

RunFolder run_of(std::int64_t period_ps, std::vector<RunFolder::Layer> layers) {
  RunFolder run;
  run.period_ps = period_ps;
  run.layers = std::move(layers);
  return run;
}

std::int64_t sum_of(const std::vector<LatencyTerm>& terms) {
  std::int64_t sum = 0;
  for (const LatencyTerm& term : terms) sum += term.delta_ps;
  return sum;
}

TEST(LatencyTerms, LayersAndTheClockSumToTheDifference) {
  const RunFolder a = run_of(1000, {{"x", 10, 1}, {"y", 20, 1}, {"same", 5, 1}});
  const RunFolder b = run_of(900, {{"x", 15, 1}, {"same", 5, 1}, {"z", 3, 1}});
  const std::vector<LatencyTerm> terms = latency_terms(a, b);
  ASSERT_EQ(terms.size(), 4);  // Not `same`.
  EXPECT_EQ(terms[0].layer, "y");
  EXPECT_EQ(terms[0].delta_ps, -20'000);
  EXPECT_EQ(terms[1].layer, "x");
  EXPECT_EQ(terms[1].delta_ps, 5000);
  EXPECT_EQ(terms[2].layer, "z");
  EXPECT_EQ(terms[3].unit, "clock");
  EXPECT_EQ(terms[3].delta_ps, 23 * -100);
  EXPECT_EQ(sum_of(terms), 23 * 900 - 35 * 1000);
  EXPECT_EQ(sum_of(latency_by_cause(terms)), sum_of(terms));
}

TEST(LatencyTerms, EqualRunsHaveNone) {
  const RunFolder a = run_of(1000, {{"x", 10, 1}});
  EXPECT_TRUE(latency_terms(a, a).empty());
  EXPECT_TRUE(layer_deltas(a, a).empty());
  EXPECT_TRUE(energy_terms(a, a).empty());
  EXPECT_TRUE(accuracy_deltas(a, a).empty());
}

TEST(LayerDeltas, AddedAndRemovedOnesStandWhereTheyWere) {
  const RunFolder a = run_of(1, {{"x", 10, 1}, {"y", 20, 1}, {"z", 5, 1}});
  const RunFolder b = run_of(1, {{"x", 11, 1}, {"w", 3, 1}, {"z", 5, 2}});
  const std::vector<LayerDelta> deltas = layer_deltas(a, b);
  std::vector<std::string> names;
  for (const LayerDelta& d : deltas) names.push_back(d.name);
  EXPECT_THAT(names, ::testing::ElementsAre("x", "w", "y", "z"));
  EXPECT_FALSE(deltas[1].a);
  EXPECT_FALSE(deltas[2].b);
  EXPECT_EQ(deltas[2].delta_cycles(), -20);
  EXPECT_EQ(deltas[3].delta_energy_pj(), 1);
}

TEST(EnergyTerms, SumToTheDifferenceOfRandomLedgers) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> value(0, 1e6);
  for (int trial = 0; trial < 200; ++trial) {
    RunFolder a, b;
    for (int row = 0; row < 20; ++row) {
      const std::string event = "e" + std::to_string(row);
      if (random() % 4 != 0) a.energy.push_back({"c", event, value(random), value(random)});
      if (random() % 4 != 0) b.energy.push_back({"c", event, value(random), value(random)});
    }
    double sum = 0;
    for (const EnergyTerm& term : energy_terms(a, b)) {
      sum += term.delta_pj();
      EXPECT_NEAR(term.delta_pj(), term.b_pj - term.a_pj, 1e-9 * (term.a_pj + term.b_pj));
    }
    EXPECT_NEAR(sum, b.energy_pj() - a.energy_pj(), 1e-9 * (a.energy_pj() + b.energy_pj()));
  }
}

TEST(EnergyTerms, TellCountsFromRates) {
  RunFolder a, b;
  a.energy = {{"dram", "dram_read", 10, 4}};
  b.energy = {{"dram", "dram_read", 20, 5}};
  const std::vector<EnergyTerm> terms = energy_terms(a, b);
  ASSERT_EQ(terms.size(), 1);
  EXPECT_DOUBLE_EQ(terms[0].by_count_pj, 45);
  EXPECT_DOUBLE_EQ(terms[0].by_energy_per_event_pj, 15);
}

TEST(AccuracyDeltas, InfiniteAndMissingOnesAreKept) {
  RunFolder a, b;
  a.accuracy = {{"x", 1.0}, {"y", std::nullopt}, {"z", 3.0}};
  b.accuracy = {{"x", 1.0}, {"y", 40.0}};
  const std::vector<MetricDelta> deltas = accuracy_deltas(a, b);
  ASSERT_EQ(deltas.size(), 2);
  EXPECT_EQ(deltas[0].name, "y");
  EXPECT_FALSE(deltas[0].a);
  EXPECT_TRUE(deltas[0].in_a);
  EXPECT_EQ(deltas[1].name, "z");
  EXPECT_FALSE(deltas[1].in_b);
}

}  // namespace
}  // namespace npu::diff
