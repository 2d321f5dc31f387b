#include "sim/explain/what_if.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/lowering/compile.h"
#include "workloads/graph/network_builder.h"

namespace npu::explain {
namespace {

using ::testing::HasSubstr;

NpuConfig preset(const std::string& name) {
  return load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/" + name + ".yaml");
}

graph::Graph network(std::int64_t size, std::int64_t channels) {
  graph::NetworkBuilder b("net");
  graph::TensorId x = b.input({1, size, size, channels});
  x = b.conv(x, 2 * channels, graph::square_window(3, 1, 1), graph::Activation::kRelu);
  x = b.depthwise(x, graph::square_window(3, 2, 1));
  return b.finish({b.fully_connected(x, 16)});
}

Study study_of(const NpuConfig& config, const graph::Graph& graph, bool with_network = true) {
  const kernels::Compiled compiled = kernels::compile(graph, config, {.timing_only = true});
  return study(config, compiled.program, with_network ? &graph : nullptr,
               kernels::AttentionVariant::kAuto, [](std::size_t, std::size_t) {});
}

const Outcome& outcome(const Study& s, const std::string& name) {
  const auto at = std::ranges::find(s.outcomes, name, &Outcome::name);
  if (at == s.outcomes.end()) throw std::logic_error("no what-if " + name);
  return *at;
}

TEST(WhatIf, LeavesOutWhatChangesNothing) {
  NpuConfig config = preset("edge");
  const std::size_t all = what_ifs(config).size();
  config.dram.refresh = RefreshPolicy::kNone;
  config.dma.setup_cycles = 0;
  const std::vector<WhatIf> fewer = what_ifs(config);
  EXPECT_EQ(fewer.size() + 2, all);
  EXPECT_EQ(std::ranges::count(fewer, "no_refresh", &WhatIf::name), 0);
}

TEST(WhatIf, BetterPartsAreNotSlowerAndRanked) {
  for (const char* const name : {"edge", "gemmini_16x16", "ethos_u55_256", "nvdla_small"}) {
    const Study s = study_of(preset(name), network(20, 24));
    ASSERT_GT(s.base_cycles, 0U) << name;
    std::uint64_t before = 0;
    for (const Outcome& o : s.outcomes) {
      if (!o.cycles()) {
        EXPECT_NE(o.failure, "") << name << " " << o.name;
        continue;
      }
      EXPECT_GE(*o.cycles(), before) << name << " " << o.name;
      before = *o.cycles();
    }
    for (const char* const better : {"ideal_dram", "no_refresh", "no_bank_conflicts",
                                     "double_vector_lanes", "no_dma_setup", "double_queues"}) {
      const auto at = std::ranges::find(s.outcomes, better, &Outcome::name);
      if (at == s.outcomes.end()) continue;
      ASSERT_TRUE(at->cycles()) << name << " " << better << ": " << at->failure;
      EXPECT_LE(static_cast<double>(*at->cycles()),
                static_cast<double>(s.base_cycles) * (1 + kTolerance))
          << name << " " << better;
    }
  }
}

TEST(WhatIf, ADramBoundNetworkGainsFromTheDramAndAComputeBoundOneFromTheArray) {
  graph::NetworkBuilder weights("weights");
  const graph::TensorId x = weights.input({1, 2048});
  NpuConfig slow_dram = preset("edge");
  slow_dram.dram.clock_mhz /= 8;
  const Study dram = study_of(slow_dram, weights.finish({weights.fully_connected(x, 512)}));
  EXPECT_LT(3 * *outcome(dram, "ideal_dram").cycles(), dram.base_cycles);
  EXPECT_EQ(dram.outcomes.front().name, "ideal_dram");

  graph::NetworkBuilder images("images");
  const graph::TensorId y = images.input({1, 56, 56, 64});
  const Study array =
      study_of(preset("edge"), images.finish({images.conv(y, 64, graph::square_window(3, 1, 1))}));
  EXPECT_LT(2 * *outcome(array, "double_array_rows").cycles(), 2 * array.base_cycles * 3 / 4);
  EXPECT_TRUE(outcome(array, "double_array_rows").is_remapped());
}

TEST(WhatIf, WithoutTheNetworkOnlyTheSameProgramRuns) {
  const Study s = study_of(preset("edge"), network(12, 8), false);
  EXPECT_FALSE(outcome(s, "double_array_rows").cycles());
  EXPECT_THAT(outcome(s, "double_array_rows").failure, HasSubstr("needs the model"));
  EXPECT_TRUE(outcome(s, "ideal_dram").same_program_cycles);
  for (const Outcome& o : s.outcomes) EXPECT_FALSE(o.remapped_cycles) << o.name;
}

}  // namespace
}  // namespace npu::explain
