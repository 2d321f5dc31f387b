// Whole networks against golden tensors: outputs of every sample and all tensors of the first one,
// byte for byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "kernels/reference/invocation.h"
#include "kernels/reference/reference.h"
#include "sim/base/npy.h"
#include "tests/support/npz.h"
#include "tests/support/shared.h"
#include "workloads/importers/tflite.h"

namespace npu::reference {
namespace {

const std::string kFolder = "models/golden/";

/// A network with the inputs and outputs of its samples.
struct GoldenSet {
  graph::Graph graph;
  TensorData inputs, outputs;
  std::int64_t samples = 0;

  explicit GoldenSet(const std::string& name) {
    std::ifstream file(test_path(name, "meta.json"));
    const auto meta = nlohmann::json::parse(file);
    graph = importers::load_tflite(
        npu::test::shared_path("models/" + meta.at("model").get<std::string>()));
    inputs = read_npy(test_path(name, "inputs.npy"));
    outputs = read_npy(test_path(name, "output0.npy"));
    samples = inputs.shape.at(0);
  }
  static std::string test_path(const std::string& name, const std::string& file) {
    return npu::test::shared_path(kFolder + name + "/" + file);
  }
  /// Sample `index` of `all` as tensor `id`.
  [[nodiscard]] TensorData sample(const TensorData& all, std::int64_t index,
                                  graph::TensorId id) const {
    const graph::Tensor& tensor = graph.tensor(id);
    TensorData one{all.type, tensor.shape, {}};
    const auto begin = all.bytes.begin() + index * tensor.bytes();
    one.bytes.assign(begin, begin + tensor.bytes());
    return one;
  }
};

class Golden : public testing::TestWithParam<const char*> {};

TEST_P(Golden, EverySampleIsEqual) {
  NPUSIM_REQUIRE_SHARED();
  const GoldenSet set(GetParam());
  const graph::TensorId in = set.graph.inputs.at(0), out = set.graph.outputs.at(0);
  ASSERT_GT(set.samples, 0);
  for (std::int64_t i = 0; i < set.samples; ++i) {
    const Values values = run_integer(set.graph, {set.sample(set.inputs, i, in)});
    ASSERT_EQ(values.tensors.at(static_cast<std::size_t>(out)).bytes,
              set.sample(set.outputs, i, out).bytes)
        << "sample " << i;
  }
}

TEST_P(Golden, EveryTensorOfTheFirstSampleIsEqual) {
  NPUSIM_REQUIRE_SHARED();
  const std::string layers = GoldenSet::test_path(GetParam(), "layers_sample0.npz");
  if (!std::filesystem::exists(layers)) GTEST_SKIP() << "has no layers";
  const GoldenSet set(GetParam());
  const Values values = run_integer(set.graph, {set.sample(set.inputs, 0, set.graph.inputs.at(0))});
  for (const auto& [name, tensor] : npu::test::read_npz(layers)) {
    const auto id = static_cast<std::size_t>(std::stoi(name.substr(1)));
    EXPECT_EQ(values.tensors.at(id).bytes, tensor.bytes) << name;
  }
}

/// Real values of a tensor of a quantized network.
std::vector<double> real_values(const graph::Tensor& tensor, const TensorData& data) {
  const auto zero_point = tensor.quantization->zero_point.at(0);
  std::vector<double> values;
  for (const std::int32_t d : load_integers(data, zero_point)) {
    values.push_back(static_cast<double>(tensor.quantization->scale[0]) * d);
  }
  return values;
}

/// The integer network is the float one with rounding noise.
TEST_P(Golden, TheFloatReferenceIsClose) {
  NPUSIM_REQUIRE_SHARED();
  const GoldenSet set(GetParam());
  const TensorData x = set.sample(set.inputs, set.samples / 4, set.graph.inputs.at(0));
  // The last quantized tensor before a softmax, whose output says little about its input.
  const auto ends_integers = [](const graph::Node& node) {
    return node.kind == graph::OpKind::kSoftmax || node.kind == graph::OpKind::kDequantize;
  };
  const auto last = std::find_if(set.graph.nodes.begin(), set.graph.nodes.end(), ends_integers);
  const auto out = static_cast<std::size_t>(last == set.graph.nodes.end() ? set.graph.outputs.at(0)
                                                                          : last->inputs.at(0));
  const std::vector<double> integer =
      real_values(set.graph.tensors.at(out), run_integer(set.graph, {x}).tensors.at(out));
  const TensorData real = run_float(set.graph, {x}).tensors.at(out);
  ASSERT_EQ(real.type, DType::kFloat32);
  double signal = 0, noise = 0;
  for (std::size_t i = 0; i < integer.size(); ++i) {
    const auto value = static_cast<double>(real.as<float>()[i]);
    signal += value * value;
    noise += (value - integer[i]) * (value - integer[i]);
  }
  EXPECT_GT(10 * std::log10(signal / noise), 10.0);  // dB
}

const char* const kQuantized[] = {
    "coral_mobilenet_v1_025_128_u8", "mcunet_lenet300100_int8", "mlperf_ad01_int8",
    "mlperf_kws_dscnn_int8",         "mlperf_resnet8_int8",     "support_mobilenet_v1_025_224_u8",
    "tflm_hello_world_int8",         "tflm_keyword_scrambled",  "tflm_keyword_scrambled_8bit",
    "tflm_micro_speech_int8"};
const char* const kFloat = "mlperf_resnet8_fp32";

INSTANTIATE_TEST_SUITE_P(Networks, Golden, testing::ValuesIn(kQuantized),
                         [](const auto& name) { return std::string(name.param); });

TEST(GoldenSets, AreAllCovered) {
  NPUSIM_REQUIRE_SHARED();
  std::set<std::string> known(std::begin(kQuantized), std::end(kQuantized));
  known.insert(kFloat);
  for (const auto& entry : std::filesystem::directory_iterator(npu::test::shared_path(kFolder))) {
    std::ifstream file(entry.path() / "meta.json");
    const auto model = nlohmann::json::parse(file).at("model").get<std::string>();
    if (model.ends_with(".tflite")) {
      EXPECT_TRUE(known.contains(entry.path().filename().string())) << entry.path();
    }
  }
}

TEST(FloatNetwork, EqualsItsGoldenOutputsUpToFloatRounding) {
  NPUSIM_REQUIRE_SHARED();
  const GoldenSet set(kFloat);
  const graph::TensorId in = set.graph.inputs.at(0), out = set.graph.outputs.at(0);
  for (std::int64_t i = 0; i < set.samples; ++i) {
    const Values values = run_float(set.graph, {set.sample(set.inputs, i, in)});
    const auto y = values.tensors.at(static_cast<std::size_t>(out)).as<float>();
    const TensorData expected = set.sample(set.outputs, i, out);
    for (std::size_t k = 0; k < y.size(); ++k) {
      ASSERT_NEAR(y[k], expected.as<float>()[k], 1e-5F) << "sample " << i;
    }
  }
}

}  // namespace
}  // namespace npu::reference
