#include "kernels/lowering/layer_keys.h"

#include <algorithm>
#include <map>
#include <string>

#include "kernels/cost/layer_cost.h"

namespace npu::kernels {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;
using mapper::Mapping;
using mapper::Storage;

/// What makes a layer, attributes excepted, as text without ambiguity.
class KeyText {
 public:
  KeyText(const Graph& graph, const Mapping& mapping) : graph_(graph), mapping_(mapping) {}

  std::string of(int layer) {
    text_.clear();
    scales_.clear();
    const mapper::LayerPlan& plan = mapping_.layers[static_cast<std::size_t>(layer)];
    const Node& node = graph_.nodes[static_cast<std::size_t>(plan.node)];
    add(static_cast<int>(node.kind));
    add(mapper::work_area_begin(mapping_.storages, layer));
    // A placed window's own prediction may depend on the end of the area.
    add(plan.window ? plan.tile.predicted_cycles : plan.predicted_cycles);
    tile(plan);
    add(plan.buffers.size());
    for (const mapper::Buffer& b : plan.buffers) {
      add(b.slot_bytes);
      add(b.slots);
    }
    for (const auto* ids : {&node.inputs, &node.outputs}) {
      add(ids->size());
      for (const TensorId id : *ids) operand(id, layer);
    }
    return text_;
  }

 private:
  template <typename T>
  void add(const T& value) {
    fmt::format_to(std::back_inserter(text_), "{} ", value);
  }

  /// What a mapping may decide otherwise than for an equal layer.
  void tile(const mapper::LayerPlan& plan) {
    const mapper::WindowTile& t = plan.tile;
    for (const std::int64_t n :
         {t.out_h, t.out_w, t.out_c, t.in_c, t.images, plan.chunk, plan.softmax.block})
      add(n);
    add(static_cast<int>(t.order));
    add(t.streamed ? 1 : 0);
    add(t.acc_slots);
    add(plan.level);
    add(plan.box.chunk.size());
    for (const std::int64_t n : plan.box.chunk) add(n);
    for (const std::int64_t n : {plan.attention.heads, plan.attention.rows, plan.attention.keys})
      add(n);
  }

  void operand(TensorId id, int layer) {
    if (id == graph::kAbsent) {
      add("-");
      return;
    }
    const graph::Tensor& t = graph_.tensor(id);
    add(static_cast<int>(t.type));
    add(to_string(t.shape));
    quantization(t);
    const int storage = mapping_.storages.of_tensor[static_cast<std::size_t>(id)];
    if (storage < 0) {
      add("c");
    } else {
      place(mapping_.storages.all[static_cast<std::size_t>(storage)], layer);
    }
  }

  void quantization(const graph::Tensor& t) {
    if (!t.quantization) {
      add("n");
      return;
    }
    add(t.quantization->scale.size());
    add(t.quantization->axis);
    if (t.is_constant) return;
    // No instruction takes longer for another scale; some are left out where two are equal.
    const auto same = std::find(scales_.begin(), scales_.end(), t.quantization->scale);
    add(same - scales_.begin());
    if (same == scales_.end()) scales_.push_back(t.quantization->scale);
    for (const std::int32_t zero : t.quantization->zero_point) add(zero);
  }

  void place(const Storage& s, int layer) {
    add(static_cast<int>(s.role));
    add(s.bytes);
    if (s.resident) add(s.address);
    add(s.first_layer < 0 ? -1 : std::min(layer - s.first_layer, kFarProducer));
  }

  const Graph& graph_;
  const Mapping& mapping_;
  std::string text_;
  std::vector<std::vector<float>> scales_;  ///< Of the layer's operands so far, each once.
};

}  // namespace

std::vector<std::uint32_t> layer_keys(const Graph& graph, const Mapping& mapping) {
  struct Known {
    const graph::Attrs* attrs;
    std::uint32_t key;
  };
  std::multimap<std::string, Known> known;
  std::vector<std::uint32_t> keys;
  KeyText text(graph, mapping);
  for (std::size_t i = 0; i < mapping.layers.size(); ++i) {
    const Node& node = graph.nodes[static_cast<std::size_t>(mapping.layers[i].node)];
    const std::string layer = text.of(static_cast<int>(i));
    const auto [first, last] = known.equal_range(layer);
    const auto same =
        std::find_if(first, last, [&](const auto& k) { return *k.second.attrs == node.attrs; });
    if (same != last) {
      keys.push_back(same->second.key);
      continue;
    }
    keys.push_back(static_cast<std::uint32_t>(known.size()));
    known.emplace(layer, Known{&node.attrs, keys.back()});
  }
  return keys;
}

std::vector<double> predicted_cycles(const Graph& graph, const NpuConfig& config,
                                     const Mapping& mapping) {
  const double bytes_per_cycle = cost::dram_bytes_per_cycle(config);
  std::vector<double> all;
  for (const mapper::LayerPlan& plan : mapping.layers) {
    if (plan.predicted_cycles >= 0) {
      all.push_back(static_cast<double>(plan.predicted_cycles));
      continue;
    }
    double bytes = 0;
    double elements = 0;
    const Node& node = graph.nodes[static_cast<std::size_t>(plan.node)];
    for (const auto* ids : {&node.inputs, &node.outputs}) {
      for (const TensorId id : *ids) {
        if (id == graph::kAbsent) continue;
        const int storage = mapping.storages.of_tensor[static_cast<std::size_t>(id)];
        const bool resident =
            storage >= 0 && mapping.storages.all[static_cast<std::size_t>(storage)].resident;
        if (!resident) bytes += static_cast<double>(graph.tensor(id).bytes());
        elements = std::max(elements, static_cast<double>(element_count(graph.tensor(id).shape)));
      }
    }
    all.push_back(std::max(bytes / bytes_per_cycle, elements / config.vector_unit.lanes));
  }
  return all;
}

}  // namespace npu::kernels
