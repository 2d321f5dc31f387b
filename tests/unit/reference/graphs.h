#pragma once

#include <random>
#include <span>
#include <string>
#include <vector>

#include "kernels/reference/reference.h"
#include "workloads/graph/graph.h"

namespace npu::reference::test {

/// A tensor's description for GraphBuilder.
struct TensorSpec {
  DType type = DType::kInt8;
  Shape shape;
  std::vector<float> scale = {1.0F};
  std::vector<std::int32_t> zero_point = {0};
  int axis = 0;
};

/// A dense tensor from its elements.
template <typename T>
TensorData tensor(DType type, Shape shape, const std::vector<T>& values) {
  const auto bytes = std::as_bytes(std::span(values));
  TensorData data{type, std::move(shape), {bytes.begin(), bytes.end()}};
  EXPECT_EQ(std::ssize(data.bytes), data.size() * size_of(type));
  return data;
}

template <typename T>
std::vector<T> values_of(const TensorData& data) {
  const auto span = data.as<T>();
  return {span.begin(), span.end()};
}

/// Builds networks of a few nodes by hand.
class GraphBuilder {
 public:
  GraphBuilder() { graph_.name = "hand-built"; }

  graph::TensorId activation(const TensorSpec& spec) {
    graph::Tensor t;
    t.name = "t" + std::to_string(graph_.tensors.size());
    t.type = spec.type;
    t.shape = spec.shape;
    if (!spec.scale.empty()) t.quantization = {spec.scale, spec.zero_point, spec.axis};
    graph_.tensors.push_back(std::move(t));
    return static_cast<graph::TensorId>(graph_.tensors.size() - 1);
  }
  graph::TensorId input(const TensorSpec& spec) {
    graph_.inputs.push_back(activation(spec));
    return graph_.inputs.back();
  }
  graph::TensorId variable(const TensorSpec& spec) {
    const graph::TensorId id = activation(spec);
    graph_.tensors.back().is_variable = true;
    return id;
  }
  template <typename T>
  graph::TensorId constant(const TensorSpec& spec, const std::vector<T>& values) {
    const graph::TensorId id = activation(spec);
    graph_.tensors.back().is_constant = true;
    graph_.tensors.back().data = tensor(spec.type, spec.shape, values).bytes;
    return id;
  }
  void node(graph::OpKind kind, std::vector<graph::TensorId> inputs,
            std::vector<graph::TensorId> outputs, graph::Attrs attrs = {}) {
    graph_.outputs = outputs;
    graph_.nodes.push_back({kind, std::move(inputs), std::move(outputs), std::move(attrs),
                            static_cast<int>(graph_.nodes.size())});
  }
  [[nodiscard]] graph::Graph& graph() { return graph_; }

  /// The last node's first output.
  [[nodiscard]] TensorData integer(const std::vector<TensorData>& inputs) const {
    return run_integer(graph_, inputs).tensors.at(static_cast<std::size_t>(graph_.outputs.at(0)));
  }
  [[nodiscard]] TensorData real(const std::vector<TensorData>& inputs) const {
    return run_float(graph_, inputs).tensors.at(static_cast<std::size_t>(graph_.outputs.at(0)));
  }

 private:
  graph::Graph graph_;
};

/// y of a network of one operator with one input and no constants.
inline TensorData run_unary(graph::OpKind kind, const TensorSpec& x, const TensorSpec& y,
                            const TensorData& values, graph::Attrs attrs = {}) {
  GraphBuilder g;
  const graph::TensorId in = g.input(x);
  const graph::TensorId out = g.activation(y);
  g.node(kind, {in}, {out}, std::move(attrs));
  return g.integer({values});
}

/// `count` uniform integers in [low, high]; the same for the same seed.
template <typename T>
std::vector<T> random_integers(std::size_t count, std::int64_t low, std::int64_t high,
                               std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::vector<T> out(count);
  for (T& value : out) {
    value = static_cast<T>(
        low + static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(high - low + 1)));
  }
  return out;
}

/// All 256 values of int8 in order.
inline TensorData every_int8() {
  std::vector<std::int8_t> values;
  for (int q = -128; q < 128; ++q) values.push_back(static_cast<std::int8_t>(q));
  return tensor(DType::kInt8, {1, 256}, values);
}

}  // namespace npu::reference::test
