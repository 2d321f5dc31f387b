// Predicted against simulated cycles of MATMULs that take several products per step.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/mapper/decisions.h"
#include "sim/base/process_pool.h"
#include "sim/search/measure.h"
#include "workloads/graph/network_builder.h"

namespace npu::search {
namespace {

struct Case {
  std::string preset;
  Shape a, b;
  bool transpose_b;
  std::int64_t images;  ///< 0: the mapper's choice.
};

std::string name_of(const Case& c) {
  return fmt::format("{} {} {} {} {}", c.preset, to_string(c.a), to_string(c.b), c.transpose_b,
                     c.images);
}

TEST(MatmulPrediction, SeveralProductsPerStepAreNearTheSimulation) {
  std::vector<Case> cases;
  for (const char* preset : {"edge", "davinci", "tpu_v1", "gemmini_16x16"}) {
    cases.push_back({preset, {12, 32, 64}, {12, 32, 64}, true, 0});
    cases.push_back({preset, {64, 16, 32}, {64, 32, 16}, false, 0});
    cases.push_back({preset, {64, 16, 32}, {64, 32, 16}, false, 7});
    cases.push_back({preset, {1, 8, 32}, {48, 32, 24}, false, 0});
    cases.push_back({preset, {4, 10, 16, 64}, {4, 10, 64, 16}, false, 4});
  }
  double sum = 0;
  std::vector<double> predicted(cases.size());
  run_in_processes(
      cases.size(), {.workers = 2, .timeout_s = 0},
      [&](std::size_t i) {
        const Case& c = cases[i];
        const NpuConfig config =
            load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/" + c.preset + ".yaml");
        graph::NetworkBuilder net("products");
        const graph::TensorId a = net.input(c.a);
        const graph::Graph g = net.finish({net.matmul(a, net.input(c.b), c.transpose_b)});
        mapper::Decisions d;
        d.layers.push_back({.layer = "MATMUL #0"});
        if (c.images > 0) d.layers[0].images = c.images;
        const kernels::MappedNetwork mapped =
            kernels::map(g, config, {.timing_only = true, .decisions = &d});
        const mapper::LayerPlan& plan = mapped.mapping.layers[0];
        if (plan.tile.images < 2) throw std::logic_error("one product per step");
        // The prediction in place of the energy.
        return to_text(
            {simulate_layer(mapped, config, 0).cycles, static_cast<double>(plan.predicted_cycles)});
      },
      [&](std::size_t i, const TaskResult& r) {
        ASSERT_EQ(r.status, TaskStatus::kDone) << name_of(cases[i]) << ": " << r.text;
        const Cost c = cost_from_text(r.text);
        const double gap = 100 * (c.picojoules - c.cycles) / c.cycles;
        EXPECT_LE(std::abs(gap), 15) << name_of(cases[i]);
        sum += std::abs(gap);
      });
  EXPECT_LE(sum / static_cast<double>(cases.size()), 6);
}

}  // namespace
}  // namespace npu::search
