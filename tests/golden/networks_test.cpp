// Whole networks through the program as its users run it: outputs of every sample and all tensors
// of the first one, byte for byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/base/npy.h"
#include "tests/golden/program_run.h"
#include "tests/support/npz.h"
#include "tests/support/shared.h"
#include "workloads/importers/tflite.h"
#include "workloads/passes/passes.h"

namespace npu::test {
namespace {

using Tensors = std::map<graph::TensorId, TensorData>;

const char* const kSets[] = {
    "coral_mobilenet_v1_025_128_u8", "mcunet_lenet300100_int8", "mlperf_ad01_int8",
    "mlperf_kws_dscnn_int8",         "mlperf_resnet8_int8",     "support_mobilenet_v1_025_224_u8",
    "tflm_hello_world_int8",         "tflm_keyword_scrambled",  "tflm_keyword_scrambled_8bit",
    "tflm_micro_speech_int8"};
/// Runs on the CPU reference only: the NPU has no float arithmetic.
const char* const kFloatSet = "mlperf_resnet8_fp32";

struct Preset {
  const char* name;
  int samples;  ///< At most; 0: all.
};
/// What the test's listing shows.
void PrintTo(const Preset& preset, std::ostream* out) { *out << preset.name; }

const Preset kPresets[] = {{"edge", 0},    {"nvdla_small", 0},   {"tpu_v1", 0},
                           {"davinci", 3}, {"ethos_u55_256", 3}, {"gemmini_16x16", 3}};

std::string golden_path(const std::string& set, const std::string& file = "") {
  return shared_path("models/golden/" + set + "/" + file);
}

std::string model_of(const std::string& set) {
  std::ifstream file(golden_path(set, "meta.json"));
  return nlohmann::json::parse(file).at("model").get<std::string>();
}

/// Tensors in a folder of --save-tensors, by the number in their names.
Tensors read_saved(const std::string& folder) {
  Tensors tensors;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const int id = std::stoi(entry.path().stem().string().substr(1));
    tensors[id] = read_npy(entry.path().string());
  }
  return tensors;
}

/// Tensors that somebody writes: network inputs, operators' outputs and states.
std::set<graph::TensorId> produced(const graph::Graph& graph) {
  std::set<graph::TensorId> ids(graph.inputs.begin(), graph.inputs.end());
  for (const graph::Node& node : graph.nodes) {
    ids.insert(node.outputs.begin(), node.outputs.end());
    std::copy_if(
        node.inputs.begin(), node.inputs.end(), std::inserter(ids, ids.end()),
        [&](graph::TensorId id) { return id != graph::kAbsent && graph.tensor(id).is_variable; });
  }
  return ids;
}

class GoldenNetwork : public testing::TestWithParam<std::tuple<const char*, Preset>> {
 protected:
  [[nodiscard]] static std::string set() { return std::get<0>(GetParam()); }
  [[nodiscard]] static const Preset& preset() { return std::get<1>(GetParam()); }

  /// Runs `samples` (0: all) and checks the outputs; tensors of the first sample go to "tensors".
  void run(int samples, bool fuse) {
    std::vector<std::string> arguments = {
        "run",
        "--npu",
        std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/" + preset().name + ".yaml",
        "--model",
        shared_path("models/" + model_of(set())),
        "--input",
        golden_path(set(), "inputs.npy"),
        "--save-outputs",
        folder_ / "outputs",
        "--save-tensors",
        folder_ / "tensors",
        "--reference",
        "none"};
    if (samples > 0) arguments.insert(arguments.end(), {"--samples", std::to_string(samples)});
    if (!fuse) arguments.emplace_back("--no-fusion");
    const ProgramRun run = run_npusim(arguments);
    ASSERT_EQ(run.exit_code, 0) << run.output;

    TensorData expected = read_npy(golden_path(set(), "output0.npy"));
    ASSERT_GT(expected.shape.at(0), 0);
    if (samples > 0 && samples < expected.shape[0]) {
      const std::int64_t one = std::ssize(expected.bytes) / expected.shape[0];
      expected.shape[0] = samples;
      expected.bytes.resize(static_cast<std::size_t>(samples * one));
    }
    const TensorData got = read_npy(folder_ / "outputs/output0.npy");
    EXPECT_EQ(got.type, expected.type);
    EXPECT_EQ(got.shape, expected.shape);
    EXPECT_TRUE(got.bytes == expected.bytes) << "outputs differ";
  }

  /// Compares the tensors of the first sample that `graph` produces; returns how many.
  [[nodiscard]] std::size_t compare_tensors(const graph::Graph& graph) const {
    const Tensors saved = read_saved(folder_ / "tensors");
    const std::set<graph::TensorId> there = produced(graph);
    std::size_t compared = 0;
    for (const auto& [key, expected] : read_npz(golden_path(set(), "layers_sample0.npz"))) {
      const int id = std::stoi(key.substr(1));
      if (!there.contains(id)) continue;
      ++compared;
      const auto it = saved.find(id);
      if (it == saved.end()) {
        ADD_FAILURE() << "tensor " << key << " was not saved";
        continue;
      }
      EXPECT_EQ(it->second.type, expected.type) << key;
      EXPECT_TRUE(it->second.bytes == expected.bytes) << "tensor " << key << " differs";
    }
    return compared;
  }

  [[nodiscard]] static bool has_layers() {
    return std::filesystem::exists(golden_path(set(), "layers_sample0.npz"));
  }
  [[nodiscard]] static graph::Graph network() {
    return importers::load_tflite(shared_path("models/" + model_of(set())));
  }

  TemporaryFolder folder_;
};

TEST_P(GoldenNetwork, IsEqual) {
  NPUSIM_REQUIRE_SHARED();
  ASSERT_NO_FATAL_FAILURE(run(preset().samples, true));
  if (!has_layers()) return;
  graph::Graph graph = network();
  passes::fuse(graph);
  EXPECT_GE(compare_tensors(graph), 2U);
}

TEST_P(GoldenNetwork, IsEqualWithoutFusion) {
  NPUSIM_REQUIRE_SHARED();
  ASSERT_NO_FATAL_FAILURE(run(1, false));
  if (!has_layers()) return;
  EXPECT_EQ(compare_tensors(network()), read_npz(golden_path(set(), "layers_sample0.npz")).size());
}

INSTANTIATE_TEST_SUITE_P(Networks, GoldenNetwork,
                         testing::Combine(testing::ValuesIn(kSets), testing::ValuesIn(kPresets)),
                         [](const auto& parameters) {
                           return std::string(std::get<0>(parameters.param)) + "_" +
                                  std::get<1>(parameters.param).name;
                         });

TEST(GoldenSets, AreAllCovered) {
  NPUSIM_REQUIRE_SHARED();
  std::set<std::string> known(std::begin(kSets), std::end(kSets));
  known.insert(kFloatSet);
  int networks = 0;
  for (const auto& entry : std::filesystem::directory_iterator(golden_path(""))) {
    const std::string set = entry.path().filename().string();
    if (!model_of(set).ends_with(".tflite")) continue;
    ++networks;
    EXPECT_TRUE(known.contains(set)) << set;
  }
  EXPECT_EQ(networks, 11);
}

}  // namespace
}  // namespace npu::test
