// What a mapping costs to lower is bounded.
#include "kernels/mapper/step_count.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/lowering/partition.h"
#include "kernels/mapper/decisions.h"
#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/repair.h"
#include "sim/config/npu_config.h"
#include "workloads/graph/network_builder.h"

namespace npu::mapper {
namespace {

TEST(StepCount, MoreThanTheMostAreRefusedAndRepaired) {
  const NpuConfig config = load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml");
  graph::NetworkBuilder net("wide", graph::Payload::kOptional);
  const graph::TensorId x = net.input({1, 32, 32, 32});
  const graph::Graph graph = net.finish({net.conv(x, 64, graph::square_window(1, 1, 0))});
  const Partition parts = kernels::partition(graph);
  Decisions d;
  d.layers.push_back({.layer = "CONV_2D #0", .out_h = 1, .out_w = 1, .out_c = 2, .in_c = 1});
  const Mapping most = map_network(graph, config, parts, &d);
  EXPECT_EQ(step_count(graph, most.storages, most.layers[0]), kMaxSteps);
  d.layers[0].out_c = 1;
  try {
    static_cast<void>(map_network(graph, config, parts, &d));
    FAIL() << "no error";
  } catch (const MappingError& e) {
    EXPECT_THAT(e.what(),
                testing::HasSubstr("CONV_2D #0: its tiles take 2097152 steps, all layers 2097152; "
                                   "at most 1048576 are lowered"));
    const auto repair = smallest_repair(graph, config, parts, d, e.fault());
    ASSERT_TRUE(repair.has_value());
    EXPECT_TRUE(repair->legal) << repair->text;
  }
}

}  // namespace
}  // namespace npu::mapper
