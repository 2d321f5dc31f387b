#include <array>
#include <string>

#include "tests/unit/config/config_text.h"

namespace npu {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

TEST(NpuConfig, ReadsEveryValueOfTheDefault) {
  const NpuConfig c = load_npu_config(configs_folder() + "npu/edge.yaml");
  EXPECT_EQ(c.name, "edge");
  EXPECT_EQ(c.clock.period_ps(), 1250);
  EXPECT_EQ(c.mac_array.kind, ArrayKind::kSystolic);
  EXPECT_EQ(c.mac_array.dataflow, Dataflow::kWeightStationary);
  EXPECT_EQ(c.mac_array.macs_per_cycle(), 1024);
  EXPECT_TRUE(c.mac_array.double_buffered_weights);
  EXPECT_EQ(c.scratchpad.capacity_bytes, 524288);
  EXPECT_EQ(c.scratchpad.banks, 16);
  EXPECT_EQ(c.scratchpad.ports, 2);
  EXPECT_EQ(c.accumulator.capacity_bytes, 131072);
  EXPECT_EQ(c.accumulator.latency_cycles, 1);
  EXPECT_EQ(c.vector_unit.lanes, 32);
  EXPECT_DOUBLE_EQ(c.vector_unit.softmax_cycles, 8);
  EXPECT_EQ(c.vector_unit.rounding, Rounding::kTfliteDouble);
  EXPECT_EQ(c.dma.channels, 4);
  EXPECT_EQ(c.dma.max_burst_bytes, 256);
  EXPECT_EQ(c.sequencer.queue_depth, 16);
  EXPECT_EQ(c.interconnect.bytes_per_cycle, 32);
  EXPECT_EQ(c.dram.channels, 2);
  EXPECT_EQ(c.dram.tRCD, 29);
  EXPECT_EQ(c.dram.burst_bytes(), 32);
  EXPECT_EQ(c.dram.capacity_bytes(), std::int64_t{2} << 30);
  EXPECT_DOUBLE_EQ(c.dram.peak_bytes_per_second(), 12.8e9);
  EXPECT_EQ(c.energy.technology, "7 nm");
  EXPECT_EQ(c.energy.events.size(), kEnergyEventKeys.size());
  EXPECT_EQ(c.energy.window_cycles, 1000);
}

TEST(NpuConfig, PeriodIsRoundedToPicoseconds) {
  EXPECT_EQ(ClockConfig{.frequency_mhz = 700}.period_ps(), 1429);
  EXPECT_EQ(ClockConfig{.frequency_mhz = 1000}.period_ps(), 1000);
  EXPECT_EQ(ClockConfig{.frequency_mhz = 3000}.period_ps(), 333);
}

TEST(NpuConfig, DefaultsOfAbsentKeys) {
  std::string text = text_of("npu/edge.yaml");
  text = replaced(text, "mac_array", "  double_buffered_weights: true\n", "");
  text = replaced(text, "mac_array", "  int16_cycles: 2\n", "");
  text = replaced(text, "vector_unit", "  pool_tap_cycles: 1\n", "");
  text = replaced(text, "vector_unit", "  requantize: {rounding: tflite_double}\n", "");
  text = replaced(text, "energy", "  window_cycles: 1000\n", "");
  const NpuConfig c = parse_edge(text);
  EXPECT_EQ(c.mac_array.int16_cycles, 2);
  EXPECT_EQ(c.energy.window_cycles, 1000);
  EXPECT_EQ(c.fingerprint(), load_npu_config(configs_folder() + "npu/edge.yaml").fingerprint());
}

TEST(NpuConfig, MessagesStartWithThePlace) {
  EXPECT_THAT(edge_error("mac_array", "rows: 32", "rows: 0"),
              MatchesRegex(".*/test\\.yaml:[0-9]+:9: mac_array\\.rows: must be 1 to 1024, got 0"));
  EXPECT_THAT(edge_error("mac_array", "rows: 32", "rosw: 32"),
              HasSubstr("mac_array.rows: must be given, got nothing; is `rosw` in line "));
  EXPECT_THAT(edge_error("mac_array", "pipeline_latency_cycles: 2", "pipeline_latency_cycle: 2"),
              MatchesRegex(".*:3: mac_array\\.pipeline_latency_cycle: unknown key \\(did you mean "
                           "`pipeline_latency_cycles`\\?\\)"));
}

TEST(NpuConfig, RefusesMissingAndUnknownSections) {
  EXPECT_THAT(edge_error("", "\ndma:\n", "\ndmaa:\n"),
              HasSubstr("dma: must be given, got nothing; is `dmaa` in line"));
  EXPECT_THAT(edge_error("", "\nname: edge\n", "\n"), HasSubstr("name: must be given"));
  EXPECT_THAT(edge_error("", "\nname: edge\n", "\nname: edge\nl2: 3\n"),
              HasSubstr("l2: unknown key"));
  EXPECT_THAT(error_of([] { (void)load_npu_config("/no/such.yaml"); }),
              HasSubstr("/no/such.yaml: no such file"));
}

TEST(NpuConfig, EverySectionNeedsASource) {
  for (const char* const section :
       {"clock", "mac_array", "scratchpad", "accumulator", "vector_unit", "dma", "sequencer",
        "interconnect", "dram", "energy"}) {
    EXPECT_THAT(edge_error(section, "  source:", "  origin:"),
                HasSubstr(std::string(section) + ".source: must be given, got nothing"));
  }
  EXPECT_THAT(
      edge_error("dma", "  channels:", "  sources: {chanels: x}\n  channels:"),
      HasSubstr("dma.sources.chanels: must name a key of this section, got chanels (did you "
                "mean `channels`?)"));
  EXPECT_THAT(edge_error("dma", "  channels:", "  sources: {channels: 1, dma: x}\n  channels:"),
              HasSubstr("dma.sources.dma: must name a key of this section, got dma"));
  const NpuConfig c =
      parse_edge(replaced(text_of("npu/edge.yaml"), "dma",
                          "  channels:", "  sources: {channels: a guess}\n  channels:"));
  const bool found = std::any_of(c.sources.begin(), c.sources.end(), [](const ConfigSource& s) {
    return s.section == "dma" && s.key == "channels" && s.text == "a guess";
  });
  EXPECT_TRUE(found);
}

struct Bad {
  const char* section;
  const char* from;
  const char* to;
  const char* message;
};

const auto kBad = std::to_array<Bad>(
    {{"clock", "mhz: 800", "mhz: 0.5", "clock.frequency_mhz: must be 1 to 5000, got 0.5"},
     {"clock", "mhz: 800", "mhz: 5001", "must be 1 to 5000, got 5001"},
     {"mac_array", "kind: systolic", "kind: sistolic",
      "must be one of systolic, dot_product, got sistolic (did you mean `systolic`?)"},
     {"mac_array", "weight_stationary", "ws",
      "one of weight_stationary, output_stationary, input_stationary, got ws"},
     {"mac_array", "cols: 32", "cols: 1025", "mac_array.cols: must be 1 to 1024, got 1025"},
     {"mac_array", "cols: 32", "cols: 32\n  pixels: 2",
      "mac_array.pixels: must be 1 for a systolic array, got 2"},
     {"mac_array", "kind: systolic", "kind: dot_product\n  pixels: 65", "must be 1 to 64, got 65"},
     {"mac_array", "per_cycle: 32", "per_cycle: 0", "must be 1 to 65536, got 0"},
     {"mac_array", "latency_cycles: 2", "latency_cycles: -1", "must be 0 to 10000, got -1"},
     {"mac_array", "int16_cycles: 2", "int16_cycles: 17", "must be 1 to 16, got 17"},
     {"mac_array", "int16_cycles: 2", "int16_cycles: 2\n  stripe_positions: 16",
      "mac_array.stripe_positions: must be 0 unless the array is dot_product, weight_stationary, "
      "with pixels 1 and double_buffered_weights, got 16"},
     {"mac_array", "int16_cycles: 2", "int16_cycles: 2\n  result_stream_entries: 8",
      "mac_array.result_stream_entries: must be 0 or hold a stripe of stripe_positions = 0 (above "
      "0), got 8"},
     {"mac_array", "weights: true", "weights: 1", "must be true or false, got 1"},
     {"scratchpad", "524288", "4095", "must be 4096 to 268435456, got 4095"},
     {"scratchpad", "524288", "268435457", "must be 4096 to 268435456, got 268435457"},
     {"scratchpad", "524288", "524289",
      "scratchpad.capacity_bytes: must be a multiple of banks x port_width_bytes = 256, got "
      "524289"},
     {"scratchpad", "banks: 16", "banks: 1025", "must be 1 to 1024, got 1025"},
     {"scratchpad", "width_bytes: 16", "width_bytes: 4097", "must be 1 to 4096, got 4097"},
     {"scratchpad", "ports: 2", "ports: 3", "must be 1 to 2, got 3"},
     {"scratchpad", "latency_cycles: 2", "latency_cycles: 0", "must be 1 to 10000, got 0"},
     {"scratchpad", "interleave: word", "interleave: bytes",
      "must be one of word, block, got bytes"},
     {"accumulator", "131072", "0", "must be 64 to 268435456, got 0"},
     {"vector_unit", "lanes: 32", "lanes: 4097", "must be 1 to 4096, got 4097"},
     {"vector_unit", "latency_cycles: 8", "latency_cycles: 10001", "must be 0 to 10000"},
     {"vector_unit", "lut_cycles: 1", "lut_cycles: 0", "must be 0.015625 to 1024, got 0"},
     {"vector_unit", "softmax_cycles: 8", "softmax_cycles: 1025", "1024, got 1025"},
     {"vector_unit", "tflite_double", "nearest",
      "vector_unit.requantize.rounding: must be one of tflite_double, tflite_single, "
      "float_rne, got nearest"},
     {"vector_unit", "{rounding: tflite_double}", "{rounding: float_rne, shift: 3}",
      "vector_unit.requantize.shift: unknown key"},
     {"dma", "channels: 4", "channels: 1", "dma.channels: must be 2 to 6, got 1"},
     {"dma", "channels: 4", "channels: 7", "dma.channels: must be 2 to 6, got 7"},
     {"dma", "width_bytes: 16", "width_bytes: 0", "must be 1 to 4096, got 0"},
     {"dma", "outstanding: 16", "outstanding: 1025", "must be 1 to 1024, got 1025"},
     {"dma", "burst_bytes: 256", "burst_bytes: 96", "must be a power of two, got 96"},
     {"dma", "burst_bytes: 256", "burst_bytes: 8192", "must be 1 to 4096, got 8192"},
     {"dma", "setup_cycles: 16", "setup_cycles: -3", "must be 0 to 10000, got -3"},
     {"sequencer", "depth: 16", "depth: 0", "queue_depth: must be 1 to 1024, got 0"},
     {"sequencer", "depth: 16", "depth: 1025", "queue_depth: must be 1 to 1024, got 1025"},
     {"sequencer", "instructions: 16", "instructions: 0", "must be 1 to 1024, got 0"},
     {"sequencer", "dispatch_cycles: 1", "dispatch_cycles: 0", "must be 1 to 1000, got 0"},
     {"interconnect", "per_cycle: 32", "per_cycle: 0", "must be 1 to 65536, got 0"},
     {"interconnect", "latency_cycles: 10", "latency_cycles: 10001", "must be 0 to 10000"},
     {"energy", "window_cycles: 1000", "window_cycles: 0", "must be 1 to 1000000000, got 0"},
     {"energy", "edge_7nm", "none", "energy.table: must name a readable file, got "},
     {"energy", "../energy/edge_7nm.yaml", "..", "not a regular file"}});

TEST(NpuConfig, RefusesValuesOutOfRange) {
  for (const Bad& bad : kBad) {
    EXPECT_THAT(edge_error(bad.section, bad.from, bad.to), HasSubstr(bad.message));
  }
}

TEST(NpuConfig, ScratchpadHoldsTheOperandsOfOneArray) {
  std::string text = replaced(text_of("npu/edge.yaml"), "scratchpad", "524288", "4096");
  EXPECT_EQ(parse_edge(text).scratchpad.capacity_bytes, 4096);
  text = replaced(text, "mac_array", "rows: 32", "rows: 128");
  EXPECT_THAT(error_of([&] { (void)parse_edge(text); }),
              HasSubstr("scratchpad.capacity_bytes: must hold one array's weights, inputs and "
                        "results = 4608 bytes, got 4096"));
}

TEST(NpuConfig, AccumulatorHoldsOneResultPerOutput) {
  std::string text = replaced(text_of("npu/edge.yaml"), "accumulator", "131072", "256");
  EXPECT_EQ(parse_edge(text).accumulator.capacity_bytes, 256);
  text = replaced(text, "mac_array", "cols: 32", "cols: 33");
  EXPECT_THAT(error_of([&] { (void)parse_edge(text); }),
              HasSubstr("accumulator.capacity_bytes: must hold one 8-byte result of each of cols x "
                        "pixels = 264 bytes, got 256"));
}

}  // namespace
}  // namespace npu
