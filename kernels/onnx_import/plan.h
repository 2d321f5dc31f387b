#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kernels/onnx_import/network.h"
#include "workloads/graph/graph.h"

namespace npu::onnx_import {

/// A value of the network that enters or leaves a stage, and its tensor in the stage's graph. The
/// tensor has the value's dimensions in their order (a scalar is [1]); its type may be narrower:
/// floats are stored as ConvertOptions::precision says, int64 as int32.
struct Binding {
  std::string value;
  graph::TensorId tensor = graph::kAbsent;
};

/// A run of nodes as one graph for the NPU.
struct NpuStage {
  graph::Graph graph;  ///< Verified. Inputs and outputs in the order of the bindings.
  std::vector<Binding> inputs, outputs;
  std::vector<std::size_t> nodes;  ///< Indices into the network's nodes.
};

/// A node that the host runs, and why.
struct HostNode {
  std::size_t node = 0;
  std::string reason;
};
struct HostStage {
  std::vector<HostNode> nodes;
};

using Stage = std::variant<NpuStage, HostStage>;

/// What runs where, in order. NPU and host stages alternate.
struct Plan {
  std::vector<Stage> stages;
};

struct ConvertOptions {
  /// Storage of floats on the NPU: kFloat32, kFloat16 or kBfloat16; nullopt: as in the model.
  std::optional<DType> precision;
  /// Why the NPU does not run a node of the graph; empty if it does. The compiler's answer:
  /// this folder knows no NPU.
  std::function<std::string(const graph::Graph&, const graph::Node&)> refusal;
};

/// Decides for each node whether the NPU runs it: its converter makes a graph of it that verifies
/// and that options.refusal accepts. The nodes are then taken in as few stages as a greedy schedule
/// finds: all that are ready on one side, then all on the other, starting with the side that needs
/// fewer stages. Values that only pass through (an input that is an output) are in no stage.
[[nodiscard]] Plan make_plan(const Network& network, const ConvertOptions& options);

/// Drops the constants that only NPU stages read: their graphs have them. The network can then run
/// by this plan alone.
void release_constants(Network& network, const Plan& plan);

/// A network's value as a stage's tensor: rounded to nearest even into narrower floats.
/// @throws Error naming the value for an integer beyond the tensor's type.
[[nodiscard]] TensorData to_tensor(const onnx::Value& value, const graph::Tensor& tensor,
                                   const std::string& name);
/// A stage's tensor as a value of that type and shape.
[[nodiscard]] onnx::Value to_value(const TensorData& data, const ValueType& type);

}  // namespace npu::onnx_import
