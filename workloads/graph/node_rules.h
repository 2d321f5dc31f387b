#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "sim/base/error.h"
#include "workloads/graph/graph.h"

namespace npu::graph {

/// One node with its tensors, as the rules of verify() see it. Operand ids are in range.
struct NodeView {
  const Graph& graph;
  const Node& node;

  [[nodiscard]] bool has(std::size_t i) const { return node.inputs.at(i) != kAbsent; }
  [[nodiscard]] const Tensor& in(std::size_t i) const { return graph.tensor(node.inputs.at(i)); }
  [[nodiscard]] const Tensor& out(std::size_t i = 0) const {
    return graph.tensor(node.outputs.at(i));
  }
  template <typename T>
  [[nodiscard]] const T& attrs() const {
    return std::get<T>(node.attrs);
  }

  /// Throws Error "operator #3 CONV_2D: …".
  template <typename... Args>
  [[noreturn]] void reject(fmt::format_string<Args...> format, Args&&... args) const {
    throw Error(describe(node) + ": " + fmt::format(format, std::forward<Args>(args)...));
  }
  template <typename... Args>
  void require(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
    if (!condition) reject(format, std::forward<Args>(args)...);
  }
};

/// "tensor #5 `conv1` int8[1,32,32,16]"
[[nodiscard]] std::string describe_tensor(const Graph& graph, TensorId id);

/// What verify() checks of one node and its tensors, values optional. Operand ids are in range.
void check_node(const NodeView& view);
/// Number of operands, which of them may be absent, and the kind of attributes.
void check_operands(const NodeView& view);
/// Shapes and attributes; relies on check_operands and on bounded shapes.
void check_shapes(const NodeView& view);
/// Shapes of convolutions, fully connected, pooling and SVDF (part of check_shapes).
void check_window_shapes(const NodeView& view);
void check_svdf_shapes(const NodeView& view);
/// Shapes of the kinds after kSvdf (part of check_shapes).
void check_general_shapes(const NodeView& view);
/// Types, quantization, constants; relies on check_shapes.
void check_types(const NodeView& view);
/// Types of the kinds after kSvdf (part of check_types).
void check_general_types(const NodeView& view);
/// Ratios of scales that the integer rules need (part of check_types).
void check_scales(const NodeView& view);

}  // namespace npu::graph
