// The program on a network of equal blocks, timing only: repeated layers once, and each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <span>

#include "sim/base/file.h"
#include "tests/golden/program_run.h"
#include "tests/support/tflite_builder.h"
#include "workloads/graph/network_builder.h"

namespace npu::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

constexpr int kBlocks = 192;  // So many that periods are left out even of the second try.
constexpr const char* kNpu = "tpu_v1";

std::string model_in(const TemporaryFolder& folder) {
  graph::NetworkBuilder net("blocks", graph::Payload::kRequired);
  graph::TensorId x = net.input({16, 256});
  for (int i = 0; i < kBlocks; ++i) {
    const graph::TensorId y = net.fully_connected(x, 256, graph::Activation::kRelu);
    x = net.binary(graph::OpKind::kAdd, x, net.fully_connected(y, 256));
  }
  std::string path = folder / "blocks.tflite";
  const std::string bytes = build_tflite(net.finish({x}));
  write_file(path, std::as_bytes(std::span(bytes)));
  return path;
}

json summary_of(const TemporaryFolder& folder, const std::string& out) {
  return json::parse(read_file(folder / out + "/summary.json", 1 << 26));
}

TEST(RepeatedLayers, TheReportSaysWhatWasSimulatedAndBothAgree) {
  const TemporaryFolder folder;
  const std::string model = model_in(folder);
  const ProgramRun once = run_npusim({"run", "--npu", kNpu, "--model", model, "--timing-only",
                                      "--samples", "2", "--out", folder / "once"});
  ASSERT_EQ(once.exit_code, 0) << once.output;
  EXPECT_THAT(once.output, HasSubstr("repeats\n"));
  EXPECT_THAT(once.output, HasSubstr("note: layers and tiles that repeat were simulated once: "));
  EXPECT_THAT(once.output, HasSubstr(" of 576 layers, "));
  EXPECT_THAT(once.output, HasSubstr("where the time went: not found where repeated layers are"));
  const ProgramRun each =
      run_npusim({"run", "--npu", kNpu, "--model", model, "--timing-only", "--samples", "2",
                  "--simulate-all", "--out", folder / "each"});
  ASSERT_EQ(each.exit_code, 0) << each.output;
  EXPECT_THAT(each.output, Not(HasSubstr("repeats")));

  const json a = summary_of(folder, "once");
  const json b = summary_of(folder, "each");
  EXPECT_EQ(a["repeated_layers"], "simulated_once");
  EXPECT_EQ(b["repeated_layers"], "simulated_each");
  EXPECT_EQ(b["simulated_cycles"], b["total_cycles"]);
  EXPECT_LT(a["simulated_cycles"].get<double>(), 0.6 * a["total_cycles"].get<double>());
  for (const char* key : {"total_cycles", "total_energy_pj", "dram_bytes_per_inference"}) {
    const auto all = b[key].get<double>();
    EXPECT_NEAR(a[key].get<double>(), all, 0.005 * all) << key;
  }
  EXPECT_EQ(a["macs_per_inference"], b["macs_per_inference"]);
  std::uint64_t cycles = 0;
  std::uint64_t layers = 0;
  for (const json& layer : a["layers_last_inference"]) {
    cycles += layer["cycles"].get<std::uint64_t>();
    layers += layer["repeats"].get<std::uint64_t>();
  }
  EXPECT_EQ(cycles, a["cycles_per_inference"].back().get<std::uint64_t>());
  EXPECT_EQ(layers, 3U * kBlocks);
  for (const json& unit : a["units"]) {
    std::uint64_t sum = 0;
    for (const json& bucket : unit["buckets"]) sum += bucket.get<std::uint64_t>();
    EXPECT_EQ(sum, a["total_cycles"].get<std::uint64_t>()) << unit["unit"];
  }
}

TEST(RepeatedLayers, FunctionalRunsSimulateEach) {
  const TemporaryFolder folder;
  const ProgramRun run = run_npusim({"run", "--model", folder / "none", "--simulate-all"});
  EXPECT_EQ(run.exit_code, 2);
  EXPECT_THAT(run.output,
              HasSubstr("--simulate-all: only a timing-only run leaves repeated layers out"));
}

}  // namespace
}  // namespace npu::test
