#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/base/file.h"
#include "sim/base/process_pool.h"
#include "sim/search/layer_candidates.h"
#include "sim/search/measure.h"
#include "sim/search/search.h"
#include "workloads/graph/network_builder.h"
#include "workloads/importers/network_description.h"
#include "workloads/passes/passes.h"

namespace npu::search {
namespace {

using ::testing::HasSubstr;

NpuConfig preset(const std::string& name) {
  return load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/" + name + ".yaml");
}

graph::Graph network(const std::string& name) {
  const std::string path = NPUSIM_SOURCE_DIR "/workloads/models/" + name + ".yaml";
  graph::Graph g = importers::parse_network_description(read_file(path, 1 << 20), path, {}).graph;
  static_cast<void>(passes::fuse(g));
  return g;
}

Outcome search(const graph::Graph& g, const NpuConfig& config, Options options) {
  return search_mapping(g, config, options, [](const std::string&) {});
}

void expect_good(const Outcome& r, Objective objective) {
  int searched = 0;
  for (const LayerOutcome& o : r.layers) {
    if (!o.searched) continue;
    ++searched;
    EXPECT_LE(o.found.value(objective), o.heuristic.value(objective)) << o.name;
  }
  EXPECT_GT(searched, 0);
  EXPECT_LE(r.found.value(objective), r.heuristic.value(objective));
  EXPECT_LE(r.mean_gap_percent(), 5.0);
}

TEST(MappingSearch, LayersOfResNet18AreNeverSlowerThanTheHeuristics) {
  const Outcome r =
      search(network("resnet18"), preset("edge"), {.budget = 400, .refine = 3, .moves = 0});
  expect_good(r, Objective::kLatency);
  EXPECT_LT(r.found.cycles, r.heuristic.cycles);
  EXPECT_THAT(r.mapping_yaml, HasSubstr("CONV_2D #3"));
}

TEST(MappingSearch, LayersOfMobileNetV2AreNeverSlowerThanTheHeuristics) {
  const graph::Graph g = network("mobilenet_v2");
  const Outcome r = search(g, preset("davinci"), {.budget = 200, .refine = 2, .moves = 0});
  expect_good(r, Objective::kLatency);
}

TEST(MappingSearch, EveryObjectiveGetsWhatItAsksFor) {
  const graph::Graph g = network("resnet18");
  for (const Objective objective : {Objective::kEnergy, Objective::kEdp}) {
    Options o{.objective = objective, .budget = 200, .refine = 2, .moves = 4};
    o.layers = {"CONV_2D #0", "MAX_POOL_2D #1", "CONV_2D #24"};
    const Outcome r = search(g, preset("edge"), o);
    int gains = 0;
    for (const LayerOutcome& l : r.layers) {
      const bool asked = std::find(o.layers.begin(), o.layers.end(), l.name) != o.layers.end();
      EXPECT_EQ(l.searched, asked) << l.name;
      if (!asked) continue;
      EXPECT_LE(l.found.value(objective), l.heuristic.value(objective)) << l.name;
      gains += l.found.value(objective) < l.heuristic.value(objective) ? 1 : 0;
    }
    EXPECT_GE(gains, 1);
    EXPECT_LT(r.found.value(objective), r.heuristic.value(objective));
  }
}

// What the second convolution keeps free for its weights is more than it needs: the mapper leaves
// its input in DRAM.
TEST(MappingSearch, AResidencyThatWinsIsTakenAndNoted) {
  const NpuConfig config = preset("edge");
  graph::NetworkBuilder net("reserved");
  const graph::TensorId x =
      net.conv(net.input({1, 32, 32, 16}), 288, graph::square_window(1, 1, 0));
  const graph::Graph g = net.finish({net.conv(x, 480, graph::square_window(1, 1, 0))});
  ASSERT_FALSE(kernels::map(g, config, {.timing_only = true}).mapping.storages.of(x).resident);
  const Outcome r = search(g, config, {.budget = 200, .refine = 2, .moves = 4});
  EXPECT_THAT(r.notes, testing::ElementsAre(fmt::format("residency: tensor {} resident", x)));
  ASSERT_EQ(r.decisions.tensors.size(), 1U);
  EXPECT_EQ(r.decisions.tensors[0].tensor, x);
  EXPECT_TRUE(r.decisions.tensors[0].resident);
  EXPECT_THAT(r.mapping_yaml, HasSubstr("memory: scratchpad"));
  const Outcome still = search(g, config, {.budget = 200, .refine = 2, .moves = 0});
  EXPECT_LT(r.found.cycles, still.found.cycles);
  EXPECT_TRUE(still.notes.empty());
}

TEST(MappingSearch, TheNumberOfWorkersDoesNotMatter) {
  const graph::Graph g = network("resnet18");
  Options o{.budget = 100, .refine = 3, .moves = 3};
  o.layers = {"CONV_2D #0", "MAX_POOL_2D #1", "ADD #4"};
  o.workers = 1;
  const Outcome one = search(g, preset("edge"), o);
  o.workers = 3;
  const Outcome three = search(g, preset("edge"), o);
  EXPECT_EQ(one.mapping_yaml, three.mapping_yaml);
  EXPECT_EQ(one.found.cycles, three.found.cycles);
  EXPECT_EQ(one.notes, three.notes);
}

TEST(MappingSearch, SoftmaxIsTriedInBothNumbersOfPasses) {
  graph::Graph g;
  for (int i = 0; i < 2; ++i) {
    graph::Tensor t;
    t.type = DType::kFloat32;
    t.shape = {64, 512};
    g.tensors.push_back(std::move(t));
  }
  g.inputs = {0};
  g.outputs = {1};
  g.nodes.push_back({graph::OpKind::kSoftmax, {0}, {1}, graph::SoftmaxAttrs{}, 0});
  const NpuConfig config = preset("edge");
  const kernels::MappedNetwork network = kernels::map(g, config, {.timing_only = true});
  const mapper::LayerPlan& plan = network.mapping.layers[0];
  const auto passes = [&](const mapper::LayerDecision* fixed) {
    const LayerCandidates all = search_layer(network, config, 0, fixed, {.keep = 4});
    std::vector<int> tried;
    for (const mapper::LayerDecision& d :
         candidates_from_text(to_text(all), plan, fixed).decisions) {
      tried.push_back(d.passes.value_or(0));
    }
    return tried;
  };
  EXPECT_THAT(passes(nullptr), ::testing::ElementsAre(3, 3, 2, 2));
  const mapper::LayerDecision two{.layer = plan.name, .passes = 2, .block = 100};
  EXPECT_THAT(passes(&two), ::testing::Each(2));
  const Outcome r = search(g, config, {.refine = 4, .moves = 0});
  EXPECT_LE(r.found.cycles, r.heuristic.cycles);
}

TEST(MappingSearch, AnUnknownLayerIsNamed) {
  Options o;
  o.layers = {"CONV_2D #1"};
  try {
    static_cast<void>(search(network("resnet18"), preset("edge"), o));
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("--layer: the network has no layer \"CONV_2D #1\""));
  }
}

TEST(MappingSearch, WhatTheUserDecidedStays) {
  mapper::Decisions fixed;
  mapper::LayerDecision d;
  d.layer = "CONV_2D #0";
  d.out_c = 16;
  fixed.layers.push_back(d);
  Options o{.budget = 200, .refine = 2, .moves = 0};
  o.layers = {"CONV_2D #0"};
  o.fixed = &fixed;
  const Outcome r = search(network("resnet18"), preset("edge"), o);
  ASSERT_NE(r.decisions.layer("CONV_2D #0"), nullptr);
  EXPECT_EQ(r.decisions.layer("CONV_2D #0")->out_c, 16);
}

// Three layers alike, of which the first has what the mapper would have chosen: the third is
// searched for itself.
TEST(MappingSearch, WhatIsDecidedOfALayerDoesNotBindItsEquals) {
  const NpuConfig config = preset("edge");
  graph::NetworkBuilder net("alike");
  std::vector<graph::TensorId> outputs;
  for (int i = 0; i < 3; ++i)
    outputs.push_back(net.conv(net.input({1, 14, 14, 32}), 48, graph::square_window(3, 1, 1)));
  const graph::Graph g = net.finish(outputs);
  Options o{.budget = 200, .refine = 2, .moves = 0};
  const Outcome free = search(g, config, o);
  ASSERT_EQ(free.layers[2].same_as, "CONV_2D #0");
  const mapper::WindowTile tile =
      kernels::map(g, config, {.timing_only = true}).mapping.layers[0].tile;
  mapper::Decisions fixed;
  fixed.layers.push_back({.layer = "CONV_2D #0",
                          .out_h = tile.out_h,
                          .out_w = tile.out_w,
                          .out_c = tile.out_c,
                          .in_c = tile.in_c,
                          .loop_order = tile.order});
  o.fixed = &fixed;
  const Outcome r = search(g, config, o);
  EXPECT_EQ(r.layers[0].space, 1);
  EXPECT_EQ(r.layers[2].same_as, "");
  EXPECT_EQ(r.layers[2].space, free.layers[0].space);
  EXPECT_TRUE(r.layers[2].searched);
}

// Entries that decide nothing change nothing: where not all of what was found makes the network
// faster, a part of it is taken.
TEST(MappingSearch, AMappingThatOnlyNamesTheLayersFindsTheSame) {
  const NpuConfig config = preset("edge");
  const graph::Graph g = network("resnet18");
  Options o{.budget = 100, .refine = 2, .moves = 0};
  const Outcome free = search(g, config, o);
  mapper::Decisions names;
  for (const LayerOutcome& l : free.layers) names.layers.push_back({.layer = l.name});
  o.fixed = &names;
  const Outcome r = search(g, config, o);
  EXPECT_EQ(r.heuristic.cycles, free.heuristic.cycles);
  EXPECT_EQ(r.found.cycles, free.found.cycles);
  EXPECT_EQ(r.mapping_yaml, free.mapping_yaml);
}

// Every tile of a part of a layer's space simulated: the best four by prediction hold the optimum,
// within a percent.
TEST(MappingSearch, TheBestFourHoldTheSimulatedOptimum) {
  const NpuConfig config = preset("edge");
  graph::Graph g = network("mobilenet_v2");
  kernels::MappedNetwork mapped = kernels::map(g, config, {.timing_only = true});
  const std::size_t last = mapped.mapping.layers.size() - 1;
  std::size_t layer = last;
  for (std::size_t i = 0; i < last; ++i) {
    const auto& w = mapped.mapping.layers[i].window;
    if (w && w->kind == mapper::WindowKind::kDepthwise && w->out_h == 7) {
      layer = i;
      break;
    }
  }
  ASSERT_LT(layer, last);
  mapper::LayerDecision some;
  some.layer = mapped.mapping.layers[layer].name;
  some.out_c = mapped.mapping.layers[layer].window->out_c / 4;
  constexpr std::size_t kAll = 400;
  const LayerCandidates all =
      search_layer(mapped, config, layer, &some, {.budget = 100000, .keep = kAll});
  ASSERT_LT(all.decisions.size(), kAll);
  ASSERT_GT(all.decisions.size(), 20U);
  std::vector<double> cycles(all.decisions.size());
  run_in_processes(
      all.decisions.size(), {.workers = 2},
      [&](std::size_t i) {
        kernels::MappedNetwork one = mapped;
        replace_layer(one, config, layer, all.decisions[i]);
        return to_text(simulate_layer(one, config, layer));
      },
      [&](std::size_t i, const TaskResult& r) { cycles[i] = cost_from_text(r.text).cycles; });
  const double best = *std::min_element(cycles.begin(), cycles.end());
  // The first four are what a search simulates.
  EXPECT_LE(*std::min_element(cycles.begin(), cycles.begin() + 4), 1.01 * best);
}

}  // namespace
}  // namespace npu::search
