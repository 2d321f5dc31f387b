// Damaged configurations of other simulators: an Error with the file's name or an NPU.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "sim/base/error.h"
#include "sim/config/npu_config.h"
#include "sim/interchange/import_config.h"
#include "tests/support/text_mutant.h"

namespace npu::interchange {
namespace {

constexpr const char* kScaleSim =
    "[general]\nrun_name = x\n[architecture_presets]\nArrayHeight: 32\nArrayWidth: 32\n"
    "IfmapSramSzkB: 64\nFilterSramSzkB: 64\nOfmapSramSzkB: 64\nIfmapOffset: 0\nBandwidth : 10\n"
    "Dataflow : ws\n[sparsity]\nSparsitySupport : false\n[run_presets]\nInterfaceBandwidth: USER\n";
constexpr const char* kOnnxim =
    "{\"num_cores\": 4, \"core_type\": \"systolic_ws\", \"core_freq\": 1000, \"core_width\": 8,\n"
    "\"core_height\": 8, \"spad_size\": 64, \"accum_spad_size\": 16, \"vector_process_bit\": 32,\n"
    "\"dram_type\": \"simple\", \"dram_freq\": 1600, \"dram_channels\": 2, \"dram_req_size\": 16,\n"
    "\"icnt_type\": \"simple\", \"icnt_freq\": 2000, \"precision\": 2, \"partition\": {\"core_0\": "
    "0}}";

/// What these files know.
std::vector<std::string> inserts() {
  return {"[",
          "{",
          "]",
          "}",
          "=",
          ":",
          "\n",
          "\"",
          "\\",
          "\\u0000",
          "99999999999999999999",
          "-1",
          "1e99",
          "[[s",
          "\r",
          "\t ",
          std::string(1, '\0'),
          "\xff\xfe",
          "null",
          "0",
          std::string(3000, '[')};
}

template <typename Import>
void feed(const char* good, const char* file, const Import& import) {
  const std::string beside = std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/imported.yaml";
  const std::vector<std::string> known = inserts();
  std::mt19937 random(7);
  int refused = 0;
  constexpr int kMutants = 3000;
  for (int i = 0; i < kMutants; ++i) {
    try {
      const ImportedConfig imported = import(test::text_mutant(good, known, random), file);
      EXPECT_FALSE(imported.notes.empty());
      // What the importer takes, the configuration takes, but for memories that are too small.
      EXPECT_GT(parse_npu_config(imported.yaml, beside).mac_array.rows, 0);
    } catch (const Error& error) {
      ++refused;
      const std::string text = error.what();
      EXPECT_TRUE(text.starts_with(file) || text.find("capacity_bytes") != std::string::npos)
          << text;
    }
  }
  EXPECT_GT(refused, kMutants / 4);
  EXPECT_LT(refused, kMutants);
}

TEST(InterchangeFuzz, DamagedScaleSimConfigurations) {
  feed(kScaleSim, "a.cfg", import_scalesim_config);
}

TEST(InterchangeFuzz, DamagedOnnximConfigurations) {
  feed(kOnnxim, "a.json", import_onnxim_config);
}

}  // namespace
}  // namespace npu::interchange
