// Damaged configuration files: an Error or a configuration, never anything else.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/file.h"
#include "sim/config/sections.h"
#include "tests/support/text_mutant.h"

namespace npu {
namespace {

constexpr int kMutantsPerFile = 150;

std::vector<std::filesystem::path> files_of(const std::string& folder) {
  std::vector<std::filesystem::path> files;
  const std::string root = std::string(NPUSIM_SOURCE_DIR) + "/configs/" + folder;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Feeds mutants of every file of a folder to `load`; returns how many were refused.
int refused(const std::string& folder, int& tried,
            const std::function<void(const std::string& text, const std::string& path)>& load) {
  std::mt19937 random(20240229);
  int errors = 0;
  for (const std::filesystem::path& path : files_of(folder)) {
    const std::string good = read_file(path.string(), YamlMap::kMaxFileBytes);
    load(good, path.string());
    for (int i = 0; i < kMutantsPerFile; ++i, ++tried) {
      const std::string bad = test::yaml_mutant(good, random);
      try {
        load(bad, path.string());
      } catch (const Error& error) {
        ++errors;
        EXPECT_NE(std::string(error.what()).find(".yaml"), std::string::npos) << error.what();
      }
    }
  }
  return errors;
}

TEST(YamlFuzz, DamagedConfigurationsGiveAnErrorOrLoad) {
  int tried = 0;
  const int npus = refused("npu", tried, [](const std::string& text, const std::string& path) {
    const NpuConfig config = parse_npu_config(text, path);
    EXPECT_FALSE(describe(config).empty());
  });
  const int drams = refused("dram", tried, [](const std::string& text, const std::string& path) {
    std::vector<ConfigSource> sources;
    EXPECT_GT(read_dram_device(YamlMap::from_text(text, path), sources).capacity_bytes(), 0);
  });
  const int tables = refused("energy", tried, [](const std::string& text, const std::string& path) {
    const EnergyConfig table = read_energy_table(YamlMap::from_text(text, path));
    EXPECT_EQ(table.events.size(), kEnergyEventKeys.size());
  });
  EXPECT_GE(tried, 2000);
  EXPECT_GT(npus, tried / 8);
  EXPECT_GT(drams, tried / 8);
  EXPECT_GT(tables, tried / 8);
}

}  // namespace
}  // namespace npu
