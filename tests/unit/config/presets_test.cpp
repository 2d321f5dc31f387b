#include <algorithm>
#include <filesystem>
#include <set>
#include <string>

#include "tests/unit/config/config_text.h"

namespace npu {
namespace {

TEST(Presets, AllLoadUnderTheirName) {
  const std::vector<std::string> files = yaml_files("npu");
  EXPECT_GE(files.size(), 6U);
  std::set<std::string> fingerprints;
  for (const std::string& file : files) {
    SCOPED_TRACE(file);
    const NpuConfig c = load_npu_config(file);
    EXPECT_EQ(c.name, std::filesystem::path(file).stem().string());
    EXPECT_FALSE(c.description.empty());
    EXPECT_TRUE(fingerprints.insert(c.fingerprint()).second);
    EXPECT_EQ(c.energy.events.size(), kEnergyEventKeys.size());
    for (const EnergyRow& row : c.energy.events) {
      // Only what a device does not have (rows and refresh of an SRAM) costs nothing.
      EXPECT_TRUE(row.picojoules > 0 || row.source == "assumed: none in an SRAM") << row.source;
    }
  }
}

TEST(Presets, MemoriesFeedTheArrays) {
  for (const std::string& file : yaml_files("npu")) {
    SCOPED_TRACE(file);
    const NpuConfig c = load_npu_config(file);
    const auto bandwidth = [](const SramConfig& s) { return s.banks * s.port_width_bytes; };
    EXPECT_GE(bandwidth(c.scratchpad),
              c.mac_array.rows * c.mac_array.pixels + c.mac_array.weight_load_bytes_per_cycle);
    EXPECT_GE(bandwidth(c.accumulator), c.mac_array.cols * c.mac_array.pixels * 4);
  }
}

TEST(Presets, AllDevicesAndTablesLoad) {
  EXPECT_GE(yaml_files("dram").size(), 6U);
  for (const std::string& file : yaml_files("dram")) {
    SCOPED_TRACE(file);
    std::vector<ConfigSource> sources;
    EXPECT_GT(read_dram_device(YamlMap::from_file(file), sources).peak_bytes_per_second(), 1e9);
    EXPECT_FALSE(sources.empty());
  }
  for (const std::string& file : yaml_files("energy")) {
    SCOPED_TRACE(file);
    EXPECT_FALSE(read_energy_table(YamlMap::from_file(file)).technology.empty());
  }
}

}  // namespace
}  // namespace npu
