// Single-operator int16x8 networks of SEANet on the simulated NPU, byte for byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "kernels/lowering/compile.h"
#include "tests/support/npz.h"
#include "tests/support/shared.h"
#include "tests/support/simulate.h"
#include "workloads/importers/tflite.h"
#include "workloads/passes/passes.h"

namespace npu::test {
namespace {

using std::filesystem::path;

/// "…/conv/conv0" + "_input0" + "_int16.csv", of a tensor's type and shape.
TensorData read_values(const path& stem, const std::string& what, const graph::Tensor& tensor) {
  return read_integer_csv(
      stem.string() + "_" + what + "_" + std::string(name_of(tensor.type)) + ".csv", tensor.type,
      tensor.shape);
}

/// One network with its inputs and expected output.
struct SeanetCase {
  graph::Graph graph;
  std::map<std::int32_t, TensorData> inputs;
  TensorData expected;

  /// @param stem  the .tflite file without its extension.
  explicit SeanetCase(const path& stem) : graph(importers::load_tflite(stem.string() + ".tflite")) {
    int number = 0;
    for (const graph::TensorId id : graph.inputs)
      inputs[id] = read_values(stem, "input" + std::to_string(number++), graph.tensor(id));
    expected = read_values(stem, "golden", graph.tensor(graph.outputs.at(0)));
  }
};

std::vector<path> all_cases() {
  std::vector<path> stems;
  const path folder = shared_path("models/kernel_vectors/seanet_int16x8");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".tflite")
      stems.push_back(entry.path().parent_path() / entry.path().stem());
  }
  std::sort(stems.begin(), stems.end());
  return stems;
}

int largest_difference(const std::vector<std::byte>& got, const TensorData& expected) {
  const auto want = expected.as<std::int16_t>();
  const auto* have = reinterpret_cast<const std::int16_t*>(got.data());
  int largest = 0;
  for (std::size_t i = 0; i < want.size(); ++i)
    largest = std::max(largest, std::abs(have[i] - want[i]));
  return largest;
}

class SeanetOnNpu : public testing::TestWithParam<const char*> {};

TEST_P(SeanetOnNpu, EveryCaseIsEqual) {
  NPUSIM_REQUIRE_SHARED();
  const NpuConfig config =
      load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/" + GetParam() + ".yaml");
  const std::vector<path> cases = all_cases();
  for (const path& stem : cases) {
    SCOPED_TRACE(stem.string());
    SeanetCase c(stem);
    passes::fuse(c.graph);
    const kernels::Compiled compiled = kernels::compile(c.graph, config, {});
    const Simulation run = simulate(config, compiled.program, c.inputs, {});
    ASSERT_EQ(run.outcome, Outcome::kDone) << run.message;
    const std::vector<std::byte>& y = run.tensors.at(c.graph.outputs.at(0));
    ASSERT_EQ(c.expected.type, DType::kInt16);
    ASSERT_EQ(y.size(), c.expected.bytes.size());
    // The shipped values of some SUB cases were made with other ratios: one step is allowed.
    const std::string name = stem.filename().string();
    const bool one_step = name == "sub0" || name == "sub1" || name == "sub3";
    EXPECT_LE(largest_difference(y, c.expected), one_step ? 1 : 0);
  }
  EXPECT_EQ(cases.size(), 66U);
}

INSTANTIATE_TEST_SUITE_P(Presets, SeanetOnNpu,
                         testing::Values("edge", "nvdla_small", "gemmini_16x16"),
                         [](const auto& preset) { return std::string(preset.param); });

}  // namespace
}  // namespace npu::test
