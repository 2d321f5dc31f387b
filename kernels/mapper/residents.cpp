// Which storages stay in the scratchpad, and where.
#include <algorithm>

#include "kernels/mapper/decisions.h"
#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/memory_plan.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using std::int64_t;

bool overlaps(const Storage& a, const Storage& b) {
  return a.first_layer <= b.last_layer && b.first_layer <= a.last_layer;
}

std::string_view lies_in_dram(StorageRole role) {
  switch (role) {
    case StorageRole::kInput:
      return "an input of the NPU";
    case StorageRole::kOutput:
      return "an output of the NPU";
    case StorageRole::kVariable:
      return "a variable";
    case StorageRole::kConstant:
      return "a constant";
    case StorageRole::kIntermediate:
      return "without bytes";
  }
  return "?";
}

[[noreturn]] void refuse(const Storage& s, FaultKind kind, const char* key, int64_t there,
                         const std::string& why) {
  fail_mapping({.kind = kind,
                .key = fmt::format("tensors.{}.{}", s.tensors.front(), key),
                .level = MemoryLevel::kScratchpad,
                .object = fmt::format("tensor {}", s.tensors.front()),
                .needed = s.bytes,
                .there = there},
               "scratchpad: tensor {} needs {} bytes {}", s.tensors.front(), s.bytes, why);
}

/// Places storages one after the other.
class Placer {
 public:
  Placer(const std::vector<int64_t>& reserve, int64_t capacity, const ResidentDecisions& decided)
      : reserve_(reserve), capacity_(capacity), decided_(decided) {}

  void at(Storage& s, int64_t address) {
    const int64_t end = address + s.bytes;
    for (const Storage* p : placed_) {
      if (!overlaps(*p, s) || address >= p->address + p->bytes || p->address >= end) continue;
      const int64_t there = std::max<int64_t>(0, p->address - address);
      refuse(s, FaultKind::kOverlap, "address", there,
             fmt::format("at address {}, where tensor {} holds {} to {} in layers {} to {}: {} are "
                         "there",
                         address, p->tensors.front(), p->address, p->address + p->bytes,
                         p->first_layer, p->last_layer, there));
    }
    if (end > capacity_) {
      const int64_t there = std::max<int64_t>(0, capacity_ - address);
      refuse(s, FaultKind::kCapacity, "address", there,
             fmt::format("at address {}, {} are there", address, there));
    }
    place(s, address);
  }
  /// First fit below `capacity - reserve`, or below the capacity where it has to be resident.
  void anywhere(Storage& s, bool must) {
    int64_t limit = capacity_;
    for (int layer = s.first_layer; layer <= s.last_layer && !must; ++layer)
      limit = std::min(limit, capacity_ - reserve_[static_cast<std::size_t>(layer)]);
    int64_t address = 0;
    int64_t largest = 0;
    for (const auto& [low, high] : taken(s)) {
      largest = std::max(largest, low - address);
      if (address + s.bytes <= low) break;
      address = std::max(address, round_up(high, kAlignment));
    }
    if (address + s.bytes <= limit) return place(s, address);
    if (!must) return;
    largest = std::max(largest, limit - address);
    refuse(s, FaultKind::kCapacity, "memory", largest,
           fmt::format("in one piece, {} are there", largest));
  }

 private:
  void place(Storage& s, int64_t address) {
    s.resident = true;
    s.address = address;
    placed_.push_back(&s);
  }
  /// What holds bytes during the lifetime of a storage, by address.
  [[nodiscard]] std::vector<std::pair<int64_t, int64_t>> taken(const Storage& s) const {
    std::vector<std::pair<int64_t, int64_t>> ranges;
    for (const Storage* p : placed_) {
      if (overlaps(*p, s)) ranges.emplace_back(p->address, p->address + p->bytes);
    }
    for (const ResidentDecisions::Buffer& b : decided_.buffers) {
      if (s.first_layer <= b.layer && b.layer <= s.last_layer) ranges.emplace_back(b.low, b.high);
    }
    std::sort(ranges.begin(), ranges.end());
    return ranges;
  }

  const std::vector<int64_t>& reserve_;
  int64_t capacity_;
  const ResidentDecisions& decided_;
  std::vector<const Storage*> placed_;
};

}  // namespace

const ResidentDecisions::Choice* ResidentDecisions::of(std::size_t storage) const {
  const auto it = std::find_if(choices.begin(), choices.end(),
                               [&](const Choice& c) { return c.storage == storage; });
  return it == choices.end() ? nullptr : &*it;
}

ResidentDecisions resident_decisions(const Storages& storages, const Decisions& decisions,
                                     const std::vector<std::string>& layers) {
  ResidentDecisions result;
  for (const TensorDecision& d : decisions.tensors) {
    const bool known = d.tensor >= 0 &&
                       static_cast<std::size_t>(d.tensor) < storages.of_tensor.size() &&
                       storages.of_tensor[static_cast<std::size_t>(d.tensor)] >= 0;
    if (!known) {
      fail_mapping({.kind = FaultKind::kName, .key = fmt::format("tensors.{}", d.tensor)},
                   "tensors: {}: no tensor of the NPU's memories has this number", d.tensor);
    }
    const auto index =
        static_cast<std::size_t>(storages.of_tensor[static_cast<std::size_t>(d.tensor)]);
    const Storage& s = storages.all[index];
    for (const graph::TensorId id : d.same) {
      const bool same = id >= 0 && static_cast<std::size_t>(id) < storages.of_tensor.size() &&
                        storages.of_tensor[static_cast<std::size_t>(id)] == static_cast<int>(index);
      if (same) continue;
      fail_mapping({.kind = FaultKind::kName, .key = fmt::format("tensors.{}.tensors", d.tensor)},
                   "tensors: {} does not share the bytes of {}", id, d.tensor);
    }
    if (result.of(index) != nullptr)
      refuse(s, FaultKind::kName, "memory", -1, "and is decided twice");
    if (d.resident && (s.role != StorageRole::kIntermediate || s.bytes == 0)) {
      refuse(s, FaultKind::kUnsupported, "memory", -1,
             fmt::format("in dram: it is {}", lies_in_dram(s.role)));
    }
    if (d.address && (*d.address < 0 || *d.address % kAlignment != 0)) {
      refuse(s, FaultKind::kMisaligned, "address", -1,
             fmt::format("at a multiple of {}, got {}", kAlignment, *d.address));
    }
    result.choices.push_back({index, d.resident, d.address});
  }
  for (const LayerDecision& d : decisions.layers) {
    const auto layer = std::find(layers.begin(), layers.end(), d.layer) - layers.begin();
    for (const BufferDecision& b : d.buffers) {
      if (!b.address) continue;
      const int64_t bytes = b.slot_bytes.value_or(kAlignment) * b.slots.value_or(1);
      result.buffers.push_back({static_cast<int>(layer), *b.address, *b.address + bytes});
    }
  }
  return result;
}

void place_residents(Storages& storages, const std::vector<int64_t>& reserve_bytes,
                     int64_t capacity_bytes, const ResidentDecisions& decided) {
  struct Candidate {
    Storage* storage;
    const ResidentDecisions::Choice* choice;
  };
  std::vector<Candidate> candidates;
  for (std::size_t i = 0; i < storages.all.size(); ++i) {
    Storage& s = storages.all[i];
    const ResidentDecisions::Choice* choice = decided.of(i);
    if (choice != nullptr && !choice->resident) continue;
    if (s.role == StorageRole::kIntermediate && s.bytes > 0) candidates.push_back({&s, choice});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) {
                     return a.storage->first_layer < b.storage->first_layer;
                   });
  Placer placer(reserve_bytes, capacity_bytes, decided);
  for (const Candidate& c : candidates) {
    if (c.choice == nullptr || !c.choice->address) continue;
    placer.at(*c.storage, *c.choice->address);
    c.storage->decided_address = true;
  }
  for (const Candidate& c : candidates) {
    if (c.choice != nullptr && !c.choice->address) placer.anywhere(*c.storage, true);
  }
  for (const Candidate& c : candidates) {
    if (c.choice == nullptr) placer.anywhere(*c.storage, false);
  }
}

}  // namespace npu::mapper
