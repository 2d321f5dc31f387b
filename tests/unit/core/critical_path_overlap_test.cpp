// The critical path where units overlap without tokens: result stream, pipelined descriptors,
// pipelined vector unit.

#include <gtest/gtest.h>

#include "sim/config/dram_device.h"
#include "tests/unit/core/path_fixture.h"

namespace npu::machine_test {
namespace {

using enum isa::Opd;

constexpr std::int64_t kStripe = 16;

/// Of programs that read what nobody wrote.
PathRun overlap_path(const isa::Program& program, const NpuConfig& config, int runs = 1) {
  return path_of(program, config, runs, false);
}

/// NVDLA's array and result stream in front of a vector unit; programs without load.
NpuConfig streaming(int entries, int latency_cycles, int credit_cycles) {
  NpuConfig config =
      load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/nvdla_small.yaml");
  config.mac_array.stripe_positions = kStripe;
  config.mac_array.result_stream_entries = entries;
  config.mac_array.result_stream_latency_cycles = latency_cycles;
  config.mac_array.result_credit_latency_cycles = credit_cycles;
  config.dram.refresh = RefreshPolicy::kNone;
  return config;
}

/// A streamed tile of so many positions and input channels, 8 output channels, and who takes it.
isa::Program streamed(std::int64_t positions, std::int64_t channels, std::int64_t takers = 1) {
  std::vector<isa::Instruction> code = {make(isa::Opcode::kGemm, {{kX, 0},
                                                                  {kW, 0x4000},
                                                                  {kM, positions},
                                                                  {kN, 8},
                                                                  {kK, channels},
                                                                  {kRowStride, channels},
                                                                  {kWStride, channels},
                                                                  {kStream, 1}})};
  for (std::int64_t i = 0; i < takers; ++i) {
    code.push_back(make(isa::Opcode::kRequantize, {{kOutH, 1},
                                                   {kOutW, positions / takers},
                                                   {kOutC, 8},
                                                   {kDst, 0x8000},
                                                   {kDstPixelStride, 8},
                                                   {kDstRowStride, positions * 8},
                                                   {kParams, 0xC000},
                                                   {kStream, 1}}));
  }
  return program_of(std::move(code));
}

TEST(CriticalPathOverlap, OfAStripeIsTheArrayThenTheStreamThenTheVectorUnit) {
  const PathRun run = overlap_path(streamed(kStripe, 64), streaming(16, 14, 25));
  expect_whole(run);
  EXPECT_EQ(handovers(run.path, Handover::kStream), 1U);
  // 8 folds of 16 positions, to the begin of the last one's last cycle.
  EXPECT_EQ(cycles_of(run.path, "mac_array", Cause::kBusy), 8U * kStripe - 1);
  EXPECT_EQ(cycles_of(run.path, "vector_unit", Cause::kStreamLatency), 14U);
  EXPECT_EQ(cycles_of(run.path, "mac_array", Cause::kStreamLatency), 0U);
  EXPECT_EQ(cycles_of(run.path, "vector_unit", Cause::kBusy), 8U * kStripe);
}

TEST(CriticalPathOverlap, OfADrainBoundTileGoesRoundThroughThePlaces) {
  // One fold per stripe: the array waits for its places, the vector unit for its sums.
  const PathRun run = overlap_path(streamed(8 * kStripe, 8), streaming(16, 14, 25));
  expect_whole(run);
  EXPECT_EQ(cycles_of(run.path, "mac_array", Cause::kStreamLatency), 7U * 25);
  EXPECT_EQ(cycles_of(run.path, "vector_unit", Cause::kStreamLatency), 8U * 14);
  EXPECT_EQ(cycles_of(run.path, "vector_unit", Cause::kBusy), 8U * 8 * kStripe);
  EXPECT_EQ(handovers(run.path, Handover::kStream), 15U);
}

TEST(CriticalPathOverlap, WithRoomForTwoStripesTheVectorUnitAloneIsOnThePath) {
  const PathRun run = overlap_path(streamed(8 * kStripe, 8), streaming(48, 14, 25));
  expect_whole(run);
  EXPECT_EQ(cycles_of(run.path, "mac_array", Cause::kStreamLatency), 0U);
  EXPECT_EQ(cycles_of(run.path, "vector_unit", Cause::kStreamLatency), 14U);
  EXPECT_EQ(handovers(run.path, Handover::kStream), 1U);
}

TEST(CriticalPathOverlap, ATileThatSeveralInstructionsTakeIsOneChain) {
  for (const int takers : {1, 2, 4, 8}) {
    const PathRun run = overlap_path(streamed(16 * kStripe, 64, takers), streaming(20, 3, 7), 2);
    expect_whole(run, 2);
    EXPECT_GT(handovers(run.path, Handover::kStream), 0U);
  }
}

TEST(CriticalPathOverlap, APipelinedVectorUnitPaysItsLatencyOnce) {
  NpuConfig config = small_config();
  config.vector_unit.latency_cycles = 12;
  std::vector<isa::Instruction> code;
  for (int i = 0; i < 6; ++i) code.push_back(vec_max(0, 4096, 8192, 1024));
  for (const bool pipelined : {false, true}) {
    config.vector_unit.pipelined = pipelined;
    const PathRun run = overlap_path(program_of(code), config);
    expect_whole(run);
    EXPECT_EQ(cycles_of(run.path, "vector_unit", Cause::kFillDrain), pipelined ? 12U : 6U * 12);
  }
}

/// Loads of one request each.
isa::Program short_loads(int count) {
  std::vector<isa::Instruction> code;
  for (int i = 0; i < count; ++i) code.push_back(load(0, i * 64, i * 64, 64));
  return program_of(std::move(code));
}

NpuConfig behind_fixed_latency(int latency_clocks) {
  NpuConfig config =
      load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/nvdla_small.yaml");
  config.dram =
      load_dram_device(std::string(NPUSIM_SOURCE_DIR) + "/configs/dram/fixed_latency.yaml");
  config.dram.fixed_latency.read_latency_clocks = latency_clocks;
  config.dma.load_completion_cycles = 5;
  config.sequencer.program_memory = ProgramMemory::kLocal;
  return config;
}

TEST(CriticalPathOverlap, PipelinedLoadsPayTheLatencyOfTheMemoryOnce) {
  NpuConfig config = behind_fixed_latency(300);
  config.dma.pipelined_descriptors = false;
  const PathRun one_by_one = overlap_path(short_loads(6), config);
  config.dma.pipelined_descriptors = true;
  const PathRun run = overlap_path(short_loads(6), config);
  expect_whole(one_by_one);
  expect_whole(run);
  EXPECT_EQ(cycles_of(one_by_one.path, "dram", Cause::kDramLatency) +
                cycles_of(one_by_one.path, "interconnect", Cause::kInterconnect),
            6U * 295);
  // The last load's; part of it lies beside data of those before. Set-up counts once as well.
  EXPECT_GT(cycles_of(run.path, "dram", Cause::kDramLatency), 250U);
  EXPECT_LT(cycles_of(run.path, "dram", Cause::kDramLatency), 300U);
  const auto setup = static_cast<std::uint64_t>(config.dma.setup_cycles);
  EXPECT_EQ(cycles_of(run.path, "dma0", Cause::kFillDrain), setup + 5);
  // From issue to issue, then the last one's data.
  EXPECT_EQ(run.path.steps[1].instruction, 0);
  EXPECT_EQ(run.path.steps.back().instruction, 5);
  EXPECT_EQ(run.path.steps.size(), 7U);
}

TEST(CriticalPathOverlap, ALateLoadHangsOnItsDispatchAndNotOnTheLoadBefore) {
  NpuConfig config = behind_fixed_latency(300);
  config.dma.pipelined_descriptors = true;
  // The second load waits for the vector unit, which works until shortly before the first is there.
  const PathRun run =
      overlap_path(program_of({load(0, 0, 0, 64), vec_max(1024, 1024, 2048, 200, 0, kDma0),
                               load(0, 64, 64, 64, kVec)}),
                   config);
  expect_whole(run);
  EXPECT_EQ(handovers(run.path, Handover::kToken), 1U);
  for (const PathStep& step : run.path.steps) {
    EXPECT_FALSE(run.path.units[step.unit] == "dma0" && step.instruction == 0) << "the first load";
  }
}

}  // namespace
}  // namespace npu::machine_test
