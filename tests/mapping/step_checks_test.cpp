// Instructions that leave out, repeat or misplace something are no mapping of the network.
#include "kernels/lowering/step_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kernels/lowering/op_table.h"
#include "kernels/lowering/partition.h"
#include "kernels/mapper/mapping_error.h"
#include "tests/mapping/mapping_case.h"
#include "workloads/graph/network_builder.h"

namespace npu::kernels {
namespace {

using mapper::FaultKind;
using mapper::MappingError;
using testing::HasSubstr;

/// A convolution in four tiles, its input channels in two parts.
class StepChecks : public testing::Test {
 protected:
  StepChecks() {
    graph::NetworkBuilder net("checked", graph::Payload::kRequired);
    const graph::TensorId x = net.input({1, 8, 8, 32});
    graph_ = net.finish({net.conv(x, 16, graph::square_window(3, 1, 1))});
    mapper::Decisions decisions;
    decisions.layers.push_back({.layer = "CONV_2D #0", .out_h = 4, .out_c = 8, .in_c = 16});
    mapping_ = map_network(graph_, config_, partition(graph_), &decisions);
    Emitter out(config_, true);
    for (mapper::Storage& s : mapping_.storages.all) s.address = out.allocate(s.bytes);
    const mapper::LayerPlan& plan = mapping_.layers.at(0);
    const graph::Node& node = graph_.nodes[static_cast<std::size_t>(plan.node)];
    out.begin_layer({plan.name, node.source_index, 0, 1});
    LayerContext context{graph_, config_, node, plan, mapping_.storages, out};
    find_op(node.kind)->lower(context);
    steps_ = std::move(out.steps());
  }

  void check() const { check_steps(graph_, mapping_, keep_all(1), steps_); }
  void expect_fault(FaultKind kind, const std::string& message) const {
    try {
      check();
      FAIL() << "accepted";
    } catch (const MappingError& error) {
      EXPECT_EQ(error.fault().kind, kind);
      EXPECT_EQ(error.fault().layer, "CONV_2D #0");
      EXPECT_THAT(error.what(), HasSubstr(message));
    }
  }
  /// The work of a step with that instruction, in order.
  std::vector<Item>& work_with(isa::Opcode opcode, std::size_t which) {
    for (Step& s : steps_) {
      for (const Item& i : s.work) {
        if (i.instruction.opcode == opcode && which-- == 0) return s.work;
      }
    }
    throw std::logic_error("no such instruction");
  }

  const NpuConfig config_ = load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml");
  graph::Graph graph_;
  mapper::Mapping mapping_;
  std::vector<Step> steps_;
};

TEST_F(StepChecks, WhatTheLoweringMakesIsAccepted) {
  EXPECT_GT(steps_.size(), 6U);
  EXPECT_NO_THROW(check());
}

TEST_F(StepChecks, AProductLeftOut) {
  std::vector<Item>& work = work_with(isa::Opcode::kConv, 1);
  std::erase_if(work, [](const Item& i) { return i.instruction.opcode == isa::Opcode::kConv; });
  expect_fault(FaultKind::kCoverage,
               "CONV_2D #0: accumulator: a sum takes 288 products, each once, got 144");
}

TEST_F(StepChecks, AProductTwice) {
  std::vector<Item>& work = work_with(isa::Opcode::kConv, 1);
  for (const Item& i : std::vector<Item>(work)) {
    if (i.instruction.opcode == isa::Opcode::kConv) work.insert(work.begin(), i);
  }
  expect_fault(FaultKind::kCoverage, "a sum takes 288 products, each once, got 432");
}

TEST_F(StepChecks, OneProductForAnother) {
  // The second part of the input channels takes what the first took.
  const isa::Instruction first = [&] {
    for (const Item& i : work_with(isa::Opcode::kConv, 0)) {
      if (i.instruction.opcode == isa::Opcode::kConv) return i.instruction;
    }
    return isa::Instruction{};
  }();
  for (Item& i : work_with(isa::Opcode::kConv, 1)) {
    if (i.instruction.opcode != isa::Opcode::kConv) continue;
    i.instruction.set(isa::Opd::kX, first[isa::Opd::kX]);
    i.instruction.set(isa::Opd::kW, first[isa::Opd::kW]);
  }
  expect_fault(FaultKind::kCoverage, "a sum takes 288 products, each once, got 288");
}

TEST_F(StepChecks, AnOutputLeftOut) {
  std::vector<Item>& work = work_with(isa::Opcode::kDmaStore, 0);
  std::erase_if(work, [](const Item& i) { return i.instruction.opcode == isa::Opcode::kDmaStore; });
  expect_fault(FaultKind::kCoverage,
               "CONV_2D #0: dram: of the 1024 bytes of tensor 2 256 are never written and 0 more "
               "than once");
}

TEST_F(StepChecks, AnOutputTwice) {
  const std::vector<Item> work = work_with(isa::Opcode::kDmaStore, 0);
  steps_.push_back({{}, {work.back()}});
  expect_fault(FaultKind::kCoverage, "0 are never written and 256 more than once");
}

TEST_F(StepChecks, AnAccessBeyondASlot) {
  for (mapper::Buffer& b : mapping_.layers[0].buffers) {
    if (b.name == "y") b.slot_bytes = 128;
  }
  expect_fault(FaultKind::kSlots, ", 128 of these 256 bytes are in a slot of the layer");
}

TEST_F(StepChecks, AnAccessOutsideOfTheLayersBytes) {
  std::erase_if(mapping_.layers[0].buffers, [](const mapper::Buffer& b) { return b.name == "y"; });
  expect_fault(FaultKind::kSlots, ", 0 of these 256 bytes are in a slot of the layer");
}

}  // namespace
}  // namespace npu::kernels
