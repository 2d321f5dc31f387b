// Matrix products and float convolutions on random NPUs.

#include <gtest/gtest.h>

#include <array>

#include "tests/property/check_layer.h"
#include "tests/support/random_config.h"
#include "tests/support/random_graph.h"

namespace npu::test {
namespace {

using graph::OpKind;

/// A random NPU that multiplies floats.
NpuConfig float_config(std::mt19937_64& rng) {
  NpuConfig config = random_config(rng);
  for (int* cycles : {&config.mac_array.float16_cycles, &config.mac_array.bfloat16_cycles,
                      &config.mac_array.float32_cycles}) {
    *cycles = static_cast<int>(1 + rng() % 4);
  }
  return config;
}

class MatMulProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(MatMulProperty, ExactRaceFreeClosedAndRepeatable) {
  for (std::uint64_t i = 0; i < 8; ++i) {
    const std::uint64_t seed = GetParam() * std::uint64_t{8} + i;
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 rng(seed);
    const graph::Graph graph = random_matmul(rng, seed % 5 == 0 ? 60 : 12);
    const std::vector<TensorData> inputs = random_inputs(rng, graph);
    check_layer(graph, inputs, float_config(rng));
    if (HasFatalFailure()) return;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, MatMulProperty, testing::Range<std::uint64_t>(0, 30));

class FloatWindowProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(FloatWindowProperty, ExactRaceFreeClosedAndRepeatable) {
  constexpr std::array kKinds = {OpKind::kConv2d, OpKind::kDepthwiseConv2d, OpKind::kTransposeConv,
                                 OpKind::kFullyConnected};
  constexpr std::array kTypes = {DType::kFloat16, DType::kBfloat16, DType::kFloat32};
  for (std::uint64_t i = 0; i < 12; ++i) {
    const std::uint64_t seed = GetParam() * std::uint64_t{12} + i;
    std::mt19937_64 rng(seed);
    const OpKind kind = kKinds[seed % 4];
    const DType type = kTypes[seed / 4 % 3];
    SCOPED_TRACE(fmt::format("seed {}: {} {}", seed, name_of(kind), name_of(type)));
    const graph::Graph graph = random_layer(rng, kind, type, seed % 5 == 0 ? 40 : 10);
    const std::vector<TensorData> inputs = random_inputs(rng, graph);
    check_layer(graph, inputs, float_config(rng));
    if (HasFatalFailure()) return;
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, FloatWindowProperty, testing::Range<std::uint64_t>(0, 20));

/// An integer layer whose output is its sums.
graph::Graph raw_layer(std::mt19937_64& rng, OpKind kind, DType type) {
  graph::Graph graph = random_layer(rng, kind, type, 12);
  graph::Tensor& y = graph.tensors[static_cast<std::size_t>(graph.outputs[0])];
  y.type = DType::kInt32;
  y.quantization.reset();
  graph::Attrs& attrs = graph.nodes[0].attrs;
  if (auto* window = std::get_if<graph::WindowAttrs>(&attrs)) {
    window->activation = graph::Activation::kNone;
    window->rescale = graph::Rescale::kMultiplier;
  } else {
    std::get<graph::ActivationAttrs>(attrs).activation = graph::Activation::kNone;
  }
  graph::verify(graph);
  return graph;
}

TEST(RawSums, AreExact) {
  constexpr std::array kKinds = {OpKind::kConv2d, OpKind::kDepthwiseConv2d, OpKind::kTransposeConv,
                                 OpKind::kFullyConnected};
  for (std::uint64_t seed = 0; seed < 24; ++seed) {
    std::mt19937_64 rng(seed);
    const DType type = seed / 4 % 2 == 0 ? DType::kInt8 : DType::kUint8;
    SCOPED_TRACE(fmt::format("seed {}: {} {}", seed, name_of(kKinds[seed % 4]), name_of(type)));
    const graph::Graph graph = raw_layer(rng, kKinds[seed % 4], type);
    const std::vector<TensorData> inputs = random_inputs(rng, graph);
    check_layer(graph, inputs, random_config(rng));
    if (HasFatalFailure()) return;
  }
}

}  // namespace
}  // namespace npu::test
