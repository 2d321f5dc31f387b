// Buffers of layers that only move bytes, as a mapping decides them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/lowering/partition.h"
#include "kernels/mapper/decisions.h"
#include "kernels/mapper/mapping_error.h"
#include "sim/config/npu_config.h"
#include "workloads/graph/network_builder.h"

namespace npu::mapper {
namespace {

/// A convolution whose output lives through a copy from DRAM to DRAM.
graph::Graph network() {
  graph::NetworkBuilder net("moved", graph::Payload::kOptional);
  const graph::TensorId a = net.conv(net.input({1, 16, 16, 16}), 16, graph::square_window(1, 1, 0));
  const graph::TensorId part = net.slice(net.input({1, 64, 64, 16}), 1, 0, 32);
  return net.finish({part, net.conv(a, 16, graph::square_window(1, 1, 0))});
}

TEST(DecidedMoves, BuffersBeyondTheScratchpadAreACapacityFault) {
  const NpuConfig config = load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml");
  const graph::Graph g = network();
  const Partition parts = kernels::partition(g);
  const LayerPlan free = map_network(g, config, parts).layers.at(1);
  ASSERT_NE(free.buffer("bounce"), nullptr);
  const std::int64_t slots =
      config.scratchpad.capacity_bytes / free.buffer("bounce")->slot_bytes + 1;
  Decisions d;
  d.layers.push_back(
      {.layer = free.name, .buffers = {{.name = "bounce", .slots = static_cast<int>(slots)}}});
  try {
    static_cast<void>(map_network(g, config, parts, &d));
    FAIL() << "no error";
  } catch (const MappingError& e) {
    EXPECT_EQ(e.fault().kind, FaultKind::kCapacity) << e.what();
    EXPECT_EQ(e.fault().key, "scratchpad.bounce.slots");
    EXPECT_THAT(e.what(),
                testing::HasSubstr(fmt::format(
                    "{}: scratchpad: the decided buffers need {} bytes, {} are there", free.name,
                    slots * free.buffer("bounce")->slot_bytes, config.scratchpad.capacity_bytes)));
  }
}

TEST(DecidedMoves, ResidentsMakeRoomForDecidedBuffers) {
  const NpuConfig config = load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml");
  const graph::Graph g = network();
  const Partition parts = kernels::partition(g);
  const Mapping before = map_network(g, config, parts);
  const graph::TensorId a =
      g.nodes[static_cast<std::size_t>(before.layers.at(0).node)].outputs.at(0);
  ASSERT_TRUE(before.storages.of(a).resident);
  Decisions d;
  const std::int64_t half = config.scratchpad.capacity_bytes / 2;
  d.layers.push_back({.layer = before.layers.at(1).name,
                      .buffers = {{.name = "bounce", .slot_bytes = half, .slots = 2}}});
  const Mapping after = map_network(g, config, parts, &d);
  EXPECT_FALSE(after.storages.of(a).resident);
  EXPECT_EQ(after.layers.at(1).buffer("bounce")->slot_bytes, half);
}

}  // namespace
}  // namespace npu::mapper
