// Programs that follow one another in one machine.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/core/machine.h"
#include "tests/unit/core/machine_fixture.h"

namespace npu {
namespace {

using machine_test::gemm;
using machine_test::kDma0;
using machine_test::kDma1;
using machine_test::kMac;
using machine_test::kOutputAddress;
using machine_test::load;
using machine_test::program_of;
using machine_test::small_config;
using machine_test::store;

constexpr std::int64_t kResultAddress = 0x50000;

/// Copies 1000 image bytes to the output.
isa::Program first_program() {
  return program_of({load(0, 100, 0, 1000, 0, kDma1), store(1, 0, kOutputAddress, 1000, kDma0, 0)});
}

/// Copies what the first program left to another place; its code lies elsewhere, and it has no
/// image and three layers.
isa::Program second_program() {
  isa::Program program = program_of(
      {load(0, kOutputAddress, 0, 1000, 0, kDma1), store(1, 0, kResultAddress, 1000, kDma0, 0)});
  program.image.clear();
  program.code_address = 0x20000;
  program.layers.resize(3);
  program.layer_of = {1, 2, -1};
  program.tensors.push_back({.id = 0,
                             .name = "x",
                             .type = DType::kInt8,
                             .shape = {1000},
                             .role = isa::TensorRole::kInput,
                             .address = kOutputAddress});
  return program;
}

std::uint64_t layer_cycles(const RunTotals& run) {
  std::uint64_t sum = 0;
  for (const LayerStats& layer : run.layers) sum += layer.end_cycle - layer.begin_cycle;
  return sum;
}

TEST(MachineLoad, TheSecondProgramFindsWhatTheFirstLeft) {
  Machine machine(small_config(), first_program(), {});
  machine.run();
  const RunTotals first = machine.last_run();
  machine.load(second_program());
  machine.run();
  const RunTotals second = machine.last_run();
  std::vector<std::byte> result(1000);
  machine.read_dram(kResultAddress, result);
  for (std::int64_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(result[static_cast<std::size_t>(i)], machine_test::pattern(100 + i)) << i;
  }
  const RunStats stats = machine.stats();
  EXPECT_EQ(stats.run_cycles, (std::vector{first.cycles, second.cycles}));
  EXPECT_EQ(stats.total_cycles, first.cycles + second.cycles);
  EXPECT_EQ(first.layers.size(), 1U);
  EXPECT_EQ(second.layers.size(), 3U);
  EXPECT_EQ(layer_cycles(first), first.cycles);
  EXPECT_EQ(layer_cycles(second), second.cycles);
  EXPECT_EQ(stats.events_per_layer.size(), 4U);
  for (std::size_t e = 0; e < kEventCount; ++e) {
    EXPECT_EQ(stats.events[e], first.events[e] + second.events[e]);
    std::uint64_t of_layers = 0;
    for (const EventCounts& events : stats.events_per_layer) of_layers += events[e];
    EXPECT_EQ(of_layers, second.events[e]) << name_of(static_cast<Event>(e));
  }
  for (const UnitStats& u : stats.units) {
    EXPECT_EQ(u.timeline.accounted(), stats.total_cycles) << u.name;
  }
}

/// A few writes stay in the controller's queue when a run ends; the next one sees them through.
TEST(MachineLoad, WritesOfAProgramOutliveItsLayers) {
  isa::Program many = first_program();
  many.layers.resize(9);
  many.layer_of = {7, 8, -1};
  Machine machine(small_config(), many, {});
  machine.run();
  const std::uint64_t written = machine_test::count(machine.stats(), Event::kDramWrite);
  machine.load(second_program());
  machine.run();
  EXPECT_GT(machine_test::count(machine.stats(), Event::kDramWrite), written);
}

TEST(MachineLoad, TheSameProgramTakesTheSameCycles) {
  const isa::Program program = machine_test::tiled_gemm(12, 2);
  Machine machine(small_config(), program, {});
  machine.run();
  machine.run();
  machine.load(program);
  machine.run();
  const RunStats stats = machine.stats();
  EXPECT_EQ(stats.run_cycles[2], stats.run_cycles[1]);
}

TEST(MachineLoad, ALongerProgramAndItsCapturedTensors) {
  Machine machine(small_config(), first_program(), {.trace = true, .capture_tensors = true});
  machine.run();
  isa::Program longer = machine_test::tiled_gemm(12, 2);
  longer.tensors.push_back({.id = 7,
                            .name = "acc",
                            .type = DType::kInt32,
                            .shape = {128, 32},
                            .memory = isa::Memory::kAccumulator,
                            .address = 0,
                            .ready_after = 1});
  machine.load(longer);
  EXPECT_TRUE(machine.captured().at(0).empty());
  machine.run();
  EXPECT_EQ(machine.captured().at(0).size(), 128U * 32U * 4U);
  for (const Span& span : machine.stats().spans) EXPECT_LT(span.instruction, 25);
}

TEST(MachineLoad, AFaultyProgramLeavesTheOldOne) {
  Machine machine(small_config(), first_program(), {});
  isa::Program racy = second_program();
  racy.code[1].wait = 0;
  EXPECT_THROW(machine.load(racy), RunFault);
  isa::Program other = second_program();
  other.provenance["config_fingerprint"] = "another";
  EXPECT_THROW(machine.load(other), Error);
  EXPECT_EQ(machine.program().layers.size(), 1U);
  machine.run();
  EXPECT_GT(machine.last_run().cycles, 0U);
}

}  // namespace
}  // namespace npu
