#include "tests/support/random_config.h"

#include <array>
#include <string>

namespace npu::test {
namespace {

constexpr std::array<const char*, 6> kPresets = {"edge",          "gemmini_16x16", "nvdla_small",
                                                 "ethos_u55_256", "tpu_v1",        "davinci"};

int between(std::mt19937_64& rng, int low, int high) {
  return static_cast<int>(
      low + static_cast<std::int64_t>(rng() % static_cast<std::uint64_t>(high - low + 1)));
}
int power_of_two(std::mt19937_64& rng, int low_exponent, int high_exponent) {
  return 1 << between(rng, low_exponent, high_exponent);
}

/// Stripes and a result stream, where the array can have them.
void randomize_stream(std::mt19937_64& rng, MacArrayConfig& m) {
  const bool can_stripe = m.kind == ArrayKind::kDotProduct && m.pixels == 1 &&
                          m.dataflow == Dataflow::kWeightStationary && m.double_buffered_weights;
  m.stripe_positions = can_stripe && rng() % 4 != 0 ? between(rng, 1, 40) : 0;
  const bool streams = m.stripe_positions > 0 && rng() % 4 != 0;
  m.result_stream_entries = streams ? m.stripe_positions + between(rng, 0, 40) : 0;
  m.result_stream_latency_cycles = between(rng, 0, 30);
  m.result_credit_latency_cycles = between(rng, 0, 30);
  m.whole_block_loads = rng() % 2 == 0;
}

void randomize_fixed_latency(std::mt19937_64& rng, DramConfig& c) {
  c.kind = DramKind::kFixedLatency;
  c.data_rate = c.burst_length = 1;
  c.rows = c.columns = 1;
  c.channels = c.ranks = c.bank_groups = c.banks_per_group = 1;
  c.clock_mhz = between(rng, 100, 3000);
  c.fixed_latency.beat_bytes = power_of_two(rng, 0, 6);
  c.bus_width_bits = c.fixed_latency.beat_bytes * 8;
  c.address_mapping = "ro-ra-bg-ba-co-ch";
  c.fixed_latency.read_latency_clocks = between(rng, 0, 200);
  c.fixed_latency.read_clocks_per_256_beats = between(rng, 1, 1024);
  c.fixed_latency.write_clocks_per_256_beats = between(rng, 1, 1024);
  c.fixed_latency.write_response_clocks = between(rng, 0, 40);
}

}  // namespace

NpuConfig random_config(std::mt19937_64& rng) {
  const std::string preset = kPresets[rng() % kPresets.size()];
  NpuConfig c =
      load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/" + preset + ".yaml");
  c.name = "random";

  MacArrayConfig& m = c.mac_array;
  m.kind = rng() % 2 == 0 ? ArrayKind::kSystolic : ArrayKind::kDotProduct;
  m.dataflow = static_cast<Dataflow>(rng() % 3);
  m.rows = rng() % 2 == 0 ? power_of_two(rng, 2, 7) : between(rng, 4, 128);
  m.cols = rng() % 2 == 0 ? power_of_two(rng, 2, 7) : between(rng, 4, 128);
  m.pixels = m.kind == ArrayKind::kDotProduct ? power_of_two(rng, 0, 3) : 1;
  m.double_buffered_weights = rng() % 2 == 0;
  m.weight_load_bytes_per_cycle = power_of_two(rng, 2, 7);
  m.pipeline_latency_cycles = between(rng, 0, 8);
  m.int16_cycles = power_of_two(rng, 0, 2);

  c.scratchpad.banks = power_of_two(rng, 0, 5);
  c.scratchpad.port_width_bytes = power_of_two(rng, 2, 5);
  c.scratchpad.ports = between(rng, 1, 2);
  c.scratchpad.latency_cycles = between(rng, 1, 8);
  c.scratchpad.interleave = rng() % 2 == 0 ? Interleave::kWord : Interleave::kBlock;
  c.scratchpad.capacity_bytes = power_of_two(rng, 14, 22);
  c.accumulator = c.scratchpad;
  c.accumulator.capacity_bytes = power_of_two(rng, 12, 18);

  c.vector_unit.lanes = between(rng, 1, 128);
  c.vector_unit.latency_cycles = between(rng, 0, 16);

  c.dma.channels = between(rng, 2, 6);
  c.dma.bus_width_bytes = power_of_two(rng, 2, 6);
  c.dma.max_outstanding = between(rng, 1, 32);
  c.dma.max_burst_bytes = power_of_two(rng, 6, 11);
  c.dma.setup_cycles = between(rng, 0, 64);

  c.sequencer.queue_depth = between(rng, 1, 32);
  c.sequencer.fetch_buffer_instructions = between(rng, 1, 32);
  c.interconnect.bytes_per_cycle = power_of_two(rng, 2, 7);
  c.interconnect.latency_cycles = between(rng, 0, 40);

  // What few machines have, of a generator of its own.
  std::mt19937_64 more = rng;
  randomize_stream(more, m);
  c.vector_unit.pipelined = more() % 2 == 0;
  c.dma.pipelined_descriptors = more() % 2 == 0;
  c.dma.load_completion_cycles = between(more, 0, 60);
  c.dma.full_rate_run_bytes = more() % 2 == 0 ? 16 : 0;
  c.dma.long_run_beat_cycles = 1 + between(more, 0, 100) / 100.0;
  c.interconnect.max_outstanding_reads = more() % 2 == 0 ? between(more, 1, 64) : 0;
  if (more() % 2 == 0) c.sequencer.program_memory = ProgramMemory::kLocal;
  if (more() % 4 == 0) randomize_fixed_latency(more, c.dram);
  return c;
}

}  // namespace npu::test
