#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "workloads/onnx/value.h"

namespace npu::onnx {

struct Graph;

/// An attribute of a node. Graphs are shared: bodies of control-flow operators.
using Attribute =
    std::variant<std::int64_t, float, std::string, Value, std::shared_ptr<const Graph>,
                 std::vector<std::int64_t>, std::vector<float>, std::vector<std::string>>;

struct Node {
  std::string op_type, domain, name;         ///< Domain "" is ai.onnx.
  std::vector<std::string> inputs, outputs;  ///< "" for an optional operand that is absent.
  std::map<std::string, Attribute, std::less<>> attributes;
};

/// A dimension: a size, or the name of a symbol; neither: unknown.
struct Dimension {
  std::int64_t size = -1;
  std::string symbol;
};

/// An input or output of a graph. A value that is no tensor has its kind in `other`.
struct ValueInfo {
  std::string name;
  ElementType type = ElementType::kUndefined;
  std::vector<Dimension> shape;
  bool has_shape = false;
  std::string other;  ///< "sequence", "optional", "map", "sparse tensor"; empty for a tensor.
};

/// Nodes in topological order, as ONNX demands.
struct Graph {
  std::string name;
  std::vector<Node> nodes;
  std::map<std::string, Value, std::less<>> initializers;
  std::vector<ValueInfo> inputs, outputs;  ///< Initializers that are listed as inputs are left out.
};

struct Model {
  std::string file;
  std::int64_t ir_version = 0;
  std::map<std::string, std::int64_t, std::less<>> opsets;  ///< Version by domain ("" is ai.onnx).
  Graph graph;
};

/// "node #3 Conv \"conv1\"", as messages name it.
[[nodiscard]] std::string describe(const Node& node, std::size_t index);

}  // namespace npu::onnx
