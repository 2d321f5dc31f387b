#include "sim/interchange/import_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "sim/base/error.h"
#include "sim/config/npu_config.h"

namespace npu::interchange {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kScaleSim = R"([general]
run_name = a run/32x16
[architecture_presets]
ArrayHeight:    32
ArrayWidth:     16
IfmapSramSzkB:   64
FilterSramSzkB:  32
OfmapSramSzkB:   8
IfmapOffset:    0
Dataflow : os
Bandwidth : 10
[run_presets]
InterfaceBandwidth: USER
)";

constexpr const char* kOnnxim = R"({
  "num_cores": 1, "core_type": "systolic_ws", "core_freq": 500, "core_width": 8, "core_height": 16,
  "spad_size": 64, "accum_spad_size": 16,
  "vector_process_bit": 256, "add_latency": 3, "mul_latency": 4,
  "dram_type": "ramulator", "dram_freq": 1200, "dram_channels": 2, "dram_req_size": 32,
  "dram_config_path": "x/HBM-config.cfg",
  "icnt_type": "simple", "icnt_latency": 7, "icnt_freq": 2000,
  "precision": 2, "layout": "NHWC"
})";

NpuConfig parsed(const ImportedConfig& imported) {
  return parse_npu_config(imported.yaml,
                          std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/imported.yaml");
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string scalesim_error(const std::string& from, const std::string& to) {
  return message_of([&] { (void)import_scalesim_config(replaced(kScaleSim, from, to), "a.cfg"); });
}
std::string onnxim_error(const std::string& from, const std::string& to) {
  return message_of([&] { (void)import_onnxim_config(replaced(kOnnxim, from, to), "a.json"); });
}

TEST(ScaleSimConfig, ArrayMemoriesAndBandwidth) {
  const ImportedConfig imported = import_scalesim_config(kScaleSim, "dir/a.cfg");
  const NpuConfig c = parsed(imported);
  EXPECT_EQ(c.name, "a_run_32x16");
  EXPECT_EQ(c.mac_array.rows, 32);
  EXPECT_EQ(c.mac_array.cols, 16);
  EXPECT_EQ(c.mac_array.dataflow, Dataflow::kOutputStationary);
  EXPECT_FALSE(c.mac_array.double_buffered_weights);
  EXPECT_EQ(c.scratchpad.capacity_bytes, 96 * 1024);
  EXPECT_EQ(c.accumulator.capacity_bytes, 8 * 1024 * 4);
  EXPECT_EQ(c.dram.kind, DramKind::kFixedLatency);
  // 20 bytes per cycle in, 10 out.
  EXPECT_NEAR(c.dram.peak_bytes_per_second(), 20e9, 0.01e9);
  EXPECT_EQ(c.dram.fixed_latency.write_clocks_per_256_beats, 1638);
  for (const ConfigSource& source : c.sources) EXPECT_FALSE(source.text.empty());
  EXPECT_THAT(imported.yaml, HasSubstr("imported from a.cfg (SCALE-Sim)"));
}

TEST(ScaleSimConfig, EveryKeyThatIsNotTakenOverHasALine) {
  const ImportedConfig imported = import_scalesim_config(
      std::string(kScaleSim) + "[layout]\nIfmapSRAMBankNum: 10\nIfmapSramBankPrt: 2\n", "a.cfg");
  EXPECT_THAT(imported.notes,
              Contains("a.cfg:9: architecture_presets.IfmapOffset: dropped: addresses are the "
                       "compiler's here"));
  EXPECT_THAT(imported.notes, Contains("a.cfg:15: layout.IfmapSRAMBankNum: dropped: used there "
                                       "with a custom layout only"));
  EXPECT_THAT(imported.notes,
              Contains(AllOf(HasSubstr("a.cfg:16: layout.IfmapSramBankPrt: dropped: the key is not "
                                       "known (did you mean `layout.IfmapSRAMBank"))));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("a.cfg:11: architecture_presets.Bandwidth: "
                                                 "approximated: one stream of 20 bytes")));
  EXPECT_THAT(imported.notes, Not(Contains(HasSubstr("ArrayHeight"))));
}

TEST(ScaleSimConfig, VersionThreeHasTheReadsBandwidthAtTheBanks) {
  const NpuConfig c = parsed(import_scalesim_config(
      std::string(kScaleSim) +
          "[layout]\nIfmapSRAMBankBandwidth: 100\nFilterSRAMBankBandwidth: 28\n",
      "a.cfg"));
  EXPECT_NEAR(c.dram.peak_bytes_per_second(), 128e9, 0.01e9);
}

TEST(ScaleSimConfig, CalculatedBandwidthIsAMemoryThatDoesNotStall) {
  const ImportedConfig imported =
      import_scalesim_config(replaced(kScaleSim, "USER", "CALC"), "a.cfg");
  const NpuConfig c = parsed(imported);
  EXPECT_EQ(c.dram.kind, DramKind::kJedec);
  EXPECT_GE(c.dram.peak_bytes_per_second(), 1e12);
  EXPECT_EQ(c.dram.refresh, RefreshPolicy::kNone);
  EXPECT_THAT(imported.notes, Contains(HasSubstr("Bandwidth: dropped: used there with")));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("InterfaceBandwidth: approximated")));
}

TEST(ScaleSimConfig, VersionOneWritesSizesWithoutUnit) {
  std::string text = replaced(kScaleSim, "IfmapSramSzkB", "IfmapSramSz");
  text = replaced(text, "FilterSramSzkB", "FilterSramSz");
  text = replaced(text, "OfmapSramSzkB", "OfmapSramSz");
  EXPECT_EQ(parsed(import_scalesim_config(text, "a.cfg")).scratchpad.capacity_bytes, 96 * 1024);
}

TEST(ScaleSimConfig, WrongValuesAreRefused) {
  EXPECT_EQ(scalesim_error("ArrayHeight:    32", "ArrayHeight: 0"),
            "a.cfg:4: architecture_presets.ArrayHeight: must be an integer from 1 to 1024, got 0");
  EXPECT_EQ(scalesim_error("ArrayHeight", "ArrayHeigt"),
            "a.cfg: architecture_presets.ArrayHeight: is missing (did you mean "
            "`architecture_presets.ArrayHeigt`?)");
  EXPECT_EQ(scalesim_error(": os", ": rs"),
            "a.cfg:10: architecture_presets.Dataflow: must be one of ws, os, is, got rs");
  EXPECT_EQ(scalesim_error("FilterSramSzkB:  32", "FilterSramSzkB: 262144"),
            "a.cfg:7: architecture_presets.FilterSramSzkB: makes 262208 KiB with the ifmap's, must "
            "be 4 to 262144");
  EXPECT_EQ(scalesim_error("USER", "MAYBE"),
            "a.cfg:13: run_presets.InterfaceBandwidth: must be one of CALC, USER, got MAYBE");
  EXPECT_EQ(scalesim_error("Bandwidth : 10", "Bandwidth : x,3"),
            "a.cfg:11: architecture_presets.Bandwidth: must be an integer from 1 to 1048576, got "
            "x");
}

TEST(OnnximConfig, CoreMemoriesAndDram) {
  const ImportedConfig imported = import_onnxim_config(kOnnxim, "a.json");
  const NpuConfig c = parsed(imported);
  EXPECT_EQ(c.name, "a");
  EXPECT_EQ(c.clock.frequency_mhz, 500);
  EXPECT_EQ(c.mac_array.rows, 16);
  EXPECT_EQ(c.mac_array.cols, 8);
  EXPECT_TRUE(c.mac_array.double_buffered_weights);
  EXPECT_EQ(c.scratchpad.capacity_bytes, 64 * 1024);
  EXPECT_EQ(c.accumulator.capacity_bytes, 16 * 1024 / 2 * 4);
  EXPECT_EQ(c.vector_unit.lanes, 16);
  EXPECT_EQ(c.vector_unit.latency_cycles, 3);
  EXPECT_EQ(c.interconnect.latency_cycles, 2);  // 7 cycles at 2000 MHz at 500.
  EXPECT_EQ(c.dram.clock_mhz, 1200);
  EXPECT_EQ(c.dram.channels, 2);
  EXPECT_THAT(c.dram.device, HasSubstr("HBM2"));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("a.json:4: mul_latency: dropped")));
  EXPECT_THAT(imported.notes, Contains("a.json:8: layout: dropped: the layout is the compiler's "
                                       "here"));
  EXPECT_THAT(imported.notes, Contains(HasSubstr("a.json:6: dram_config_path: approximated")));
}

TEST(OnnximConfig, SimpleDramIsAFixedLatency) {
  const ImportedConfig imported =
      import_onnxim_config(replaced(replaced(kOnnxim, "ramulator", "simple"), "\"precision\"",
                                    "\"dram_latency\": 10, \"precision\""),
                           "a.json");
  const NpuConfig c = parsed(imported);
  EXPECT_EQ(c.dram.kind, DramKind::kFixedLatency);
  EXPECT_EQ(c.dram.fixed_latency.read_latency_clocks, 10);
  EXPECT_NEAR(c.dram.peak_bytes_per_second(), 2 * 32 * 1200e6, 1);
}

TEST(OnnximConfig, SeveralCoresBecomeOne) {
  const ImportedConfig imported = import_onnxim_config(
      replaced(replaced(kOnnxim, "\"num_cores\": 1", "\"num_cores\": 4"), "\"precision\"",
               "\"partition\": {\"core_0\": 0}, \"precision\""),
      "a.json");
  EXPECT_THAT(imported.notes, Contains("a.json:2: num_cores: approximated: one core here, with all "
                                       "of the memory's width"));
  EXPECT_THAT(imported.notes,
              Contains("a.json:8: partition.core_0: approximated: one core here: no partitions"));
}

TEST(OnnximConfig, WrongValuesAreRefused) {
  EXPECT_EQ(onnxim_error("systolic_ws", "stonne"),
            "a.json:2: core_type: must be one of systolic_ws, systolic_os, got stonne");
  EXPECT_EQ(onnxim_error("\"spad_size\": 64", "\"spad_size\": \"64\""),
            "a.json:3: spad_size: must be an integer from 4 to 262144, got 64");
  EXPECT_EQ(onnxim_error("\"dram_channels\": 2", "\"dram_channels\": 3"),
            "a.json:5: dram_channels: must be a power of two with Ramulator, got 3");
  EXPECT_EQ(onnxim_error("\"ramulator\", \"dram_freq\": 1200, \"dram_channels\": 2, "
                         "\"dram_req_size\": 32",
                         "\"simple\", \"dram_freq\": 1200, \"dram_channels\": 2, "
                         "\"dram_req_size\": 33"),
            "a.json:5: dram_req_size: must be a power of two, got 33");
}

TEST(ImportConfig, KnowsFilesByTheirEnds) {
  EXPECT_TRUE(is_importable("a/b.cfg"));
  EXPECT_TRUE(is_importable("b.json"));
  EXPECT_FALSE(is_importable("b.yaml"));
  EXPECT_EQ(message_of([] { (void)import_config("b.yaml"); }),
            "b.yaml: must be a SCALE-Sim configuration (.cfg) or one of ONNXim (.json)");
}

}  // namespace
}  // namespace npu::interchange
