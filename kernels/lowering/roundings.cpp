// Orders of roundings that a mapping chooses, on their way to the reference.
#include "kernels/lowering/roundings.h"

#include <algorithm>
#include <sstream>

#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;
using std::int64_t;

void add(std::string& list, TensorId output, int64_t block) {
  list += fmt::format("{}{}:{}", list.empty() ? "" : " ", output, block);
}

/// The tensor of the source network that a softmax makes, or that is made from it.
TensorId source_output(const Graph& source, const Graph& mapped, TensorId id) {
  while (static_cast<std::size_t>(id) >= source.tensors.size()) {
    const auto consumer =
        std::find_if(mapped.nodes.begin(), mapped.nodes.end(), [&](const Node& node) {
          return std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
        });
    NPU_CHECK(consumer != mapped.nodes.end(), "a tensor that was added has a consumer");
    id = consumer->outputs.at(0);
  }
  return id;
}

/// Calls set(node, block) for the nodes that the list under `key` names.
template <typename Set>
void apply_list(Graph& graph, const isa::Program& program, const std::string& key,
                std::string_view block_name, Set&& set) {
  const auto found = program.provenance.find(key);
  if (found == program.provenance.end()) return;
  std::istringstream list(found->second);
  TensorId output = 0;
  char colon = 0;
  int64_t block = 0;
  while (!(list >> std::ws).eof()) {
    if (!(list >> output >> colon >> block) || colon != ':' || block < 0) {
      fail("program: provenance `{}` is no list of output:{}: {}", key, block_name, found->second);
    }
    for (Node& node : graph.nodes) {
      if (!node.outputs.empty() && node.outputs[0] == output) set(node, block);
    }
  }
}

}  // namespace

void set_roundings(const Graph& source, const MappedNetwork& network, isa::Program& program) {
  std::string attention;
  for (const AttentionChoice& c : network.attention) add(attention, c.output, c.key_block);
  std::string softmax;
  for (const mapper::LayerPlan& plan : network.mapping.layers) {
    if (plan.softmax.block == 0) continue;
    const Node& node = network.graph.nodes[static_cast<std::size_t>(plan.node)];
    add(softmax, source_output(source, network.graph, node.outputs.at(0)), plan.softmax.block);
  }
  if (!attention.empty()) program.provenance["attention"] = attention;
  if (!softmax.empty()) program.provenance["softmax"] = softmax;
}

void apply_roundings(Graph& graph, const isa::Program& program) {
  apply_list(graph, program, "attention", "key_block", [](Node& node, int64_t block) {
    auto* attention = std::get_if<graph::AttentionAttrs>(&node.attrs);
    if (attention != nullptr) attention->key_block = block;
  });
  apply_list(graph, program, "softmax", "block", [](Node& node, int64_t block) {
    if (auto* softmax = std::get_if<graph::SoftmaxAttrs>(&node.attrs)) softmax->block = block;
    auto* attention = std::get_if<graph::AttentionAttrs>(&node.attrs);
    if (attention != nullptr) attention->softmax_block = block;
  });
}

}  // namespace npu::kernels
