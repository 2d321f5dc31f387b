// Cycles, DRAM bytes and energy of the digits model on every preset, exactly as committed. A change
// needs its reason in the commit that brings it; NPUSIM_UPDATE=1 writes the file anew.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/lowering/compile.h"
#include "tests/support/simulate.h"
#include "workloads/importers/tflite.h"
#include "workloads/passes/passes.h"

namespace npu::test {
namespace {

std::string source(const std::string& path) { return std::string(NPUSIM_SOURCE_DIR) + "/" + path; }

nlohmann::json measure() {
  graph::Graph graph = importers::load_tflite(source("workloads/models/digits/digits_int8.tflite"));
  passes::fuse(graph);
  nlohmann::json all = nlohmann::json::object();
  for (const auto& entry : std::filesystem::directory_iterator(source("configs/npu"))) {
    if (entry.path().extension() != ".yaml") continue;  // Folders of references' configurations.
    const NpuConfig config = load_npu_config(entry.path().string());
    const kernels::Compiled compiled = kernels::compile(graph, config, {.timing_only = true});
    const Simulation run = simulate(config, compiled.program, {}, {.timing_only = true});
    EXPECT_EQ(run.outcome, Outcome::kDone) << run.message;
    all[entry.path().stem().string()] = {{"total_cycles", run.total_cycles},
                                         {"dram_bytes", run.dram_bytes},
                                         {"total_energy_pj", run.ledger_pj}};
  }
  return all;
}

TEST(Regression, DigitsOnEveryPreset) {
  const std::string file = source("tests/regression/digits.json");
  const nlohmann::json measured = measure();
  if (std::getenv("NPUSIM_UPDATE") != nullptr) std::ofstream(file) << measured.dump(2) << '\n';
  std::ifstream in(file);
  ASSERT_TRUE(in.good()) << file;
  const nlohmann::json expected = nlohmann::json::parse(in);
  for (const auto& [preset, figures] : expected.items()) {
    SCOPED_TRACE(preset);
    ASSERT_TRUE(measured.contains(preset));
    EXPECT_EQ(measured[preset]["total_cycles"], figures["total_cycles"]);
    EXPECT_EQ(measured[preset]["dram_bytes"], figures["dram_bytes"]);
    EXPECT_NEAR(measured[preset]["total_energy_pj"].get<double>(),
                figures["total_energy_pj"].get<double>(), 1e-3);
  }
  EXPECT_EQ(measured.size(), expected.size());
}

}  // namespace
}  // namespace npu::test
