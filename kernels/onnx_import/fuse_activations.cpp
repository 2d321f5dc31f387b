#include "kernels/onnx_import/fuse_activations.h"

#include <map>
#include <utility>
#include <vector>

namespace npu::onnx_import {
namespace {

using graph::Activation;
using graph::Graph;
using graph::Node;
using graph::OpKind;
using graph::TensorId;

Activation activation_of(const Node& node) {
  if (node.kind != OpKind::kMap) return Activation::kNone;
  const auto& map = std::get<graph::MapAttrs>(node.attrs);
  if (map.function == MapFunction::kRelu) return Activation::kRelu;
  if (map.function != MapFunction::kClip) return Activation::kNone;
  if (map.imm0 == 0 && map.imm1 == 6) return Activation::kRelu6;
  return map.imm0 == -1 && map.imm1 == 1 ? Activation::kReluN1To1 : Activation::kNone;
}

/// The place of a node's activation; nullptr if it has none.
Activation* activation_in(Node& node) {
  switch (node.kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kTransposeConv:
      return &std::get<graph::WindowAttrs>(node.attrs).activation;
    case OpKind::kFullyConnected:
      return &std::get<graph::ActivationAttrs>(node.attrs).activation;
    case OpKind::kMatMul:
      return &std::get<graph::MatMulAttrs>(node.attrs).activation;
    default:
      return nullptr;
  }
}

/// Where a tensor comes from: the node whose activation it can have, and the last node on the way,
/// that one or a change of shape.
struct Origin {
  std::size_t holder = 0;
  std::size_t last = 0;
};

}  // namespace

void fuse_activations(Graph& graph) {
  std::map<TensorId, int> readers;
  for (const Node& node : graph.nodes) {
    for (const TensorId id : node.inputs) ++readers[id];
  }
  for (const TensorId id : graph.outputs) ++readers[id];
  std::map<TensorId, Origin> maker;  // By result, of what has an activation.
  std::vector<Node> kept;
  for (Node& node : graph.nodes) {
    const Activation activation = activation_of(node);
    if (activation != Activation::kNone && node.inputs.size() == 1) {
      const TensorId x = node.inputs[0];
      const auto before = maker.find(x);
      const DType type = graph.tensor(x).type;
      const bool same_type = is_float(type) && type == graph.tensor(node.outputs[0]).type;
      if (before != maker.end() && readers[x] == 1 && same_type) {
        Activation* place = activation_in(kept[before->second.holder]);
        if (*place == Activation::kNone) {
          *place = activation;
          kept[before->second.last].outputs = node.outputs;
          continue;
        }
      }
    }
    if (activation_in(node) != nullptr) maker[node.outputs[0]] = {kept.size(), kept.size()};
    if (node.kind == OpKind::kReshape && readers[node.inputs[0]] == 1) {
      const auto before = maker.find(node.inputs[0]);
      if (before != maker.end()) maker[node.outputs[0]] = {before->second.holder, kept.size()};
    }
    kept.push_back(std::move(node));
  }
  graph.nodes = std::move(kept);
}

}  // namespace npu::onnx_import
