#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "kernels/reference/reference.h"
#include "tests/support/graph_maker.h"
#include "workloads/passes/find_attention.h"

namespace npu::test {

inline std::size_t count_of(const graph::Graph& g, graph::OpKind kind) {
  return static_cast<std::size_t>(std::count_if(
      g.nodes.begin(), g.nodes.end(), [&](const graph::Node& n) { return n.kind == kind; }));
}

/// float32 inputs in [−1, 1), integers and bools 0 or 1.
inline std::vector<TensorData> attention_inputs(const graph::Graph& g, std::uint64_t seed = 1) {
  std::mt19937_64 rng(seed);
  Draw draw(rng);
  std::vector<TensorData> inputs;
  for (const graph::TensorId id : g.inputs) {
    const graph::Tensor& t = g.tensor(id);
    TensorData data{t.type, t.shape, draw.bytes(t.type, element_count(t.shape))};
    if (!is_float(t.type)) {
      for (std::byte& b : data.bytes) b &= std::byte{1};
    }
    inputs.push_back(std::move(data));
  }
  return inputs;
}

/// Runs the pass on a float32 network: the result verifies and differs by roundings only.
inline std::vector<std::string> run_pass(graph::Graph& g, float tolerance = 2e-6F) {
  const graph::Graph before = g;
  std::vector<std::string> lines = passes::find_attention(g);
  EXPECT_NO_THROW(graph::verify(g));
  EXPECT_EQ(g.inputs, before.inputs);
  EXPECT_EQ(g.outputs, before.outputs);
  if (lines.empty()) {
    EXPECT_EQ(g, before);
    return lines;
  }
  const std::vector<TensorData> inputs = attention_inputs(g);
  const reference::Values expected = reference::run_integer(before, inputs);
  const reference::Values got = reference::run_integer(g, inputs);
  for (const graph::TensorId id : g.outputs) {
    const auto a = expected.tensors.at(static_cast<std::size_t>(id)).as<float>();
    const auto b = got.tensors.at(static_cast<std::size_t>(id)).as<float>();
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance);
  }
  return lines;
}

inline const graph::Node& attention_of(const graph::Graph& g) {
  const auto found = std::find_if(g.nodes.begin(), g.nodes.end(), [](const graph::Node& n) {
    return n.kind == graph::OpKind::kAttention;
  });
  return found != g.nodes.end() ? *found : throw std::logic_error("no ATTENTION");
}

inline const graph::AttentionAttrs& attention_attrs(const graph::Graph& g) {
  return std::get<graph::AttentionAttrs>(attention_of(g).attrs);
}

}  // namespace npu::test
