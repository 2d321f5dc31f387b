#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::reference {

/// A tensor that an operator reads: type, shape and bytes that belong to somebody else.
struct View {
  DType type = DType::kInt8;
  const Shape* shape = nullptr;
  std::span<const std::byte> bytes;

  View() = default;
  View(DType element, const Shape& dims, std::span<const std::byte> data)
      : type(element), shape(&dims), bytes(data) {}
  View(const TensorData& data)  // NOLINT(google-explicit-constructor): a view of owned data.
      : View(data.type, data.shape, data.bytes) {}

  /// Size of dimension `axis` (0 is the outermost).
  [[nodiscard]] std::int64_t dim(std::size_t axis) const { return shape->at(axis); }
  [[nodiscard]] std::int64_t size() const { return element_count(*shape); }
  /// Typed elements; T must have the element's size.
  template <typename T>
  [[nodiscard]] std::span<const T> as() const {
    NPU_CHECK(static_cast<std::int64_t>(sizeof(T)) == size_of(type), "element size");
    return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
  }
};

/// What an operator sees of its node while the network runs. In integer inference tensors have the
/// graph's types, in float inference all of them are float32.
class Invocation {
 public:
  /// @param values  all tensors of the network by TensorId; a constant with no bytes is read from
  /// the graph.
  Invocation(const graph::Graph& graph, const graph::Node& node, std::vector<TensorData>& values)
      : graph_(graph), node_(node), values_(values) {}

  [[nodiscard]] const graph::Node& node() const { return node_; }
  [[nodiscard]] std::size_t input_count() const { return node_.inputs.size(); }
  [[nodiscard]] std::size_t output_count() const { return node_.outputs.size(); }
  /// False if the optional operand is absent or the list is shorter.
  [[nodiscard]] bool has_input(std::size_t index) const {
    return index < node_.inputs.size() && node_.inputs[index] != graph::kAbsent;
  }
  /// The operand as the graph describes it (type, quantization).
  [[nodiscard]] const graph::Tensor& input_tensor(std::size_t index) const {
    return graph_.tensor(node_.inputs.at(index));
  }
  [[nodiscard]] const graph::Tensor& output_tensor(std::size_t index = 0) const {
    return graph_.tensor(node_.outputs.at(index));
  }
  [[nodiscard]] View input(std::size_t index) const;
  /// The operand's own storage, for a variable that the operator updates.
  [[nodiscard]] TensorData& variable(std::size_t index) const {
    return values_.at(static_cast<std::size_t>(node_.inputs.at(index)));
  }
  [[nodiscard]] TensorData& output(std::size_t index = 0) const {
    return values_.at(static_cast<std::size_t>(node_.outputs.at(index)));
  }
  /// The node's attributes; a wrong alternative is our own bug.
  template <typename T>
  [[nodiscard]] const T& attrs() const {
    const T* attributes = std::get_if<T>(&node_.attrs);
    NPU_CHECK(attributes != nullptr, "attributes of " + graph::describe(node_));
    return *attributes;
  }

 private:
  const graph::Graph& graph_;
  const graph::Node& node_;
  std::vector<TensorData>& values_;
};

/// Elements of an 8-, 16- or 32-bit integer tensor, minus `zero_point`.
[[nodiscard]] std::vector<std::int32_t> load_integers(const View& view,
                                                      std::int32_t zero_point = 0);

/// Elements of an 8- or 16-bit tensor minus `zero_point`, which must leave them within int16.
[[nodiscard]] std::vector<std::int16_t> load_int16(const View& view, std::int32_t zero_point);

/// Writes values that fit the tensor's integer type.
void store_integers(TensorData& out, std::span<const std::int32_t> values);

}  // namespace npu::reference
