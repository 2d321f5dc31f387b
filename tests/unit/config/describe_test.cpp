#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tests/unit/config/config_text.h"

namespace npu {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

NpuConfig edge() { return load_npu_config(configs_folder() + "npu/edge.yaml"); }

TEST(Fingerprint, IsStableAndIgnoresNamesAndEnergy) {
  const NpuConfig base = edge();
  EXPECT_THAT(base.fingerprint(), testing::MatchesRegex("[0-9a-f]{16}"));
  NpuConfig other = base;
  other.name = "x";
  other.description = "y";
  other.path = "z";
  other.dram.device = "w";
  other.energy = {};
  other.sources.clear();
  EXPECT_EQ(other.fingerprint(), base.fingerprint());
}

TEST(Fingerprint, ChangesWithEveryValueThatMatters) {
  const std::vector<std::function<void(NpuConfig&)>> changes = {
      [](NpuConfig& c) { c.clock.frequency_mhz = 801; },
      [](NpuConfig& c) { c.mac_array.kind = ArrayKind::kDotProduct; },
      [](NpuConfig& c) { c.mac_array.dataflow = Dataflow::kOutputStationary; },
      [](NpuConfig& c) { ++c.mac_array.rows; },
      [](NpuConfig& c) { ++c.mac_array.cols; },
      [](NpuConfig& c) { ++c.mac_array.pixels; },
      [](NpuConfig& c) { c.mac_array.double_buffered_weights = false; },
      [](NpuConfig& c) { ++c.mac_array.weight_load_bytes_per_cycle; },
      [](NpuConfig& c) { ++c.mac_array.pipeline_latency_cycles; },
      [](NpuConfig& c) { ++c.mac_array.int16_cycles; },
      [](NpuConfig& c) { ++c.mac_array.stripe_positions; },
      [](NpuConfig& c) { c.mac_array.whole_block_loads = true; },
      [](NpuConfig& c) { ++c.mac_array.result_stream_entries; },
      [](NpuConfig& c) { ++c.mac_array.result_stream_latency_cycles; },
      [](NpuConfig& c) { ++c.mac_array.result_credit_latency_cycles; },
      [](NpuConfig& c) { c.vector_unit.pipelined = true; },
      [](NpuConfig& c) { c.dma.pipelined_descriptors = true; },
      [](NpuConfig& c) { ++c.dma.load_completion_cycles; },
      [](NpuConfig& c) { ++c.dma.full_rate_run_bytes; },
      [](NpuConfig& c) { c.dma.long_run_beat_cycles = 2; },
      [](NpuConfig& c) { c.sequencer.program_memory = ProgramMemory::kLocal; },
      [](NpuConfig& c) { ++c.interconnect.max_outstanding_reads; },
      [](NpuConfig& c) { c.dram.kind = DramKind::kFixedLatency; },
      [](NpuConfig& c) { ++c.scratchpad.capacity_bytes; },
      [](NpuConfig& c) { ++c.scratchpad.banks; },
      [](NpuConfig& c) { ++c.scratchpad.port_width_bytes; },
      [](NpuConfig& c) { --c.scratchpad.ports; },
      [](NpuConfig& c) { ++c.scratchpad.latency_cycles; },
      [](NpuConfig& c) { c.scratchpad.interleave = Interleave::kBlock; },
      [](NpuConfig& c) { ++c.accumulator.capacity_bytes; },
      [](NpuConfig& c) { c.accumulator.interleave = Interleave::kBlock; },
      [](NpuConfig& c) { ++c.vector_unit.lanes; },
      [](NpuConfig& c) { ++c.vector_unit.latency_cycles; },
      [](NpuConfig& c) { c.vector_unit.requantize_cycles = 2; },
      [](NpuConfig& c) { c.vector_unit.elementwise_cycles = 2; },
      [](NpuConfig& c) { c.vector_unit.multiply_cycles = 2; },
      [](NpuConfig& c) { c.vector_unit.pool_tap_cycles = 2; },
      [](NpuConfig& c) { c.vector_unit.lut_cycles = 2; },
      [](NpuConfig& c) { c.vector_unit.reduce_cycles = 2; },
      [](NpuConfig& c) { c.vector_unit.softmax_cycles = 2; },
      [](NpuConfig& c) { c.vector_unit.function_cycles = 2; },
      [](NpuConfig& c) { c.mac_array.float16_cycles = 3; },
      [](NpuConfig& c) { c.mac_array.bfloat16_cycles = 3; },
      [](NpuConfig& c) { c.mac_array.float32_cycles = 2; },
      [](NpuConfig& c) { c.vector_unit.rounding = Rounding::kFloatRne; },
      [](NpuConfig& c) { ++c.dma.channels; },
      [](NpuConfig& c) { ++c.dma.bus_width_bytes; },
      [](NpuConfig& c) { ++c.dma.max_outstanding; },
      [](NpuConfig& c) { ++c.dma.max_burst_bytes; },
      [](NpuConfig& c) { ++c.dma.setup_cycles; },
      [](NpuConfig& c) { ++c.sequencer.queue_depth; },
      [](NpuConfig& c) { ++c.sequencer.fetch_buffer_instructions; },
      [](NpuConfig& c) { ++c.sequencer.dispatch_cycles; },
      [](NpuConfig& c) { ++c.interconnect.bytes_per_cycle; },
      [](NpuConfig& c) { ++c.interconnect.latency_cycles; },
      [](NpuConfig& c) { c.dram.clock_mhz = 1; },
      [](NpuConfig& c) { ++c.dram.data_rate; },
      [](NpuConfig& c) { ++c.dram.channels; },
      [](NpuConfig& c) { ++c.dram.ranks; },
      [](NpuConfig& c) { ++c.dram.bank_groups; },
      [](NpuConfig& c) { ++c.dram.banks_per_group; },
      [](NpuConfig& c) { ++c.dram.rows; },
      [](NpuConfig& c) { ++c.dram.columns; },
      [](NpuConfig& c) { ++c.dram.bus_width_bits; },
      [](NpuConfig& c) { ++c.dram.burst_length; },
      [](NpuConfig& c) { ++c.dram.tCL; },
      [](NpuConfig& c) { ++c.dram.tCWL; },
      [](NpuConfig& c) { ++c.dram.tRCD; },
      [](NpuConfig& c) { ++c.dram.tRP; },
      [](NpuConfig& c) { ++c.dram.tRAS; },
      [](NpuConfig& c) { ++c.dram.tRRD_S; },
      [](NpuConfig& c) { ++c.dram.tRRD_L; },
      [](NpuConfig& c) { ++c.dram.tFAW; },
      [](NpuConfig& c) { ++c.dram.tCCD_S; },
      [](NpuConfig& c) { ++c.dram.tCCD_L; },
      [](NpuConfig& c) { ++c.dram.tWR; },
      [](NpuConfig& c) { ++c.dram.tWTR_S; },
      [](NpuConfig& c) { ++c.dram.tWTR_L; },
      [](NpuConfig& c) { ++c.dram.tRTP; },
      [](NpuConfig& c) { ++c.dram.tRFC; },
      [](NpuConfig& c) { ++c.dram.tRFCpb; },
      [](NpuConfig& c) { ++c.dram.tREFI; },
      [](NpuConfig& c) { ++c.dram.tRTRS; },
      [](NpuConfig& c) { c.dram.address_mapping = "ch-ro-ra-bg-ba-co"; },
      [](NpuConfig& c) { c.dram.page_policy = PagePolicy::kClosed; },
      [](NpuConfig& c) { c.dram.refresh = RefreshPolicy::kNone; },
      [](NpuConfig& c) { ++c.dram.queue_depth; },
      [](NpuConfig& c) { ++c.dram.write_queue_depth; },
      [](NpuConfig& c) { --c.dram.write_drain_high; },
      [](NpuConfig& c) { ++c.dram.write_drain_low; },
      [](NpuConfig& c) { ++c.dram.bank_queue_depth; },
      [](NpuConfig& c) { c.dram.bank_hash = BankHash::kRow; },
      [](NpuConfig& c) { ++c.dram.tRREFD; },
      [](NpuConfig& c) { ++c.dram.starvation_cap; },
      [](NpuConfig& c) { ++c.dram.controller_latency_ns; },
  };
  std::set<std::string> seen = {edge().fingerprint()};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    NpuConfig c = edge();
    changes[i](c);
    EXPECT_TRUE(seen.insert(c.fingerprint()).second) << "change " << i;
  }
}

TEST(Fingerprint, ChangesWithEveryValueOfAMemoryOfFixedLatency) {
  const std::vector<std::function<void(NpuConfig&)>> changes = {
      [](NpuConfig& c) { ++c.dram.clock_mhz; },
      [](NpuConfig& c) { ++c.dram.fixed_latency.capacity_bytes; },
      [](NpuConfig& c) { ++c.dram.fixed_latency.beat_bytes; },
      [](NpuConfig& c) { ++c.dram.fixed_latency.read_latency_clocks; },
      [](NpuConfig& c) { ++c.dram.fixed_latency.read_clocks_per_256_beats; },
      [](NpuConfig& c) { ++c.dram.fixed_latency.write_clocks_per_256_beats; },
      [](NpuConfig& c) { ++c.dram.fixed_latency.write_response_clocks; },
  };
  NpuConfig base = edge();
  base.dram.kind = DramKind::kFixedLatency;
  std::set<std::string> seen = {base.fingerprint()};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    NpuConfig c = base;
    changes[i](c);
    EXPECT_TRUE(seen.insert(c.fingerprint()).second) << "change " << i;
  }
}

TEST(Describe, ShowsValuesAndPeaks) {
  const std::string text = describe(edge());
  EXPECT_THAT(text, HasSubstr("edge\n"));
  EXPECT_THAT(text, ContainsRegex("fingerprint [0-9a-f]+"));
  EXPECT_THAT(text, ContainsRegex("  rows +32\n"));
  EXPECT_THAT(text, ContainsRegex("  device +LPDDR4-3200 8 Gb x16\n"));
  EXPECT_THAT(text, ContainsRegex("  int8 MAC/cycle +1024\n"));
  EXPECT_THAT(text, ContainsRegex("  int8 TOPS .2 op per MAC. +1.6384\n"));
  EXPECT_THAT(text, ContainsRegex("  int16 TOPS +0.8192\n"));
  EXPECT_THAT(text, ContainsRegex("  scratchpad read +256.000 +204.800\n"));
  EXPECT_THAT(text, ContainsRegex("  dma, all channels +64.000 +51.200\n"));
  EXPECT_THAT(text, ContainsRegex("  interconnect +32.000 +25.600\n"));
  EXPECT_THAT(text, ContainsRegex("  dram, all channels +16.000 +12.800\n"));
  EXPECT_THAT(text, ContainsRegex("  ridge point MAC/DRAM byte +64.000 "));
  EXPECT_THAT(text, ContainsRegex("  dram capacity MiB +2048\n"));
  EXPECT_THAT(text, ContainsRegex("  mac_int8 +0.2166 pJ  derived\n"));
  EXPECT_THAT(text, ContainsRegex("  dram leakage +68.25 mW  derived\n"));
  EXPECT_THAT(text, ContainsRegex("  scratchpad +assumed: 512 KiB"));
}

TEST(Describe, OnePortIsSharedByReadsAndWrites) {
  const NpuConfig c = load_npu_config(configs_folder() + "npu/gemmini_16x16.yaml");
  EXPECT_THAT(describe(c), ContainsRegex("  scratchpad read . write +64.000 +64.000\n"));
  EXPECT_THAT(describe(c), ContainsRegex("  accumulator write +128.000 +128.000\n"));
}

}  // namespace
}  // namespace npu
