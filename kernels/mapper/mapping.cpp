#include "kernels/mapper/mapping.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "kernels/mapper/decisions.h"
#include "kernels/mapper/layer_planner.h"
#include "kernels/mapper/mapping_checks.h"
#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/step_count.h"
#include "kernels/mapper/window_pipeline.h"
#include "sim/base/error.h"
#include "sim/base/suggest.h"

namespace npu::mapper {
namespace {

using graph::Graph;
using graph::Node;
using std::int64_t;

/// Scratchpad to keep free of residents for a layer: all its weights where they are a small part of
/// the scratchpad, never less than an eighth of it.
std::vector<int64_t> reserves(const Graph& graph, const NpuConfig& config,
                              const std::vector<int>& layers) {
  const int64_t capacity = config.scratchpad.capacity_bytes;
  std::vector<int64_t> reserve;
  for (const int index : layers) {
    const Node& node = graph.nodes[static_cast<std::size_t>(index)];
    int64_t weights = 0;
    for (const graph::TensorId id : node.inputs) {
      if (id != graph::kAbsent && graph.tensor(id).is_constant) weights += graph.tensor(id).bytes();
    }
    reserve.push_back(std::clamp(2 * weights, capacity / 8, capacity / 2));
  }
  return reserve;
}

/// Whether fewer residents may help a layer.
bool needs_room(const Error& error) {
  const auto* mapping = dynamic_cast<const MappingError*>(&error);
  if (mapping == nullptr) return false;
  const Fault& f = mapping->fault();
  return f.level == MemoryLevel::kScratchpad &&
         (f.kind == FaultKind::kCapacity || f.kind == FaultKind::kOverlap);
}

/// @throws MappingError for a decision on a layer that is not there, with the nearest name.
void check_names(const Decisions& decisions, const std::vector<std::string>& names) {
  const std::set<std::string_view> known(names.begin(), names.end());
  const auto unknown = [&](const LayerDecision& d) { return !known.contains(d.layer); };
  const auto first = std::find_if(decisions.layers.begin(), decisions.layers.end(), unknown);
  if (first == decisions.layers.end()) return;
  const auto count = std::count_if(first, decisions.layers.end(), unknown);
  const auto all = static_cast<std::ptrdiff_t>(decisions.layers.size());
  const Fault fault{.kind = FaultKind::kName, .layer = first->layer, .key = "layer"};
  if (count > 1 && 2 * count > all) {
    fail_mapping(fault,
                 "the mapping is of another network: {} of its {} layers are not in this one, the "
                 "first is \"{}\"",
                 count, all, first->layer);
  }
  fail_mapping(fault, "the network has no layer \"{}\"{}", first->layer,
               did_you_mean(first->layer, names));
}

}  // namespace

void predict_layer(LayerPlan& plan, const Graph& graph, const NpuConfig& config,
                   const Storages& storages) {
  if (!plan.window) return;
  const Node& node = graph.nodes[static_cast<std::size_t>(plan.node)];
  const auto address = [&](std::string_view name, graph::TensorId id) -> int64_t {
    if (const Buffer* b = plan.buffer(name)) return b->address;
    const bool there =
        id != graph::kAbsent && storages.of_tensor[static_cast<std::size_t>(id)] >= 0;
    return there && storages.of(id).resident ? storages.of(id).address : 0;
  };
  const graph::TensorId weights = node.inputs.size() > 1 ? node.inputs[1] : graph::kAbsent;
  plan.predicted_cycles = predict_window(*plan.window, plan.tile, config,
                                         {address("x", node.inputs[0]), address("w", weights),
                                          address("y", node.outputs[0])})
                              .cycles;
}

std::vector<std::string> layer_names(const Graph& graph, const Partition& partition) {
  std::map<std::string, int> seen;
  std::vector<std::string> names;
  for (const int index : partition.layers) {
    const Node& node = graph.nodes[static_cast<std::size_t>(index)];
    std::string name = fmt::format("{} #{}", name_of(node.kind), node.source_index);
    const int before = seen[name]++;
    if (before > 0) name += fmt::format(" ({})", before + 1);
    names.push_back(std::move(name));
  }
  return names;
}

const Buffer* LayerPlan::buffer(std::string_view buffer_name) const {
  const auto it = std::find_if(buffers.begin(), buffers.end(),
                               [&](const Buffer& b) { return b.name == buffer_name; });
  return it == buffers.end() ? nullptr : &*it;
}

Mapping map_network(const Graph& graph, const NpuConfig& config, Partition partition,
                    const Decisions* decisions) {
  static const Decisions kFree;
  const Decisions& decided = decisions == nullptr ? kFree : *decisions;
  Mapping mapping;
  mapping.partition = std::move(partition);
  const Partition& part = mapping.partition;
  const std::vector<std::string> names = layer_names(graph, part);
  check_names(decided, names);
  const Storages bare =
      find_storages(graph, part.layers, part.aliases, part.npu_inputs, part.npu_outputs);
  std::vector<int64_t> reserve = reserves(graph, config, part.layers);
  const int64_t capacity = scratchpad_capacity(config);
  const ResidentDecisions residents = resident_decisions(bare, decided, names);

  // A layer that does not fit beside its residents gets more room and the network is placed again;
  // with all of the scratchpad reserved for it, what does not fit then does not fit at all.
  for (;;) {
    mapping.storages = bare;
    place_residents(mapping.storages, reserve, capacity, residents);
    mapping.layers.clear();
    bool again = false;
    for (std::size_t i = 0; i < part.layers.size() && !again; ++i) {
      const int layer = static_cast<int>(i);
      const int64_t begin = work_area_begin(mapping.storages, layer);
      const LayerDecision* decision = decided.layer(names[i]);
      const int64_t budget = layer_budget(mapping.storages, layer, capacity, decision);
      try {
        LayerPlan plan =
            plan_layer(graph, config, mapping.storages, part.layers[i], names[i], budget, decision);
        place_buffers(plan, mapping.storages, layer, capacity, i % 2 == 1, decision);
        predict_layer(plan, graph, config, mapping.storages);
        mapping.layers.push_back(std::move(plan));
      } catch (const Error& error) {
        if (begin == 0 || reserve[i] >= capacity || !needs_room(error)) throw;
        reserve[i] = std::min(capacity, std::max(2 * reserve[i], capacity - begin + 1));
        again = true;
      }
    }
    if (again) continue;
    check_mapping(graph, config, mapping);
    if (decisions != nullptr) check_step_count(graph, mapping);
    return mapping;
  }
}

}  // namespace npu::mapper
