// The search places tiles where the mapper will place them.
#include <gtest/gtest.h>

#include "kernels/lowering/compile.h"
#include "kernels/mapper/decisions.h"
#include "kernels/search/window_search.h"
#include "workloads/graph/network_builder.h"

namespace npu::search {
namespace {

TEST(WorkArea, TilesLieWhereTheMapperPlacesThem) {
  const NpuConfig config = load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml");
  const std::int64_t capacity = mapper::scratchpad_capacity(config);
  graph::NetworkBuilder net("resident");
  const graph::TensorId a = net.conv(net.input({1, 16, 16, 16}), 16, graph::square_window(3, 1, 1));
  const graph::TensorId b = net.conv(net.input({1, 16, 16, 16}), 16, graph::square_window(3, 1, 1));
  const graph::TensorId p = net.matmul(net.input({6, 64, 64}), net.input({6, 64, 64}), true);
  const graph::TensorId q = net.matmul(net.input({6, 64, 64}), net.input({6, 64, 64}), true);
  const graph::TensorId both = net.conv(a, 16, graph::square_window(1, 1, 0));
  const graph::Graph g = net.finish({b, p, q, both});
  // A resident at the high end: what is free is below it.
  mapper::Decisions free;
  mapper::Decisions d;
  d.tensors.push_back({.tensor = a, .resident = true, .address = capacity - 16 * 16 * 16});
  for (const mapper::Decisions* decisions : {&free, &d}) {
    const kernels::MappedNetwork mapped =
        kernels::map(g, config, {.timing_only = true, .decisions = decisions});
    ASSERT_EQ(mapped.mapping.layers.size(), 5U);
    for (std::size_t i = 0; i < 5; ++i) {
      const mapper::LayerPlan& plan = mapped.mapping.layers[i];
      WorkArea area{
          .free = mapper::work_area(mapped.mapping.storages, static_cast<int>(i), capacity),
          .others = plan.tile.params_bytes,
          .from_the_top = i % 2 == 1,
          .residents = {}};
      const mapper::WindowPlacement at = area.place(plan.tile);
      const auto address = [&](const char* name) {
        return plan.buffer(name) != nullptr ? plan.buffer(name)->address : 0;
      };
      EXPECT_EQ(at.x, address("x")) << plan.name;
      EXPECT_EQ(at.w, address("w")) << plan.name;
      EXPECT_EQ(at.y, address("y")) << plan.name;
      EXPECT_LE(plan.tile.scratchpad_bytes() - plan.tile.params_bytes, area.bytes());
    }
    const mapper::FreeArea below = mapper::work_area(mapped.mapping.storages, 1, capacity);
    if (decisions == &d) {
      EXPECT_EQ(below.low, 0);
      EXPECT_EQ(below.high, capacity - 16 * 16 * 16);
    }
  }
}

}  // namespace
}  // namespace npu::search
