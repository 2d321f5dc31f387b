#pragma once

#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::test {

/// Scale and zero point of an activation.
struct Affine {
  float scale = 1;
  std::int32_t zero_point = 0;
};

/// Draws from one generator, the same on every platform (std distributions are not).
class Draw {
 public:
  explicit Draw(std::mt19937_64& rng) : rng_(rng) {}

  /// Uniform in [low, high].
  [[nodiscard]] std::int64_t integer(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(rng_() % static_cast<std::uint64_t>(high - low + 1));
  }
  [[nodiscard]] int small(int low, int high) { return static_cast<int>(integer(low, high)); }
  /// Uniform in [low, high).
  [[nodiscard]] double real(double low, double high) {
    return low + (high - low) * static_cast<double>(rng_() >> 11) * 0x1p-53;
  }
  /// Between low and high, uniform in the logarithm.
  [[nodiscard]] double ratio(double low, double high);
  [[nodiscard]] bool one_in(int n) { return rng_() % static_cast<std::uint64_t>(n) == 0; }
  template <typename T>
  [[nodiscard]] T any_of(std::initializer_list<T> values) {
    return values.begin()[rng_() % values.size()];
  }
  /// Uniform over the values of an integer type; floats in [−1, 1).
  [[nodiscard]] std::vector<std::byte> bytes(DType type, std::int64_t count);
  /// uint8 and int8 anywhere, int16 symmetric.
  [[nodiscard]] Affine affine(DType type, double scale);
  /// A scale as activations have them.
  [[nodiscard]] Affine affine(DType type) {
    return affine(type, type == DType::kInt16 ? ratio(2e-5, 2e-3) : ratio(0.005, 0.5));
  }
  [[nodiscard]] graph::Activation activation();

 private:
  std::mt19937_64& rng_;
};

/// Root mean square of q − zero point for values uniform over the type.
[[nodiscard]] double spread_of(DType type, std::int32_t zero_point);
/// The number that an output's scale is divided by to spread values of one standard deviation.
[[nodiscard]] double reach_of(DType type);

/// Builds a graph tensor by tensor.
class GraphMaker {
 public:
  explicit GraphMaker(std::string name) { graph_.name = std::move(name); }

  graph::TensorId input(DType type, Shape shape, Affine q);
  graph::TensorId activation(DType type, Shape shape, Affine q);
  graph::TensorId constant(DType type, Shape shape, std::optional<graph::Quantization> q,
                           std::vector<std::byte> data);
  graph::TensorId state(DType type, Shape shape, Affine q);
  /// Replaces a tensor's quantization.
  void requantize(graph::TensorId id, std::optional<graph::Quantization> q) {
    graph_.tensors.at(static_cast<std::size_t>(id)).quantization = std::move(q);
  }
  void node(graph::OpKind kind, std::vector<graph::TensorId> inputs,
            std::vector<graph::TensorId> outputs, graph::Attrs attrs = {});

  [[nodiscard]] const graph::Tensor& tensor(graph::TensorId id) const { return graph_.tensor(id); }
  /// Verifies and returns the graph with these outputs.
  [[nodiscard]] graph::Graph finish(std::vector<graph::TensorId> outputs);
  /// The same without verification, for tests of the verifier.
  [[nodiscard]] graph::Graph unchecked(std::vector<graph::TensorId> outputs) {
    graph_.outputs = std::move(outputs);
    return std::move(graph_);
  }

 private:
  graph::TensorId add(graph::Tensor tensor);
  graph::Graph graph_;
};

/// Layers of a maker, with random weights and quantization; each returns its output.
class LayerMaker {
 public:
  LayerMaker(GraphMaker& maker, Draw& draw) : maker_(maker), draw_(draw) {}

  /// Padding of a window over h × w: SAME, or VALID where the window fits.
  [[nodiscard]] graph::Window pad(graph::Window window, const Shape& image);
  graph::TensorId conv(graph::TensorId x, graph::Window window, std::int64_t channels, int groups);
  graph::TensorId depthwise(graph::TensorId x, graph::Window window, int multiplier);
  graph::TensorId transpose_conv(graph::TensorId x, graph::Window window, std::int64_t channels);
  graph::TensorId fully_connected(graph::TensorId x, std::int64_t units, bool keep_dims);
  graph::TensorId pool(graph::TensorId x, graph::OpKind kind, graph::Window window);
  /// ADD, SUB, MUL, MAXIMUM, MINIMUM of operands whose shapes broadcast.
  graph::TensorId binary(graph::OpKind kind, graph::TensorId a, graph::TensorId b);
  graph::TensorId reshape(graph::TensorId x, Shape shape);
  graph::TensorId concatenation(const std::vector<graph::TensorId>& parts, int axis, Affine q);
  graph::TensorId softmax(graph::TensorId x, DType out, float beta);

 private:
  /// Weights and bias for `channels` outputs of `depth` products each; returns {w, bias or absent}
  /// and the output's quantization.
  struct Parameters {
    graph::TensorId weights, bias;
    Affine output;
  };
  Parameters parameters(graph::TensorId x, Shape shape, int axis, std::int64_t depth);

  GraphMaker& maker_;
  Draw& draw_;
};

}  // namespace npu::test
