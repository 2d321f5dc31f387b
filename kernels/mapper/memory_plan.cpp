#include "kernels/mapper/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "kernels/mapper/matmul_plan.h"
#include "kernels/mapper/window_tiling.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using graph::Graph;
using graph::TensorId;

/// Tensor operands that a layer reads as activations (constants of elementwise operators too), not
/// as weights.
std::vector<TensorId> data_inputs(const Graph& graph, const graph::Node& node) {
  using graph::OpKind;
  switch (node.kind) {
    case OpKind::kMatMul:
      if (has_packed_weights(graph, node)) return {node.inputs.at(0)};
      return {node.inputs.at(0), node.inputs.at(1)};
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kTransposeConv:
    case OpKind::kFullyConnected:
      return {node.inputs.at(0)};
    case OpKind::kSvdf:
      return {node.inputs.at(0), node.inputs.at(4)};
    case OpKind::kGather:  // Its indices are constants, part of the copies.
      return {node.inputs.at(0)};
    default: {
      std::vector<TensorId> inputs = node.inputs;
      std::erase(inputs, graph::kAbsent);
      return inputs;
    }
  }
}

std::size_t find_root(std::vector<std::size_t>& parent, std::size_t i) {
  while (parent[i] != i) i = parent[i] = parent[parent[i]];
  return i;
}

}  // namespace

Storages find_storages(const Graph& graph, const std::vector<int>& layers,
                       const std::vector<int>& aliases, const std::vector<TensorId>& npu_inputs,
                       const std::vector<TensorId>& npu_outputs) {
  const std::size_t n = graph.tensors.size();
  std::vector<std::size_t> parent(n);
  std::iota(parent.begin(), parent.end(), std::size_t{0});
  for (const int i : aliases) {
    const graph::Node& node = graph.nodes[static_cast<std::size_t>(i)];
    parent[find_root(parent, static_cast<std::size_t>(node.outputs[0]))] =
        find_root(parent, static_cast<std::size_t>(node.inputs[0]));
  }

  Storages result;
  result.of_tensor.assign(n, -1);
  const auto storage_of = [&](TensorId id) -> Storage& {
    const std::size_t root = find_root(parent, static_cast<std::size_t>(id));
    if (result.of_tensor[root] < 0) {
      result.of_tensor[root] = static_cast<int>(result.all.size());
      Storage s;
      s.bytes = graph.tensors[root].bytes();
      if (graph.tensors[root].is_constant) s.role = StorageRole::kConstant;
      if (graph.tensors[root].is_variable) s.role = StorageRole::kVariable;
      result.all.push_back(s);
    }
    return result.all[static_cast<std::size_t>(result.of_tensor[root])];
  };

  for (const TensorId id : npu_inputs) storage_of(id).role = StorageRole::kInput;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const graph::Node& node = graph.nodes[static_cast<std::size_t>(layers[layer])];
    for (const TensorId id : data_inputs(graph, node)) {
      storage_of(id).last_layer = static_cast<int>(layer);
    }
    for (const TensorId id : node.outputs) {
      Storage& s = storage_of(id);
      s.first_layer = static_cast<int>(layer);
      s.last_layer = std::max(s.last_layer, static_cast<int>(layer));
    }
  }
  for (const TensorId id : npu_outputs) {
    Storage& s = storage_of(id);
    if (s.role == StorageRole::kIntermediate) s.role = StorageRole::kOutput;
  }
  for (std::size_t t = 0; t < n; ++t) {
    const std::size_t root = find_root(parent, t);
    if (result.of_tensor[root] < 0) continue;
    result.of_tensor[t] = result.of_tensor[root];
    result.all[static_cast<std::size_t>(result.of_tensor[t])].tensors.push_back(
        static_cast<TensorId>(t));
  }
  return result;
}

std::int64_t work_area_begin(const Storages& storages, int layer) {
  std::int64_t top = 0;
  for (const Storage& s : storages.all) {
    if (s.resident && s.first_layer <= layer && layer <= s.last_layer) {
      top = std::max(top, round_up(s.address + s.bytes, kAlignment));
    }
  }
  return top;
}

}  // namespace npu::mapper
