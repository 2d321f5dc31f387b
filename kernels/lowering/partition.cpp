#include "kernels/lowering/partition.h"

#include <algorithm>

#include "kernels/lowering/compile.h"
#include "kernels/lowering/quantize.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;

enum class Side : std::uint8_t { kHostBefore, kNpu, kHostAfter };

[[noreturn]] void unsupported(const Graph& graph, const Node& node) {
  std::string types;
  for (const TensorId id : node.inputs) {
    types += types.empty() ? "" : ", ";
    types += id == graph::kAbsent ? "-"
                                  : fmt::format("{}{}", name_of(graph.tensor(id).type),
                                                to_string(graph.tensor(id).shape));
  }
  const graph::Tensor& y = graph.tensor(node.outputs.at(0));
  const std::string attributes = describe_attributes(node);
  fail("{}: not supported with operands ({}) -> {}{}{}{}; `npusim ops` lists what is",
       describe(node), types, name_of(y.type), to_string(y.shape), attributes.empty() ? "" : ", ",
       attributes);
}

void add_once(std::vector<TensorId>& ids, TensorId id) {
  if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
}

}  // namespace

mapper::Partition partition(const Graph& graph) {
  mapper::Partition p;
  // Which side a tensor's value exists on: made by the host before, by the NPU, or by the host
  // after.
  std::vector<Side> made(graph.tensors.size(), Side::kHostBefore);
  std::vector<bool> on_npu(graph.tensors.size(), false);
  const auto use_on_npu = [&](TensorId id) {
    const graph::Tensor& t = graph.tensor(id);
    if (!t.is_constant && !t.is_variable && made[static_cast<std::size_t>(id)] == Side::kHostBefore)
      add_once(p.npu_inputs, id);
  };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const Place place = place_of(graph, node);
    if (place == Place::kUnsupported) unsupported(graph, node);
    bool after_npu = false;
    bool after_host = false;
    for (const TensorId id : node.inputs) {
      if (id == graph::kAbsent) continue;
      after_npu |= made[static_cast<std::size_t>(id)] == Side::kNpu;
      after_host |= made[static_cast<std::size_t>(id)] == Side::kHostAfter;
    }
    Side side = Side::kNpu;
    if (place == Place::kHost) {
      side = after_npu || after_host ? Side::kHostAfter : Side::kHostBefore;
      (side == Side::kHostAfter ? p.host_after : p.host_before).push_back(static_cast<int>(i));
      for (const TensorId id : node.inputs) {
        if (id != graph::kAbsent && made[static_cast<std::size_t>(id)] == Side::kNpu)
          add_once(p.npu_outputs, id);
      }
    } else {
      if (after_host) {
        fail(
            "{}: follows a float operator that runs on the host; only the network's edges may be "
            "float",
            describe(node));
      }
      (place == Place::kAlias ? p.aliases : p.layers).push_back(static_cast<int>(i));
      for (const TensorId id : node.inputs) {
        if (id != graph::kAbsent) use_on_npu(id);
      }
    }
    for (const TensorId id : node.outputs) made[static_cast<std::size_t>(id)] = side;
  }
  for (const TensorId id : graph.outputs) {
    if (made[static_cast<std::size_t>(id)] == Side::kNpu) add_once(p.npu_outputs, id);
  }
  return p;
}

Graph split_rescaled_concatenations(Graph graph) {
  std::vector<Node> nodes;
  for (Node& node : graph.nodes) {
    if (node.kind == graph::OpKind::kConcatenation &&
        graph.tensor(node.outputs[0]).type == DType::kUint8 &&
        graph.tensor(node.outputs[0]).quantization.has_value()) {
      const PerTensor y = per_tensor(graph.tensor(node.outputs[0]));
      for (TensorId& id : node.inputs) {
        const PerTensor x = per_tensor(graph.tensor(id));
        if (x.scale == y.scale && x.zero_point == y.zero_point) continue;
        graph::Tensor rescaled = graph.tensor(id);
        rescaled.name += " rescaled";
        rescaled.is_constant = false;
        rescaled.data.clear();
        rescaled.quantization = graph.tensor(node.outputs[0]).quantization;
        const auto made = static_cast<TensorId>(graph.tensors.size());
        graph.tensors.push_back(std::move(rescaled));
        Node one = node;
        one.inputs = {id};
        one.outputs = {made};
        nodes.push_back(std::move(one));
        id = made;
      }
    }
    nodes.push_back(std::move(node));
  }
  graph.nodes = std::move(nodes);
  return graph;
}

}  // namespace npu::kernels
