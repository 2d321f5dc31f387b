#include "tests/mapping/mapping_faults.h"

#include <array>
#include <stdexcept>

namespace npu::test {
namespace {

using mapper::BufferDecision;
using mapper::FaultKind;
using mapper::LayerDecision;
using mapper::MemoryLevel;
using std::int64_t;

const mapper::LayerPlan& plan_of(const Good& g, const LayerDecision& d) {
  for (const mapper::LayerPlan& l : g.mapped.mapping.layers) {
    if (l.name == d.layer) return l;
  }
  throw std::logic_error("no such layer");
}

/// A random layer for which `fits` holds.
template <typename Fits>
LayerDecision* pick(Good& g, Fits&& fits) {
  std::vector<LayerDecision*> found;
  for (LayerDecision& d : g.decisions.layers) {
    if (fits(d)) found.push_back(&d);
  }
  return found.empty() ? nullptr : found[g.below(found.size())];
}
bool has_buffers(const LayerDecision& d) { return !d.buffers.empty(); }

template <typename Fits>
mapper::TensorDecision* pick_tensor(Good& g, Fits&& fits) {
  std::vector<mapper::TensorDecision*> found;
  for (mapper::TensorDecision& d : g.decisions.tensors) {
    if (fits(d)) found.push_back(&d);
  }
  return found.empty() ? nullptr : found[g.below(found.size())];
}
bool is_resident(const mapper::TensorDecision& d) { return d.resident; }

std::optional<Expected> unknown_layer(Good& g) {
  LayerDecision* d = pick(g, [](const LayerDecision&) { return true; });
  if (d == nullptr) return std::nullopt;
  d->layer += "7";
  return Expected{{FaultKind::kName}, d->layer, "layer"};
}

std::optional<Expected> unknown_buffer(Good& g) {
  LayerDecision* d = pick(g, [](const LayerDecision&) { return true; });
  if (d == nullptr) return std::nullopt;
  d->buffers.push_back({.name = "zz", .slots = 1});
  return Expected{{FaultKind::kName}, d->layer, "scratchpad.zz"};
}

std::optional<Expected> unknown_tensor(Good& g) {
  g.decisions.tensors.push_back({.tensor = 99999, .resident = false});
  return Expected{{FaultKind::kName}, "", "tensors.99999"};
}

std::optional<Expected> foreign_key(Good& g) {
  LayerDecision* d = pick(g, [](const LayerDecision& l) { return !l.out_h && l.box.empty(); });
  if (d == nullptr) return std::nullopt;
  if (g.below(2) == 0) {
    d->out_h = 1;
    return Expected{{FaultKind::kName}, d->layer, "tile"};
  }
  d->box = {1};
  return Expected{{FaultKind::kName}, d->layer, "box"};
}

std::optional<Expected> tile_beyond_the_layer(Good& g) {
  LayerDecision* d = pick(g, [](const LayerDecision& l) { return l.out_h.has_value(); });
  if (d == nullptr) return std::nullopt;
  const mapper::WindowProblem& p = *plan_of(g, *d).window;
  const auto more = static_cast<int64_t>(1 + g.below(100));
  switch (g.below(4)) {
    case 0:
      d->out_h = p.out_h + more;
      return Expected{{FaultKind::kRange, FaultKind::kUnsupported}, d->layer, "tile.out_h"};
    case 1:
      d->out_w = p.out_w + more;
      return Expected{{FaultKind::kRange, FaultKind::kUnsupported}, d->layer, "tile.out_w"};
    case 2:
      d->out_c = p.out_c + more;
      return Expected{{FaultKind::kRange, FaultKind::kUnsupported}, d->layer, "tile.out_c"};
    default:
      d->in_c = p.in_c + more;
      return Expected{{FaultKind::kRange, FaultKind::kUnsupported}, d->layer, "tile.in_c"};
  }
}

std::optional<Expected> tied_channels(Good& g) {
  LayerDecision* d = pick(g, [&](const LayerDecision& l) {
    if (!l.out_c) return false;
    const mapper::WindowKind kind = plan_of(g, l).window->kind;
    const bool tied = kind == mapper::WindowKind::kPool || kind == mapper::WindowKind::kDepthwise;
    return tied && *l.in_c > 1;
  });
  if (d == nullptr) return std::nullopt;
  --*d->in_c;
  return Expected{{FaultKind::kUnsupported}, d->layer, "tile.in_c"};
}

std::optional<Expected> no_such_cut(Good& g) {
  LayerDecision* d = pick(g, [](const LayerDecision& l) { return l.cut_units.has_value(); });
  if (d == nullptr) return std::nullopt;
  if (g.below(2) == 0) {
    d->cut_level = 9;
    return Expected{{FaultKind::kRange}, d->layer, "cut.level"};
  }
  d->cut_units = int64_t{1} << 30;
  return Expected{{FaultKind::kRange}, d->layer, "cut.units"};
}

std::optional<Expected> no_such_passes(Good& g) {
  LayerDecision* d = pick(g, [](const LayerDecision& l) { return l.passes.has_value(); });
  if (d == nullptr) return std::nullopt;
  switch (g.below(3)) {
    case 0:
      d->passes = static_cast<int>(g.below(2) == 0 ? g.below(2) : 4 + g.below(9));
      return Expected{{FaultKind::kRange}, d->layer, "softmax.passes"};
    case 1:
      d->passes = 3;
      d->block = static_cast<int64_t>(1 + g.below(9));
      return Expected{{FaultKind::kUnsupported}, d->layer, "softmax.block"};
    default:
      d->passes = 2;
      d->block = int64_t{1} << 30;
      return Expected{{FaultKind::kRange}, d->layer, "softmax.block"};
  }
}

std::optional<Expected> no_softmax(Good& g) {
  LayerDecision* d = pick(g, [](const LayerDecision& l) { return !l.passes; });
  if (d == nullptr) return std::nullopt;
  d->passes = 2;
  return Expected{{FaultKind::kName}, d->layer, "softmax"};
}

std::optional<Expected> no_such_box(Good& g) {
  LayerDecision* d = pick(g, [](const LayerDecision& l) { return !l.box.empty(); });
  if (d == nullptr) return std::nullopt;
  d->box[g.below(d->box.size())] = int64_t{1} << 20;
  return Expected{{FaultKind::kRange}, d->layer, "box"};
}

std::optional<Expected> attention_beyond_the_layer(Good& g) {
  LayerDecision* d = pick(g, [](const LayerDecision& l) { return l.keys.has_value(); });
  if (d == nullptr) return std::nullopt;
  const std::array<std::optional<int64_t>*, 3> fields = {&d->heads, &d->rows, &d->keys};
  const std::array<const char*, 3> names = {"heads", "rows", "keys"};
  const std::size_t i = g.below(3);
  *fields[i] = 40000;
  return Expected{{FaultKind::kRange}, d->layer, fmt::format("attention.{}", names[i])};
}

std::optional<Expected> too_many_images(Good& g) {
  LayerDecision* d = pick(g, [](const LayerDecision& l) { return l.images.has_value(); });
  if (d == nullptr) return std::nullopt;
  d->images = plan_of(g, *d).products.count() + 1;
  return Expected{{FaultKind::kUnsupported, FaultKind::kRange}, d->layer, "images"};
}

std::optional<Expected> no_result_stream(Good& g) {
  if (g.c.config.mac_array.result_stream_entries > 0) return std::nullopt;
  LayerDecision* d = pick(g, [&](const LayerDecision& l) {
    return l.out_h && plan_of(g, l).window->kind != mapper::WindowKind::kPool;
  });
  if (d == nullptr) return std::nullopt;
  d->streamed = true;
  d->acc_slots = std::nullopt;
  return Expected{{FaultKind::kUnsupported}, d->layer, "streamed"};
}

std::optional<Expected> small_slot(Good& g) {
  LayerDecision* d = pick(g, [&](const LayerDecision& l) {
    return (l.out_h || l.cut_units || l.keys || !l.box.empty()) && has_buffers(l) &&
           !l.layer.starts_with("SVDF");
  });
  if (d == nullptr) return std::nullopt;
  BufferDecision& b = d->buffers[g.below(d->buffers.size())];
  if (*b.slot_bytes <= mapper::kAlignment || b.name == "params") return std::nullopt;
  *b.slot_bytes -= mapper::kAlignment;
  return Expected{{FaultKind::kSlots},
                  d->layer,
                  fmt::format("scratchpad.{}.slot_bytes", b.name),
                  MemoryLevel::kScratchpad};
}

std::optional<Expected> odd_slot(Good& g) {
  LayerDecision* d = pick(g, has_buffers);
  if (d == nullptr) return std::nullopt;
  BufferDecision& b = d->buffers[g.below(d->buffers.size())];
  *b.slot_bytes += static_cast<int64_t>(1 + g.below(63));
  return Expected{{FaultKind::kMisaligned},
                  d->layer,
                  fmt::format("scratchpad.{}.slot_bytes", b.name),
                  MemoryLevel::kScratchpad};
}

std::optional<Expected> too_many_slots(Good& g) {
  LayerDecision* d = pick(g, has_buffers);
  if (d == nullptr) return std::nullopt;
  BufferDecision& b = d->buffers[g.below(d->buffers.size())];
  const int64_t slots = g.c.config.scratchpad.capacity_bytes / *b.slot_bytes + 1;
  b.slots = static_cast<int>(slots);
  return Expected{
      {FaultKind::kCapacity, FaultKind::kOverlap}, d->layer, "", MemoryLevel::kScratchpad};
}

std::optional<Expected> no_slots(Good& g) {
  LayerDecision* d = pick(g, has_buffers);
  if (d == nullptr) return std::nullopt;
  BufferDecision& b = d->buffers[g.below(d->buffers.size())];
  b.slots = 0;
  return Expected{{FaultKind::kSlots},
                  d->layer,
                  fmt::format("scratchpad.{}.slots", b.name),
                  MemoryLevel::kScratchpad};
}

std::optional<Expected> odd_address(Good& g) {
  LayerDecision* d = pick(g, has_buffers);
  if (d == nullptr) return std::nullopt;
  BufferDecision& b = d->buffers[g.below(d->buffers.size())];
  *b.address += static_cast<int64_t>(1 + g.below(63));
  return Expected{{FaultKind::kMisaligned},
                  d->layer,
                  fmt::format("scratchpad.{}.address", b.name),
                  MemoryLevel::kScratchpad};
}

std::optional<Expected> address_beyond_the_end(Good& g) {
  LayerDecision* d = pick(g, has_buffers);
  if (d == nullptr) return std::nullopt;
  BufferDecision& b = d->buffers[g.below(d->buffers.size())];
  const int64_t end = g.c.config.scratchpad.capacity_bytes / mapper::kAlignment;
  b.address = (end + static_cast<int64_t>(g.below(1000))) * mapper::kAlignment;
  return Expected{{FaultKind::kCapacity},
                  d->layer,
                  fmt::format("scratchpad.{}.address", b.name),
                  MemoryLevel::kScratchpad};
}

std::optional<Expected> buffers_on_each_other(Good& g) {
  LayerDecision* d = pick(g, [](const LayerDecision& l) { return l.buffers.size() > 1; });
  if (d == nullptr) return std::nullopt;
  const std::size_t i = g.below(d->buffers.size() - 1);
  d->buffers[i].address = *d->buffers[i + 1].address;
  return Expected{{FaultKind::kOverlap, FaultKind::kCapacity},
                  d->layer,
                  "scratchpad.",
                  MemoryLevel::kScratchpad};
}

std::optional<Expected> buffer_on_a_tensor(Good& g) {
  for (const mapper::Storage& s : g.mapped.mapping.storages.all) {
    if (!s.resident) continue;
    const mapper::LayerPlan& l =
        g.mapped.mapping
            .layers[static_cast<std::size_t>(g.below(2) == 0 ? s.first_layer : s.last_layer)];
    LayerDecision* d = pick(g, [&](const LayerDecision& of) { return of.layer == l.name; });
    if (d == nullptr || d->buffers.empty()) continue;
    BufferDecision& b = d->buffers[g.below(d->buffers.size())];
    b.address = s.address;
    return Expected{{FaultKind::kOverlap},
                    d->layer,
                    fmt::format("scratchpad.{}.address", b.name),
                    MemoryLevel::kScratchpad};
  }
  return std::nullopt;
}

std::optional<Expected> too_many_sums(Good& g) {
  LayerDecision* d = pick(g, [](const LayerDecision& l) { return l.acc_slots.value_or(0) > 0; });
  if (d == nullptr) return std::nullopt;
  const int64_t bytes = plan_of(g, *d).tile.acc_bytes;
  d->acc_slots = static_cast<int>(g.c.config.accumulator.capacity_bytes / bytes + 1);
  return Expected{{FaultKind::kCapacity}, d->layer, "", MemoryLevel::kAccumulator};
}

std::optional<Expected> resident_input(Good& g) {
  mapper::TensorDecision* d = pick_tensor(g, [&](const mapper::TensorDecision& t) {
    return g.mapped.mapping.storages.of(t.tensor).role != mapper::StorageRole::kIntermediate;
  });
  if (d == nullptr) return std::nullopt;
  d->resident = true;
  return Expected{{FaultKind::kUnsupported},
                  "",
                  fmt::format("tensors.{}.memory", d->tensor),
                  MemoryLevel::kScratchpad};
}

std::optional<Expected> odd_tensor_address(Good& g) {
  mapper::TensorDecision* d = pick_tensor(g, is_resident);
  if (d == nullptr) return std::nullopt;
  *d->address += static_cast<int64_t>(1 + g.below(63));
  return Expected{{FaultKind::kMisaligned},
                  "",
                  fmt::format("tensors.{}.address", d->tensor),
                  MemoryLevel::kScratchpad};
}

std::optional<Expected> tensor_beyond_the_end(Good& g) {
  mapper::TensorDecision* d = pick_tensor(g, is_resident);
  if (d == nullptr) return std::nullopt;
  d->address = g.c.config.scratchpad.capacity_bytes / mapper::kAlignment * mapper::kAlignment;
  return Expected{{FaultKind::kCapacity},
                  "",
                  fmt::format("tensors.{}.address", d->tensor),
                  MemoryLevel::kScratchpad};
}

std::optional<Expected> tensors_on_each_other(Good& g) {
  const mapper::Storages& s = g.mapped.mapping.storages;
  for (mapper::TensorDecision& a : g.decisions.tensors) {
    for (const mapper::TensorDecision& b : g.decisions.tensors) {
      if (&a == &b || !a.resident || !b.resident) continue;
      const mapper::Storage& x = s.of(a.tensor);
      const mapper::Storage& y = s.of(b.tensor);
      if (x.first_layer > y.last_layer || y.first_layer > x.last_layer) continue;
      a.address = *b.address;
      return Expected{{FaultKind::kOverlap}, "", "tensors.", MemoryLevel::kScratchpad};
    }
  }
  return std::nullopt;
}

std::optional<Expected> other_bytes(Good& g) {
  if (g.decisions.tensors.size() < 2) return std::nullopt;
  mapper::TensorDecision& d = g.decisions.tensors[0];
  d.same.push_back(g.decisions.tensors[1].tensor);
  g.decisions.tensors.erase(g.decisions.tensors.begin() + 1);
  return Expected{{FaultKind::kName}, "", fmt::format("tensors.{}.tensors", d.tensor)};
}

}  // namespace

const std::vector<NamedBreaker>& breakers() {
  static const std::vector<NamedBreaker> kAll = {
      {"unknown layer", unknown_layer},
      {"unknown buffer", unknown_buffer},
      {"unknown tensor", unknown_tensor},
      {"foreign key", foreign_key},
      {"tile beyond the layer", tile_beyond_the_layer},
      {"tied channels", tied_channels},
      {"no such cut", no_such_cut},
      {"no such passes", no_such_passes},
      {"no softmax", no_softmax},
      {"no such box", no_such_box},
      {"attention beyond the layer", attention_beyond_the_layer},
      {"too many images", too_many_images},
      {"no result stream", no_result_stream},
      {"small slot", small_slot},
      {"odd slot", odd_slot},
      {"too many slots", too_many_slots},
      {"no slots", no_slots},
      {"odd address", odd_address},
      {"address beyond the end", address_beyond_the_end},
      {"buffers on each other", buffers_on_each_other},
      {"buffer on a tensor", buffer_on_a_tensor},
      {"too many sums", too_many_sums},
      {"resident input", resident_input},
      {"odd tensor address", odd_tensor_address},
      {"tensor beyond the end", tensor_beyond_the_end},
      {"tensors on each other", tensors_on_each_other},
      {"other bytes", other_bytes},
  };
  return kAll;
}

}  // namespace npu::test
