// ONNX networks on the simulated NPU against published outputs: Deeploy's integer networks byte for
// byte, networks of floats within the error of other orders of sums.
#include <gtest/gtest.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <tuple>
#include <utility>

#include "kernels/onnx_import/run_plan.h"
#include "kernels/reference/reference.h"
#include "sim/base/npy.h"
#include "sim/onnx/stage_machine.h"
#include "tests/support/integer_network.h"
#include "tests/support/npz.h"
#include "tests/support/shared.h"
#include "tests/support/simulate.h"
#include "workloads/onnx/reader.h"

namespace npu::test {
namespace {

using onnx_import::Network;
using onnx_import::NpuStage;

constexpr unsigned kSeconds = 300;

NpuConfig preset(const std::string& name) {
  return load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/" + name + ".yaml");
}

onnx::Value float_value(const Shape& shape, const std::vector<double>& elements) {
  return onnx::from_doubles(onnx::ElementType::kFloat, shape, elements);
}

/// Runs samples on one machine in a child process: every stage is the NPU's and gives its
/// reference's bytes, hazards are checked. Output 0 of each sample is tensor i of the result.
Simulation run_on_npu(const NpuConfig& config, const Network& network,
                      const std::vector<onnx::Values>& samples,
                      std::optional<DType> precision = std::nullopt) {
  const auto body = [&] {
    const onnx_run::CompiledPlan plan =
        onnx_run::compile_plan(network, config, {.precision = precision});
    for (const onnx_import::Stage& stage : plan.plan.stages) {
      if (!std::holds_alternative<NpuStage>(stage)) fail("a part of it runs on the host");
    }
    onnx_run::StageMachine machine(config, plan, {});
    const auto on_npu = [&](std::size_t s, const NpuStage& stage,
                            const std::vector<TensorData>& inputs) {
      std::vector<TensorData> outputs = machine.run(s, inputs);
      const reference::Values expected = reference::run_integer(stage.graph, inputs);
      for (std::size_t i = 0; i < outputs.size(); ++i) {
        const auto id = static_cast<std::size_t>(stage.outputs[i].tensor);
        if (outputs[i].bytes == expected.tensors.at(id).bytes) continue;
        fail("value {} differs from the graph's reference", stage.outputs[i].value);
      }
      return outputs;
    };
    Simulation result;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      std::vector<onnx::Value> outputs = run_plan(network, plan.plan, samples[i], on_npu);
      for (std::size_t o = 0; o < outputs.size(); ++o) {
        result.tensors[static_cast<std::int32_t>(i * outputs.size() + o)] = outputs[o].bytes;
      }
    }
    result.outcome = Outcome::kDone;
    return result;
  };
  return in_child(body, kSeconds);
}

std::vector<float> floats_of(const std::vector<std::byte>& bytes) {
  std::vector<float> out(bytes.size() / sizeof(float));
  std::memcpy(out.data(), bytes.data(), out.size() * sizeof(float));
  return out;
}

class IntegerNetworkOnNpu : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(IntegerNetworkOnNpu, EqualsTheGoldenOutputs) {
  NPUSIM_REQUIRE_SHARED();
  const auto [npu, folder] = GetParam();
  const IntegerNetworkCase c = load_integer_network(folder);
  const Network network = onnx_import::simplify(
      c.model, {.dimensions = {}, .input_shapes = c.shapes(), .input_ranges = c.ranges()});
  ASSERT_FALSE(network.ranges.empty());
  const Simulation run = run_on_npu(preset(npu), network, {c.values()});
  ASSERT_EQ(run.outcome, Outcome::kDone) << run.message;
  std::vector<onnx::Value> outputs;
  for (std::size_t i = 0; i < run.tensors.size(); ++i) {
    const auto& type = network.type(network.outputs.at(i).value);
    outputs.push_back({type.type, type.shape, run.tensors.at(static_cast<std::int32_t>(i))});
  }
  std::string difference;
  EXPECT_TRUE(equals_golden(c, outputs, difference)) << difference;
}

INSTANTIATE_TEST_SUITE_P(Deeploy, IntegerNetworkOnNpu,
                         testing::Combine(testing::Values("edge", "davinci", "gemmini_16x16"),
                                          testing::ValuesIn(kIntegerNetworks)),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param)) + "_" +
                                  short_name(std::get<1>(test.param));
                         });

/// A network of floats, its input (array 0 of inputs.npz) and its output.
struct FloatNetworkCase {
  Network network;
  onnx::Values inputs;
  std::vector<float> expected;

  explicit FloatNetworkCase(const std::string& folder)
      : network(onnx_import::simplify(
            onnx::read_model(shared_path("models/" + folder + "/network.onnx")), {})) {
    const std::map<std::string, TensorData> arrays =
        read_npz(shared_path("models/" + folder + "/inputs.npz"));
    const auto named = arrays.find("input");
    const TensorData& x = named != arrays.end() ? named->second : arrays.at("arr_0");
    const auto elements = x.as<float>();
    inputs[network.model.graph.inputs.at(0).name] =
        float_value(x.shape, std::vector<double>(elements.begin(), elements.end()));
    expected =
        floats_of(read_npz(shared_path("models/" + folder + "/outputs.npz")).begin()->second.bytes);
  }
};

/// Largest difference over the largest value.
double relative_error(const std::vector<float>& got, const std::vector<float>& want) {
  if (got.size() != want.size()) return INFINITY;
  double error = 0;
  double most = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double difference = std::abs(static_cast<double>(got[i]) - static_cast<double>(want[i]));
    error = std::isnan(difference) ? INFINITY : std::max(error, difference);
    most = std::max(most, std::abs(static_cast<double>(want[i])));
  }
  return error / most;
}

/// A preset whose array multiplies float32: where it has none, 8 passes per MAC.
NpuConfig float_preset(const std::string& name) {
  NpuConfig config = preset(name);
  if (config.mac_array.float32_cycles == 0) config.mac_array.float32_cycles = 8;
  return config;
}

class FloatNetworkOnNpu : public testing::TestWithParam<const char*> {};

/// Float sums of whole numbers are exact in any order.
TEST_P(FloatNetworkOnNpu, WholeNumbersAreExact) {
  NPUSIM_REQUIRE_SHARED();
  const FloatNetworkCase c("onnx/deeploy/Transformer_DeepQuant");
  const Simulation run = run_on_npu(float_preset(GetParam()), c.network, {c.inputs});
  ASSERT_EQ(run.outcome, Outcome::kDone) << run.message;
  EXPECT_EQ(floats_of(run.tensors.at(0)), c.expected);
}

/// Bounds: some times what was measured: float32 2·10^-7, float16 0.005, bfloat16 0.01.
TEST_P(FloatNetworkOnNpu, TransformersOfImagesAreClose) {
  NPUSIM_REQUIRE_SHARED();
  for (const char* folder : {"onnx/deeploy/CCT/FP32/CCT_1_16_16_8", "onnx/deeploy/TinyViT/Demo"}) {
    SCOPED_TRACE(folder);
    const FloatNetworkCase c(folder);
    const Simulation run = run_on_npu(float_preset(GetParam()), c.network, {c.inputs});
    ASSERT_EQ(run.outcome, Outcome::kDone) << run.message;
    EXPECT_LT(relative_error(floats_of(run.tensors.at(0)), c.expected), 1e-6);
  }
}

TEST(FloatNetworkOnEdge, NarrowFloatsAreNear) {
  NPUSIM_REQUIRE_SHARED();
  for (const auto& [precision, bound] :
       {std::pair{DType::kFloat16, 0.01}, std::pair{DType::kBfloat16, 0.02}}) {
    for (const char* folder :
         {"onnx/deeploy/CCT/FP32/CCT_1_16_16_8", "onnx/deeploy/TinyViT/Demo"}) {
      SCOPED_TRACE(std::string(folder) + " " + std::string(name_of(precision)));
      const FloatNetworkCase c(folder);
      const Simulation run = run_on_npu(preset("edge"), c.network, {c.inputs}, precision);
      ASSERT_EQ(run.outcome, Outcome::kDone) << run.message;
      const double error = relative_error(floats_of(run.tensors.at(0)), c.expected);
      EXPECT_LT(error, bound);
      EXPECT_GT(error, 0);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Deeploy, FloatNetworkOnNpu, testing::Values("edge", "davinci"),
                         [](const auto& test) { return std::string(test.param); });

/// The first images of MNIST's test set as floats 0 … 255.
std::vector<onnx::Values> mnist_images(const Network& network, std::size_t count) {
  constexpr std::size_t kHeader = 16;
  constexpr std::size_t kPixels = 28 * 28;
  std::vector<std::uint8_t> bytes(kHeader + count * kPixels);
  gzFile file =
      gzopen(shared_path("models/datasets/mnist/t10k-images-idx3-ubyte.gz").c_str(), "rb");
  const int got =
      file != nullptr ? gzread(file, bytes.data(), static_cast<unsigned>(bytes.size())) : 0;
  if (file != nullptr) gzclose(file);
  if (std::cmp_not_equal(got, bytes.size())) return {};
  std::vector<onnx::Values> samples;
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(kHeader + i * kPixels);
    samples.push_back({{network.model.graph.inputs.at(0).name,
                        float_value({1, 1, 28, 28}, {begin, begin + kPixels})}});
  }
  return samples;
}

/// The published logits of those images, within a bound of the largest of each.
TEST(FloatNetworkOnEdge, MnistHasTheLogitsOfItsReference) {
  NPUSIM_REQUIRE_SHARED();
  constexpr std::size_t kImages = 10;
  const Network network =
      onnx_import::simplify(onnx::read_model(shared_path("models/onnx/mnist.onnx")), {});
  const std::vector<onnx::Values> samples = mnist_images(network, kImages);
  ASSERT_EQ(samples.size(), kImages);
  const TensorData logits =
      read_npy(shared_path("models/golden/onnx_mnist_fp32/logits_first1000.npy"));
  const std::span<const float> all = logits.as<float>();
  for (const auto& [precision, bound] :
       {std::pair{DType::kFloat32, 1e-6}, std::pair{DType::kFloat16, 2e-3},
        std::pair{DType::kBfloat16, 2e-2}}) {
    SCOPED_TRACE(name_of(precision));
    const Simulation run = run_on_npu(preset("edge"), network, samples, precision);
    ASSERT_EQ(run.outcome, Outcome::kDone) << run.message;
    for (std::size_t i = 0; i < kImages; ++i) {
      const std::vector<float> got = floats_of(run.tensors.at(static_cast<std::int32_t>(i)));
      const std::vector<float> want(all.begin() + static_cast<std::ptrdiff_t>(10 * i),
                                    all.begin() + static_cast<std::ptrdiff_t>(10 * i + 10));
      EXPECT_LT(relative_error(got, want), bound) << "image " << i;
      EXPECT_EQ(std::max_element(got.begin(), got.end()) - got.begin(),
                std::max_element(want.begin(), want.end()) - want.begin())
          << "image " << i;
    }
  }
}

}  // namespace
}  // namespace npu::test
