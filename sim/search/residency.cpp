#include "sim/search/residency.h"

#include <algorithm>
#include <utility>

#include "sim/base/error.h"

namespace npu::search {
namespace {

using mapper::Storage;
using mapper::StorageRole;

bool is_decided(const Storage& s, const mapper::Decisions* fixed) {
  if (fixed == nullptr) return false;
  return std::any_of(fixed->tensors.begin(), fixed->tensors.end(), [&](const auto& d) {
    return std::find(s.tensors.begin(), s.tensors.end(), d.tensor) != s.tensors.end();
  });
}

bool may_move(const Storage& s, const mapper::Decisions* fixed) {
  return s.role == StorageRole::kIntermediate && s.bytes > 0 && s.first_layer >= 0 &&
         !is_decided(s, fixed);
}

mapper::TensorDecision decide(const Storage& s, bool resident) {
  mapper::TensorDecision d;
  d.tensor = s.tensors.front();
  d.resident = resident;
  return d;
}

/// Residents that are made from a resident count one more than it; the others are 1.
std::vector<int> chain_positions(const kernels::MappedNetwork& network) {
  const mapper::Storages& storages = network.mapping.storages;
  std::vector<int> position(storages.all.size());
  for (const mapper::LayerPlan& plan : network.mapping.layers) {
    const graph::Node& node = network.graph.nodes[static_cast<std::size_t>(plan.node)];
    int longest = 0;
    for (const graph::TensorId id : node.inputs) {
      if (id == graph::kAbsent) continue;
      const int s = storages.of_tensor[static_cast<std::size_t>(id)];
      if (s >= 0) longest = std::max(longest, position[static_cast<std::size_t>(s)]);
    }
    for (const graph::TensorId id : node.outputs) {
      const int s = storages.of_tensor[static_cast<std::size_t>(id)];
      if (s < 0) continue;
      const auto at = static_cast<std::size_t>(s);
      if (storages.all[at].resident) position[at] = std::max(position[at], longest + 1);
    }
  }
  return position;
}

}  // namespace

std::vector<Move> residency_moves(const kernels::MappedNetwork& network,
                                  const mapper::Decisions* fixed, std::size_t most) {
  std::vector<Move> moves;
  const std::vector<Storage>& all = network.mapping.storages.all;
  const std::vector<int> position = chain_positions(network);
  for (const int depth : {1, 2, 4}) {
    Move cut{fmt::format("chains of at most {}", depth), {}};
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i].resident && may_move(all[i], fixed) && position[i] % (depth + 1) == 0)
        cut.tensors.push_back(decide(all[i], false));
    }
    if (!cut.tensors.empty()) moves.push_back(std::move(cut));
  }
  std::vector<const Storage*> by_bytes;
  for (const Storage& s : all) {
    if (may_move(s, fixed)) by_bytes.push_back(&s);
  }
  std::stable_sort(by_bytes.begin(), by_bytes.end(), [](const Storage* a, const Storage* b) {
    if (a->resident != b->resident) return b->resident;
    return a->bytes > b->bytes;
  });
  for (const Storage* s : by_bytes) {
    moves.push_back(
        {fmt::format("tensor {} {}", s->tensors.front(), s->resident ? "in dram" : "resident"),
         {decide(*s, !s->resident)}});
  }
  if (moves.size() > most) moves.resize(most);
  return moves;
}

std::vector<bool> changed_layers(const kernels::MappedNetwork& a, const kernels::MappedNetwork& b,
                                 const NpuConfig& config) {
  const std::int64_t capacity = mapper::scratchpad_capacity(config);
  const auto area = [&](const kernels::MappedNetwork& of, std::size_t layer) {
    const mapper::FreeArea free =
        mapper::work_area(of.mapping.storages, static_cast<int>(layer), capacity);
    return std::pair(free.low, free.high);
  };
  NPU_CHECK(a.mapping.layers.size() == b.mapping.layers.size(), "the same network");
  std::vector<bool> changed;
  for (std::size_t i = 0; i < a.mapping.layers.size(); ++i) {
    const graph::Node& node = a.graph.nodes[static_cast<std::size_t>(a.mapping.layers[i].node)];
    bool differs = area(a, i) != area(b, i);
    for (const auto* ids : {&node.inputs, &node.outputs}) {
      for (const graph::TensorId id : *ids) {
        if (id == graph::kAbsent || a.mapping.storages.of_tensor[static_cast<std::size_t>(id)] < 0)
          continue;
        const Storage& x = a.mapping.storages.of(id);
        const Storage& y = b.mapping.storages.of(id);
        differs = differs || x.resident != y.resident || (x.resident && x.address != y.address);
      }
    }
    changed.push_back(differs);
  }
  return changed;
}

}  // namespace npu::search
