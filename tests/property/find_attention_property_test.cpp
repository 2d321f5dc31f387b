// Attention in single steps against the ATTENTION that passes::find_attention makes of it.

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/reference/reference.h"
#include "tests/property/attention_steps.h"
#include "tests/property/check_layer.h"
#include "tests/support/random_config.h"
#include "tests/support/random_graph.h"
#include "workloads/passes/find_attention.h"

namespace npu::test {
namespace {

using kernels::AttentionVariant;

/// A tensor of any float type as float32.
std::vector<float> values_of(const TensorData& data) {
  graph::Graph copy;
  copy.tensors = {{"x", data.type, data.shape, {}, {}, false, false},
                  {"y", DType::kFloat32, data.shape, {}, {}, false, false}};
  copy.nodes = {{graph::OpKind::kMap, {0}, {1}, graph::MapAttrs{}, 0}};
  copy.inputs = {0};
  copy.outputs = {1};
  const reference::Values values = reference::run_integer(copy, {data});
  const auto floats = values.tensors[1].as<float>();
  return {floats.begin(), floats.end()};
}

/// Rows that see no key are NaN on both sides.
void expect_near(const TensorData& expected, const TensorData& got, double bound) {
  const std::vector<float> a = values_of(expected), b = values_of(got);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    ASSERT_NEAR(a[i], b[i], bound) << "element " << i;
  }
}

/// Operators and shapes.
std::string shown(const graph::Graph& g) {
  std::string text;
  for (const graph::Node& node : g.nodes) {
    text += fmt::format("{} {}:", describe(node), describe_attributes(node));
    for (const graph::TensorId id : node.inputs) {
      if (id == graph::kAbsent) continue;
      const graph::Tensor& t = g.tensor(id);
      text += fmt::format(" {}{}", name_of(t.type), to_string(t.shape));
    }
    text += fmt::format(" to {}\n", to_string(g.tensor(node.outputs[0]).shape));
  }
  return text;
}

class FindAttentionProperty : public testing::TestWithParam<std::uint64_t> {};

TEST_P(FindAttentionProperty, DiffersByRoundingsOnly) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::uint64_t seed = GetParam() * std::uint64_t{100} + i;
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 rng(seed);
    const AttentionSteps steps = random_attention_steps(rng, 10);
    const std::vector<TensorData> inputs = random_inputs(rng, steps.graph);
    graph::Graph found = steps.graph;
    ASSERT_EQ(passes::find_attention(found).size(), 1U) << shown(found);
    ASSERT_NO_THROW(graph::verify(found));
    const auto id = static_cast<std::size_t>(found.outputs[0]);
    const reference::Values expected = reference::run_integer(steps.graph, inputs);
    for (const std::int64_t key_block : {0, 4}) {
      for (graph::Node& node : found.nodes) {
        auto* attrs = std::get_if<graph::AttentionAttrs>(&node.attrs);
        if (attrs != nullptr) attrs->key_block = key_block;
      }
      const reference::Values got = reference::run_integer(found, inputs);
      expect_near(expected.tensors[id], got.tensors[id], steps_bound(steps));
    }
    if (HasFatalFailure()) return;
  }
}

TEST_P(FindAttentionProperty, IsExactOnTheNpu) {
  for (std::uint64_t i = 0; i < 6; ++i) {
    const std::uint64_t seed = 10'000 + GetParam() * std::uint64_t{6} + i;
    SCOPED_TRACE(fmt::format("seed {}", seed));
    std::mt19937_64 rng(seed);
    AttentionSteps steps = random_attention_steps(rng, 8);
    const std::vector<TensorData> inputs = random_inputs(rng, steps.graph);
    ASSERT_EQ(passes::find_attention(steps.graph).size(), 1U);
    NpuConfig config = random_config(rng);
    for (int* cycles : {&config.mac_array.float16_cycles, &config.mac_array.bfloat16_cycles,
                        &config.mac_array.float32_cycles}) {
      *cycles = static_cast<int>(1 + rng() % 4);
    }
    check_layer(steps.graph, inputs, config,
                {.attention = i % 3 == 0 ? AttentionVariant::kUnfused : AttentionVariant::kFused});
    if (HasFatalFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, FindAttentionProperty, testing::Range<std::uint64_t>(0, 10));

}  // namespace
}  // namespace npu::test
