// Each bucket is the price of one limit: where the limit is gone, so are its cycles, and the others
// still close. The same program runs on the NPU with and without the limit.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "kernels/lowering/compile.h"
#include "tests/support/random_config.h"
#include "tests/support/random_graph.h"
#include "tests/support/simulate.h"

namespace npu::test {
namespace {

using graph::OpKind;

constexpr int kPlenty = 1 << 16;

/// One limit, the units that it can hold up, and the bucket that counts that.
struct Limit {
  const char* name;
  std::vector<std::string> units;  ///< Beginnings of names; empty: all.
  Bucket bucket;
  std::function<void(NpuConfig&)> remove;
};

/// More banks than words are asked for in a cycle, and all streams over all of them.
void add_banks(SramConfig& memory) {
  memory.banks = kPlenty;
  memory.interleave = Interleave::kWord;
}

/// Nothing that the DRAM or the port in front of it has to refuse.
void remove_dram_limits(NpuConfig& c) {
  c.dram.queue_depth = c.dram.write_queue_depth = kPlenty;
  c.interconnect.max_outstanding_reads = 0;
  if (c.dram.kind != DramKind::kFixedLatency) return;
  // Every request is one beat, and 256 of them fit into a short clock.
  c.dram.clock_mhz = 10'000;
  FixedLatencyConfig& f = c.dram.fixed_latency;
  f.beat_bytes = 4096;
  f.read_clocks_per_256_beats = f.write_clocks_per_256_beats = 1;
}

const std::vector<Limit>& limits() {
  static const std::vector<Limit> kLimits = {
      {"banks",
       {},
       Bucket::kWaitBank,
       [](NpuConfig& c) {
         add_banks(c.scratchpad);
         add_banks(c.accumulator);
       }},
      {"refresh",
       {"dram"},
       Bucket::kRefresh,
       [](NpuConfig& c) { c.dram.refresh = RefreshPolicy::kNone; }},
      {"engine_queues",
       {"sequencer"},
       Bucket::kStallFull,
       [](NpuConfig& c) { c.sequencer.queue_depth = kPlenty; }},
      {"dram_queue", {"dma"}, Bucket::kStallFull, remove_dram_limits},
  };
  return kLimits;
}

std::uint64_t cycles_of(const Simulation& run, const Limit& limit) {
  std::uint64_t sum = 0;
  for (const auto& entry : run.buckets) {
    const std::string& unit = entry.first;
    const bool counts = limit.units.empty() ||
                        std::any_of(limit.units.begin(), limit.units.end(),
                                    [&](const std::string& u) { return unit.rfind(u, 0) == 0; });
    if (counts) sum += entry.second[static_cast<std::size_t>(limit.bucket)];
  }
  return sum;
}

class Limits : public testing::TestWithParam<std::size_t> {};

TEST_P(Limits, WithoutItsLimitABucketIsEmpty) {
  const Limit& limit = limits()[GetParam()];
  int met = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    std::mt19937_64 rng(seed * 1000 + GetParam());
    NpuConfig config = random_config(rng);
    const graph::Graph graph = random_network(rng, 24);
    const kernels::Compiled compiled = kernels::compile(graph, config, {.timing_only = true});
    SCOPED_TRACE(fmt::format("seed {} limit {}", seed, limit.name));
    const SimulateOptions options{.timing_only = true, .allow_other_config = true};
    const Simulation with = simulate(config, compiled.program, {}, options);
    ASSERT_EQ(with.outcome, Outcome::kDone) << with.message;
    EXPECT_TRUE(with.buckets_close);
    limit.remove(config);
    const Simulation without = simulate(config, compiled.program, {}, options);
    ASSERT_EQ(without.outcome, Outcome::kDone) << without.message;
    EXPECT_TRUE(without.buckets_close);
    EXPECT_EQ(cycles_of(without, limit), 0U);
    if (cycles_of(with, limit) == 0) continue;
    ++met;
  }
  EXPECT_GE(met, 5) << "the limit is hardly ever met";
}
INSTANTIATE_TEST_SUITE_P(Buckets, Limits, testing::Range<std::size_t>(0, limits().size()),
                         [](const auto& instance) {
                           return std::string(limits()[instance.param].name);
                         });

}  // namespace
}  // namespace npu::test
