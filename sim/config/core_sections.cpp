#include <fmt/format.h>

#include <bit>

#include "sim/config/sections.h"

namespace npu {
namespace {

constexpr std::array<std::pair<std::string_view, ArrayKind>, 2> kKinds = {
    {{"systolic", ArrayKind::kSystolic}, {"dot_product", ArrayKind::kDotProduct}}};
constexpr std::array<std::pair<std::string_view, Dataflow>, 3> kDataflows = {
    {{"weight_stationary", Dataflow::kWeightStationary},
     {"output_stationary", Dataflow::kOutputStationary},
     {"input_stationary", Dataflow::kInputStationary}}};
constexpr std::array<std::pair<std::string_view, Interleave>, 2> kInterleaves = {
    {{"word", Interleave::kWord}, {"block", Interleave::kBlock}}};
constexpr std::array<std::pair<std::string_view, Rounding>, 3> kRoundings = {
    {{"tflite_double", Rounding::kTfliteDouble},
     {"tflite_single", Rounding::kTfliteSingle},
     {"float_rne", Rounding::kFloatRne}}};

constexpr std::array<std::pair<std::string_view, ProgramMemory>, 2> kProgramMemories = {
    {{"dram", ProgramMemory::kDram}, {"local", ProgramMemory::kLocal}}};

constexpr std::int64_t kMaxLatencyCycles = 10'000;
constexpr std::int64_t kMaxWidthBytes = 65'536;
constexpr std::int64_t kMaxRunBytes = 1 << 20;
constexpr std::int64_t kMaxReads = 65'536;

int small_int(const YamlMap& in, std::string_view key, std::int64_t low, std::int64_t high) {
  return static_cast<int>(in.require_int(key, low, high));
}
int small_int(const YamlMap& in, std::string_view key, int fallback, std::int64_t low,
              std::int64_t high) {
  return static_cast<int>(in.get_int(key, fallback, low, high));
}

void read_result_stream(const YamlMap& in, MacArrayConfig& c) {
  c.stripe_positions = small_int(in, "stripe_positions", c.stripe_positions, 0, 4096);
  c.whole_block_loads = in.get<bool>("whole_block_loads", c.whole_block_loads);
  c.result_stream_entries =
      small_int(in, "result_stream_entries", c.result_stream_entries, 0, 1024);
  c.result_stream_latency_cycles = small_int(in, "result_stream_latency_cycles",
                                             c.result_stream_latency_cycles, 0, kMaxLatencyCycles);
  c.result_credit_latency_cycles = small_int(in, "result_credit_latency_cycles",
                                             c.result_credit_latency_cycles, 0, kMaxLatencyCycles);
  const bool can_stripe =
      c.kind == ArrayKind::kDotProduct && c.dataflow == Dataflow::kWeightStationary;
  if (c.stripe_positions > 0 && (!can_stripe || c.pixels != 1 || !c.double_buffered_weights)) {
    in.fail("stripe_positions",
            fmt::format("must be 0 unless the array is dot_product, weight_stationary, with pixels "
                        "1 and double_buffered_weights, got {}",
                        c.stripe_positions));
  }
  if (c.result_stream_entries > 0 &&
      (c.stripe_positions == 0 || c.result_stream_entries < c.stripe_positions)) {
    in.fail("result_stream_entries",
            fmt::format("must be 0 or hold a stripe of stripe_positions = {} (above 0), got {}",
                        c.stripe_positions, c.result_stream_entries));
  }
}

}  // namespace

ClockConfig read_clock(const YamlMap& in) {
  return {.frequency_mhz = in.require_number("frequency_mhz", 1, 5000)};
}

MacArrayConfig read_mac_array(const YamlMap& in) {
  MacArrayConfig c;
  c.kind = in.require_choice<ArrayKind>("kind", kKinds);
  c.dataflow = in.require_choice<Dataflow>("dataflow", kDataflows);
  c.rows = small_int(in, "rows", 1, 1024);
  c.cols = small_int(in, "cols", 1, 1024);
  c.pixels = small_int(in, "pixels", c.pixels, 1, 64);
  c.double_buffered_weights = in.get<bool>("double_buffered_weights", c.double_buffered_weights);
  c.weight_load_bytes_per_cycle = small_int(in, "weight_load_bytes_per_cycle", 1, kMaxWidthBytes);
  c.pipeline_latency_cycles =
      small_int(in, "pipeline_latency_cycles", c.pipeline_latency_cycles, 0, kMaxLatencyCycles);
  c.int16_cycles = small_int(in, "int16_cycles", c.int16_cycles, 1, 16);
  c.float16_cycles = small_int(in, "float16_cycles", c.float16_cycles, 0, 64);
  c.bfloat16_cycles = small_int(in, "bfloat16_cycles", c.bfloat16_cycles, 0, 64);
  c.float32_cycles = small_int(in, "float32_cycles", c.float32_cycles, 0, 64);
  if (c.kind == ArrayKind::kSystolic && c.pixels != 1) {
    in.fail("pixels", fmt::format("must be 1 for a systolic array, got {}", c.pixels));
  }
  read_result_stream(in, c);
  return c;
}

SramConfig read_sram(const YamlMap& in, std::int64_t least_bytes, std::int64_t most_bytes) {
  SramConfig c;
  c.capacity_bytes = in.require_int("capacity_bytes", least_bytes, most_bytes);
  c.banks = small_int(in, "banks", 1, 1024);
  c.port_width_bytes = small_int(in, "port_width_bytes", 1, 4096);
  c.ports = small_int(in, "ports", 1, 2);
  c.latency_cycles = small_int(in, "latency_cycles", 1, kMaxLatencyCycles);
  c.interleave = in.get_choice<Interleave>("interleave", c.interleave, kInterleaves);
  const std::int64_t row_bytes = std::int64_t{c.banks} * c.port_width_bytes;
  if (c.capacity_bytes % row_bytes != 0) {
    in.fail("capacity_bytes",
            fmt::format("must be a multiple of banks x port_width_bytes = {}, got {}", row_bytes,
                        c.capacity_bytes));
  }
  return c;
}

VectorConfig read_vector_unit(const YamlMap& in) {
  VectorConfig c;
  c.lanes = small_int(in, "lanes", 1, 4096);
  c.latency_cycles = small_int(in, "latency_cycles", 0, kMaxLatencyCycles);
  c.pipelined = in.get<bool>("pipelined", c.pipelined);
  const auto cycles = [&](std::string_view key, double fallback) {
    return in.get_number(key, fallback, 1.0 / 64, 1024);
  };
  c.requantize_cycles = cycles("requantize_cycles", c.requantize_cycles);
  c.elementwise_cycles = cycles("elementwise_cycles", c.elementwise_cycles);
  c.multiply_cycles = cycles("multiply_cycles", c.multiply_cycles);
  c.pool_tap_cycles = cycles("pool_tap_cycles", c.pool_tap_cycles);
  c.lut_cycles = cycles("lut_cycles", c.lut_cycles);
  c.reduce_cycles = cycles("reduce_cycles", c.reduce_cycles);
  c.softmax_cycles = cycles("softmax_cycles", c.softmax_cycles);
  c.function_cycles = cycles("function_cycles", c.function_cycles);
  if (const auto requantize = in.get_map("requantize")) {
    c.rounding = requantize->require_choice<Rounding>("rounding", kRoundings);
    requantize->finish();
  }
  return c;
}

DmaConfig read_dma(const YamlMap& in) {
  DmaConfig c;
  c.channels = small_int(in, "channels", 2, 6);
  c.bus_width_bytes = small_int(in, "bus_width_bytes", 1, 4096);
  c.max_outstanding = small_int(in, "max_outstanding", 1, 1024);
  c.max_burst_bytes = small_int(in, "max_burst_bytes", 1, 4096);
  c.setup_cycles = small_int(in, "setup_cycles", 0, kMaxLatencyCycles);
  c.pipelined_descriptors = in.get<bool>("pipelined_descriptors", c.pipelined_descriptors);
  c.load_completion_cycles =
      small_int(in, "load_completion_cycles", c.load_completion_cycles, 0, kMaxLatencyCycles);
  c.full_rate_run_bytes =
      small_int(in, "full_rate_run_bytes", c.full_rate_run_bytes, 0, kMaxRunBytes);
  c.long_run_beat_cycles = in.get_number("long_run_beat_cycles", c.long_run_beat_cycles, 1, 64);
  if (!std::has_single_bit(static_cast<unsigned>(c.max_burst_bytes))) {
    in.fail("max_burst_bytes", fmt::format("must be a power of two, got {}", c.max_burst_bytes));
  }
  return c;
}

SequencerConfig read_sequencer(const YamlMap& in) {
  SequencerConfig c;
  c.queue_depth = small_int(in, "queue_depth", 1, 1024);
  c.fetch_buffer_instructions = small_int(in, "fetch_buffer_instructions", 1, 1024);
  c.dispatch_cycles = small_int(in, "dispatch_cycles", c.dispatch_cycles, 1, 1000);
  c.program_memory =
      in.get_choice<ProgramMemory>("program_memory", c.program_memory, kProgramMemories);
  return c;
}

InterconnectConfig read_interconnect(const YamlMap& in) {
  InterconnectConfig c;
  c.bytes_per_cycle = small_int(in, "bytes_per_cycle", 1, kMaxWidthBytes);
  c.latency_cycles = small_int(in, "latency_cycles", 0, kMaxLatencyCycles);
  c.max_outstanding_reads =
      small_int(in, "max_outstanding_reads", c.max_outstanding_reads, 0, kMaxReads);
  return c;
}

}  // namespace npu
