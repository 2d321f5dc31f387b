// Single-operator int16 x int8 networks of SEANet, byte for byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "kernels/reference/reference.h"
#include "tests/support/npz.h"
#include "tests/support/shared.h"
#include "workloads/importers/tflite.h"

namespace npu::reference {
namespace {

using std::filesystem::path;

/// "…/conv/conv0" + "_input0" + "_int16.csv", of a tensor's type and shape.
TensorData read_values(const path& stem, const std::string& what, const graph::Tensor& tensor) {
  return npu::test::read_integer_csv(
      stem.string() + "_" + what + "_" + std::string(name_of(tensor.type)) + ".csv", tensor.type,
      tensor.shape);
}

TEST(SeanetInt16x8, EveryCaseIsEqual) {
  NPUSIM_REQUIRE_SHARED();
  int cases = 0;
  const path folder = npu::test::shared_path("models/kernel_vectors/seanet_int16x8");
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".tflite") continue;
    ++cases;
    const std::string name = entry.path().stem().string();
    const path stem = entry.path().parent_path() / name;
    const graph::Graph graph = importers::load_tflite(entry.path().string());
    std::vector<TensorData> inputs;
    for (std::size_t i = 0; i < graph.inputs.size(); ++i) {
      inputs.push_back(
          read_values(stem, "input" + std::to_string(i), graph.tensor(graph.inputs[i])));
    }
    const graph::TensorId out = graph.outputs.at(0);
    const TensorData expected = read_values(stem, "golden", graph.tensor(out));
    const Values values = run_integer(graph, inputs);
    const TensorData& y = values.tensors.at(static_cast<std::size_t>(out));
    // The shipped values of some SUB cases were made with other ratios: one step is allowed.
    const bool one_step = name == "sub0" || name == "sub1" || name == "sub3";
    const auto got = y.as<std::int16_t>(), want = expected.as<std::int16_t>();
    int largest = 0;
    for (std::size_t i = 0; i < got.size(); ++i)
      largest = std::max(largest, std::abs(got[i] - want[i]));
    EXPECT_LE(largest, one_step ? 1 : 0) << name;
  }
  EXPECT_EQ(cases, 66);
}

}  // namespace
}  // namespace npu::reference
