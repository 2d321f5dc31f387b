// The critical path of programs on the machine.

#include "sim/stats/critical_path.h"

#include <gtest/gtest.h>

#include "tests/unit/core/path_fixture.h"

namespace npu::machine_test {
namespace {

TEST(CriticalPath, OfOneLoadIsFetchDispatchAndTheLoad) {
  NpuConfig config = small_config();
  config.dma.bus_width_bytes = 256;
  const PathRun run = path_of(program_of({load(0, 0, 0, 4096)}), config);
  expect_whole(run);
  ASSERT_EQ(run.path.steps.size(), 2U);
  const PathStep& front = run.path.steps[0];
  EXPECT_EQ(run.path.units[front.unit], "sequencer");
  EXPECT_EQ(front.cycles[static_cast<std::size_t>(Cause::kDispatch)],
            static_cast<std::uint64_t>(config.sequencer.dispatch_cycles));
  EXPECT_GT(front.cycles[static_cast<std::size_t>(Cause::kFetch)], 0U);
  const PathStep& back = run.path.steps[1];
  EXPECT_EQ(run.path.units[back.unit], "dma0");
  EXPECT_EQ(back.handover, Handover::kDispatch);
  EXPECT_EQ(back.instruction, 0);
  EXPECT_EQ(back.layer, 0);
  EXPECT_EQ(back.cycles[static_cast<std::size_t>(Cause::kFillDrain)],
            static_cast<std::uint64_t>(config.dma.setup_cycles));
  EXPECT_EQ(back.cycles[static_cast<std::size_t>(Cause::kBusy)], 16U);
  EXPECT_GT(back.cycles[static_cast<std::size_t>(Cause::kDramLatency)], 0U);
}

TEST(CriticalPath, OfTheHaltWhereItIsTheLast) {
  const PathRun run = path_of(program_of({}), small_config());
  expect_whole(run);
  ASSERT_EQ(run.path.steps.size(), 1U);
  EXPECT_EQ(run.path.units[run.path.steps[0].unit], "sequencer");
}

TEST(CriticalPath, OfAComputeBoundProgramIsTheArray) {
  std::vector<isa::Instruction> code = {load(0, 0, 0, 16384, 0, kMac)};
  for (int i = 0; i < 40; ++i) {
    code.push_back(gemm(0, 12288, 0, 256, 32, 32, i == 0 ? kDma0 : 0));
  }
  const PathRun run = path_of(program_of(std::move(code)), small_config());
  expect_whole(run);
  EXPECT_GT(2 * cycles_of(run.path, "mac_array", Cause::kBusy), run.total_cycles);
  EXPECT_EQ(handovers(run.path, Handover::kToken), 1U);
  EXPECT_GE(handovers(run.path, Handover::kOrder), 39U);
}

TEST(CriticalPath, OfADramBoundProgramIsTheDram) {
  NpuConfig config = small_config();
  config.dma.bus_width_bytes = 256;
  config.interconnect.bytes_per_cycle = 256;
  std::vector<isa::Instruction> code;
  for (int i = 0; i < 20; ++i) code.push_back(load(i % 2, 0, i * 16384, 16384));
  const PathRun run = path_of(program_of(std::move(code)), config);
  expect_whole(run);
  EXPECT_GT(10 * dram_cycles(run.path), 8 * run.total_cycles);
  EXPECT_GT(2 * cycles_of(run.path, "dram", Cause::kDramBandwidth), run.total_cycles);
  EXPECT_EQ(cycles_of(run.path, "dram", Cause::kRefresh), 0U);
}

TEST(CriticalPath, SeesRefresh) {
  NpuConfig config = small_config();
  config.dma.bus_width_bytes = 256;
  config.dram.refresh = RefreshPolicy::kAllBank;
  config.dram.tREFI = 4 * config.dram.tRFC;
  std::vector<isa::Instruction> code;
  for (int i = 0; i < 20; ++i) code.push_back(load(0, 0, i * 16384, 16384));
  const PathRun run = path_of(program_of(std::move(code)), config);
  expect_whole(run);
  // A quarter of the time; some of it beside the channel's set-up.
  EXPECT_GT(10 * cycles_of(run.path, "dram", Cause::kRefresh), run.total_cycles);
  EXPECT_LT(3 * cycles_of(run.path, "dram", Cause::kRefresh), run.total_cycles);
}

TEST(CriticalPath, SeesBankConflicts) {
  NpuConfig config = small_config();
  config.scratchpad.banks = 1;
  config.scratchpad.ports = 1;
  const PathRun run = path_of(
      program_of({load(0, 0, 0, 8192, 0, kVec), vec_max(0, 4096, 8192, 4096, kDma0)}), config);
  expect_whole(run);
  EXPECT_GT(cycles_of(run.path, "vector_unit", Cause::kBankConflict), 0U);
  EXPECT_GT(cycles_of(run.path, "vector_unit", Cause::kBusy), 0U);
}

TEST(CriticalPath, GoesThroughWhatKeptAQueueFull) {
  NpuConfig config = small_config();
  config.sequencer.queue_depth = 1;
  std::vector<isa::Instruction> code = {load(0, 0, 0, 8192, 0, kVec)};
  for (int i = 0; i < 6; ++i) {
    code.push_back(vec_max(0, 4096, 8192 + i * 4096, 4096, i == 0 ? kDma0 : 0));
  }
  code.push_back(load(1, 0, 0x20000, 32768));
  const PathRun run = path_of(program_of(std::move(code)), config);
  expect_whole(run);
  EXPECT_EQ(handovers(run.path, Handover::kQueueFull), 1U);
  EXPECT_EQ(run.path.units[run.path.steps.back().unit], "dma1");
  EXPECT_GT(cycles_of(run.path, "vector_unit", Cause::kBusy), 0U);
}

TEST(CriticalPath, OfDoubleBufferedTilesAndWeights) {
  for (const int buffers : {1, 2, 4}) {
    const PathRun run = path_of(tiled_gemm(24, buffers), small_config());
    expect_whole(run);
    EXPECT_GT(handovers(run.path, Handover::kToken), 0U) << buffers;
  }
}

TEST(CriticalPath, OfALaterRunBeginsWhereTheOneBeforeEnded) {
  const PathRun run = path_of(tiled_gemm(8, 2), small_config(), 3);
  expect_whole(run, 3);
  EXPECT_GT(run.path.begin_cycle, 0U);
}

TEST(CriticalPath, SyncTakesNoTimeOfThePath) {
  const PathRun run = path_of(
      program_of({load(0, 0, 0, 8192, 0, kVec), sync(isa::Engine::kVector, kDma0, kMac),
                  gemm(0, 4096, 0, 64, 32, 32, kVec, kVec), sync(isa::Engine::kVector, kMac, 0)}),
      small_config());
  expect_whole(run);
  for (const PathStep& step : run.path.steps) {
    EXPECT_NE(run.path.units[step.unit], "vector_unit");
  }
}

TEST(CriticalPath, IsNotRecordedUnlessAsked) {
  Machine machine(small_config(), tiled_gemm(4, 2), {.timing_only = true});
  machine.run();
  EXPECT_TRUE(machine.schedule().words.empty());
}

TEST(CriticalPath, CheckSeesGapsAndWrongSums) {
  CriticalPath path{.begin_cycle = 0, .end_cycle = 10, .units = {"sequencer"}, .steps = {}};
  EXPECT_THROW(path.check(), std::logic_error);
  PathStep step{.begin_cycle = 0, .end_cycle = 10};
  step.cycles[0] = 10;
  path.steps = {step};
  EXPECT_NO_THROW(path.check());
  path.steps[0].cycles[0] = 9;
  EXPECT_THROW(path.check(), std::logic_error);
  path.steps[0].cycles[0] = 10;
  path.steps[0].begin_cycle = 1;
  EXPECT_THROW(path.check(), std::logic_error);
}

}  // namespace
}  // namespace npu::machine_test
