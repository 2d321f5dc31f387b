#include "sim/publish/run_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string_view>

#include "sim/base/error.h"
#include "sim/publish/page_data.h"
#include "sim/publish/tables.h"
#include "sim/report/writers.h"

namespace npu::publish {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

/// A run of two layers with 10 cycles each, as the writers of sim/report make its files.
report::Report example() {
  report::Report r;
  r.config_name = "edge";
  r.model_name = "net|1.tflite";
  r.provenance = {{"npusim", "npusim 0.1.0"}};
  r.notes = {"a note"};
  r.clock_period_ps = 1000;
  r.peak_macs_per_cycle = 16;
  r.peaks = {.macs_per_cycle = {{"int8", 16}},
             .bytes_per_cycle = {{"dram", 4}},
             .capacity_bytes = {{"scratchpad", 1024}}};
  r.stats.total_cycles = r.stats.simulated_cycles = 20;
  r.stats.run_cycles = {20};
  r.macs_per_inference = 160;
  for (std::uint64_t i = 0; i < 2; ++i) {
    report::LayerRow row;
    row.name = "CONV_2D #" + std::to_string(i);
    row.macs = 80;
    row.stats.begin_cycle = 10 * i;
    row.stats.end_cycle = 10 * i + 10;
    row.stats.mac_busy_cycles = 8;
    row.energy_pj = 50;
    row.component_pj = {{"mac_array", 30.0}, {"dram", 20.0}};
    r.layers.push_back(std::move(row));
  }
  r.ledger.rows = {{"mac_array", "mac_int8", 160, 0.5, 80, SourceClass::kPublished, "a paper"},
                   {"dram", "leakage", 20, 1, 20, SourceClass::kAssumed, "a guess"}};
  UnitStats unit;
  unit.name = "mac_array";
  unit.timeline.advance(Bucket::kBusy, 20);
  r.stats.units = {unit};
  r.stats.tracks = {"mac_array"};
  r.stats.spans = {{0, 0, 0, 8}, {0, 1, 10, 18}};
  r.stats.power_components = {"mac_array"};
  r.stats.power = {{0, 20, {0.5}}};
  r.instructions = {{"mac.conv", "CONV_2D #0"}, {"mac.conv", "CONV_2D #1"}};
  return r;
}

class RunFolderTest : public ::testing::Test {
 protected:
  RunFolderTest() {
    folder_ = fs::path(::testing::TempDir()) /
              ::testing::UnitTest::GetInstance()->current_test_info()->name();
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    const report::Report r = example();
    put("summary.json", report::summary_json(r));
    put("layers.csv", report::layers_csv(r));
    put("energy.csv", report::energy_csv(r));
    put("trace.json", report::trace_json(r));
  }
  ~RunFolderTest() override { fs::remove_all(folder_); }

  void put(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name, std::ios::binary) << text;
  }
  [[nodiscard]] std::string get(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void replace(const std::string& name, const std::string& from, const std::string& to) const {
    std::string text = get(name);
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos);
    put(name, text.replace(at, from.size(), to));
  }
  /// Without the path of the folder.
  [[nodiscard]] std::string error() const {
    try {
      (void)read_run_folder(folder_.string());
    } catch (const Error& error) {
      std::string text = error.what();
      const std::string prefix = folder_.string();
      if (text.starts_with(prefix)) text.erase(0, prefix.size());
      return text;
    }
    return "no error";
  }

  fs::path folder_;
};

TEST_F(RunFolderTest, ReadsWhatTheWritersWrite) {
  const RunFolder run = read_run_folder(folder_.string() + "/");
  EXPECT_EQ(run.name, "ReadsWhatTheWritersWrite");
  EXPECT_EQ(run.summary.config, "edge");
  EXPECT_EQ(run.summary.peaks.macs.at(0).per_cycle, 16);
  EXPECT_EQ(run.summary.peaks.capacities.at(0).bytes, 1024U);
  EXPECT_EQ(run.summary.units.at(0).buckets.at(0).name, "busy");
  EXPECT_DOUBLE_EQ(run.summary.figures[0], 20e-6);
  ASSERT_EQ(run.layers.size(), 2U);
  EXPECT_EQ(run.layers[1].name, "CONV_2D #1");
  EXPECT_EQ(run.layers[1].cycles, 10U);
  EXPECT_THAT(run.components, ::testing::ElementsAre("mac_array", "dram"));
  EXPECT_THAT(run.layers[1].component_pj, ::testing::ElementsAre(30, 20));
  EXPECT_EQ(run.energy.at(1).source, "a guess");
  EXPECT_EQ(run.trace.tracks.at(0).spans.size(), 2U);
  EXPECT_EQ(run.trace.power.at(0).watts, std::vector<double>{0.5});
  EXPECT_THAT(run.memory.absent, HasSubstr("no mapping.yaml"));
  EXPECT_THAT(run.path.absent, HasSubstr("no critical_path.csv"));
  EXPECT_EQ(run.configuration.absent, "The run left no config.yaml.");
}

TEST_F(RunFolderTest, ConfigurationFilesInOrder) {
  put("config_dram.yaml", "b");
  put("config.yaml", "a");
  const RunFolder run = read_run_folder(folder_.string());
  ASSERT_EQ(run.configuration.value->size(), 2U);
  EXPECT_EQ(run.configuration.value->at(0).text, "a");
  EXPECT_EQ(run.configuration.value->at(1).name, "config_dram.yaml");
  for (int i = 0; i < 15; ++i) put("config" + std::to_string(i) + ".yaml", "");
  EXPECT_EQ(error(), ": more than 16 files config*.yaml");
}

TEST_F(RunFolderTest, FoldersOfOneNameAreToldApart) {
  const std::vector<RunFolder> runs = read_run_folders({folder_.string(), folder_.string()});
  EXPECT_EQ(runs.at(0).name, "FoldersOfOneNameAreToldApart");
  EXPECT_EQ(runs.at(1).name, "FoldersOfOneNameAreToldApart (2)");
}

TEST_F(RunFolderTest, NamesTheFileThatIsMissing) {
  for (const char* name : {"summary.json", "layers.csv", "energy.csv", "trace.json"}) {
    const std::string text = get(name);
    fs::remove(folder_ / name);
    EXPECT_EQ(error(), std::string(": the folder has no ") + name +
                           ": it is not one that `npusim run --out` wrote");
    put(name, text);
  }
  EXPECT_EQ(error(), "no error");
}

TEST_F(RunFolderTest, RefusesFiguresOutOfRange) {
  replace("summary.json", "\"total_cycles\": 20", "\"total_cycles\": -20");
  EXPECT_EQ(error(),
            "/summary.json: total_cycles: must be an integer from 0 to "
            "9223372036854775807, got -20");
  put("summary.json", "{}");
  EXPECT_EQ(error(), "/summary.json: config: is missing");
}

TEST_F(RunFolderTest, RefusesLayersOutOfRange) {
  replace("layers.csv", "10,80,", "10,nan,");
  EXPECT_EQ(error(),
            "/layers.csv:2: macs: expected an integer from 0 to 9223372036854775807, got "
            "\"nan\"");
}

TEST_F(RunFolderTest, RefusesEnergyThatDoesNotAddUp) {
  replace("energy.csv", ",80,", ",90,");
  EXPECT_EQ(error(),
            "/energy.csv: its energy sums to 110 pJ, total_energy_pj of summary.json is 100: not "
            "of one run");
}

TEST_F(RunFolderTest, RefusesLayersThatDoNotAddUp) {
  replace("layers.csv", "10,20,10,80", "10,20,11,80");
  EXPECT_EQ(error(),
            "/layers.csv: its layers sum to 21 cycles, the last inference of summary.json has 20: "
            "not of one run");
}

TEST_F(RunFolderTest, InfiniteRatiosAreExact) {
  replace("layers.csv", ",50,,,1,", ",50,0,inf,1,");
  const RunFolder run = read_run_folder(folder_.string());
  EXPECT_TRUE(std::isinf(*run.layers.at(0).sqnr_db));
  EXPECT_EQ(run.layers[0].differing, 0U);
  EXPECT_FALSE(run.layers.at(1).sqnr_db);
  EXPECT_THAT(markdown({run}), HasSubstr("| exact | 0 | 1 |"));
}

TEST_F(RunFolderTest, Markdown) {
  const std::string text = markdown({read_run_folder(folder_.string())});
  EXPECT_THAT(text, StartsWith("# npusim run Markdown\n\n| figure | Markdown |\n| --- | ---: |\n"
                               "| model | net\\|1.tflite |\n"));
  EXPECT_THAT(text, HasSubstr("| latency | 2e-05 ms |\n"));
  EXPECT_THAT(text, HasSubstr("| MAC utilization | 50.0 % |\n"));
  EXPECT_THAT(text, HasSubstr("| latency interval | uncalibrated |\n"));
  EXPECT_THAT(text,
              HasSubstr("\n| CONV_2D #1 | 10 | mac_array | 50.0 | 80 | 0 | 0.05 |  |  | 1 |\n"));
  EXPECT_THAT(text, HasSubstr("\n| mac_array | 0.08 | 80.0 |\n| dram | 0.02 | 20.0 |\n"));
  EXPECT_THAT(text, HasSubstr("\n| published | 0.08 | 80.0 |\n"));
  EXPECT_THAT(text, HasSubstr("The run was not compared with a reference."));
  EXPECT_THAT(text, HasSubstr("\n- a note\n"));
}

TEST_F(RunFolderTest, CsvOfTwoRuns) {
  const std::string text = csv(read_run_folders({folder_.string(), folder_.string()}));
  EXPECT_THAT(text, StartsWith("run,model,config,layer,begin_cycle,"));
  EXPECT_THAT(text, HasSubstr("\nCsvOfTwoRuns,net|1.tflite,edge,CONV_2D #1,10,20,10,80,0.5,"
                              "mac_array,8,0,0,0,0,50,,,1\n"));
  EXPECT_THAT(text, HasSubstr("\nCsvOfTwoRuns (2),"));
}

TEST_F(RunFolderTest, PageData) {
  const std::vector<RunFolder> one = read_run_folders({folder_.string()});
  const nlohmann::json data = page_data(one);
  EXPECT_EQ(data["kind"], "run");
  EXPECT_EQ(data["run"]["layers"][1]["component_pj"], nlohmann::json({30, 20}));
  EXPECT_EQ(data["run"]["timeline"]["tracks"][0]["bars"][1],
            nlohmann::json({10, 8, 8, 1, 1, 2, 1}));
  EXPECT_EQ(data["run"]["accuracy"]["absent"], "The run was not compared with a reference.");
  EXPECT_EQ(page_title(one), "net|1.tflite on edge");
  const std::vector<RunFolder> two = read_run_folders({folder_.string(), folder_.string()});
  EXPECT_EQ(page_data(two)["runs"].size(), 2U);
  EXPECT_EQ(page_data(two)["kind"], "runs");
  EXPECT_EQ(page_title(two), "Comparison of 2 runs");
}

TEST_F(RunFolderTest, AnyFileWithAnyBytesIsReadOrRefused) {
  put("mapping.yaml",
      "layers:\n  - layer: \"CONV_2D #0\"\n    scratchpad:\n"
      "      - {buffer: w, address: 0, slot_bytes: 64, slots: 2}\n"
      "tensors:\n  - {tensors: [1], memory: scratchpad, address: 64, bytes: 9, first_layer: 0, "
      "last_layer: 0}\n");
  constexpr int kMutations = 200;
  constexpr std::string_view kBytes = "0123456789-+.eE\"'{}[]:,\n\\x\xff";
  std::mt19937 random(7);
  int read = 0, refused = 0;
  for (const char* name :
       {"summary.json", "layers.csv", "energy.csv", "trace.json", "mapping.yaml"}) {
    const std::string whole = get(name);
    for (int i = 0; i < kMutations; ++i) {
      std::string text = whole;
      for (int k = 0; k < 1 + i % 3; ++k) {
        const std::size_t at = random() % text.size();
        if (random() % 3 == 0) {
          text.erase(at, 1 + random() % 8);
        } else {
          text[at] = kBytes[random() % kBytes.size()];
        }
      }
      put(name, text);
      try {
        const nlohmann::json data = page_data({read_run_folder(folder_.string())});
        EXPECT_EQ(data["kind"], "run");
        ++read;
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr(folder_.string()));
        ++refused;
      }
    }
    put(name, whole);
  }
  EXPECT_GT(read, 50);
  EXPECT_GT(refused, 200);
}

TEST(RunFolder, NoFolder) { EXPECT_THROW((void)read_run_folder("/no/such/folder"), Error); }

}  // namespace
}  // namespace npu::publish
