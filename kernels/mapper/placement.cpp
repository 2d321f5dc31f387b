// Where the buffers of a layer lie.
#include <algorithm>

#include "kernels/mapper/layer_planner.h"
#include "kernels/mapper/mapping_error.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using std::int64_t;

/// Bytes of the scratchpad that something holds.
struct Held {
  int64_t low = 0, high = 0;
  std::string by;
};

/// What is resident during a layer, by address.
std::vector<Held> residents(const Storages& storages, int layer) {
  std::vector<Held> held;
  for (const Storage& s : storages.all) {
    if (!s.resident || s.first_layer > layer || layer > s.last_layer) continue;
    held.push_back({s.address, round_up(s.address + s.bytes, kAlignment),
                    fmt::format("tensor {}", s.tensors.front())});
  }
  std::sort(held.begin(), held.end(), [](const Held& a, const Held& b) { return a.low < b.low; });
  return held;
}

/// Free pieces between what is held, ascending.
std::vector<Held> free_pieces(std::vector<Held> held, int64_t capacity) {
  std::sort(held.begin(), held.end(), [](const Held& a, const Held& b) { return a.low < b.low; });
  std::vector<Held> pieces;
  int64_t at = 0;
  for (const Held& h : held) {
    if (h.low > at) pieces.push_back({at, h.low, {}});
    at = std::max(at, h.high);
  }
  if (at < capacity) pieces.push_back({at, capacity, {}});
  return pieces;
}

[[noreturn]] void refuse(const LayerPlan& plan, const Buffer& b, FaultKind kind, int64_t there,
                         const std::string& why) {
  fail_mapping({.kind = kind,
                .layer = plan.name,
                .key = fmt::format("scratchpad.{}.address", b.name),
                .level = MemoryLevel::kScratchpad,
                .object = b.name,
                .needed = b.bytes(),
                .there = there},
               "{}: scratchpad: {} needs {} bytes {}", plan.name, b.name, b.bytes(), why);
}

/// Bytes free from `at` on.
int64_t free_at(const std::vector<Held>& held, int64_t at, int64_t capacity) {
  for (const Held& piece : free_pieces(held, capacity)) {
    if (piece.low <= at && at < piece.high) return piece.high - at;
  }
  return 0;
}

void place_decided(LayerPlan& plan, Buffer& b, int64_t address, int64_t capacity,
                   std::vector<Held>& held) {
  b.address = address;
  const int64_t end = address + b.bytes();
  for (const Held& h : held) {
    if (h.low >= end || address >= h.high) continue;
    const int64_t there = free_at(held, address, capacity);
    refuse(plan, b, FaultKind::kOverlap, there,
           fmt::format("at address {}, where {} holds {} to {}: {} are there", address, h.by, h.low,
                       h.high, there));
  }
  if (end > capacity) {
    const int64_t there = std::max<int64_t>(0, capacity - address);
    refuse(plan, b, FaultKind::kCapacity, there,
           fmt::format("at address {}, {} are there", address, there));
  }
  held.push_back({address, end, fmt::format("buffer {}", b.name)});
}

void place_free(LayerPlan& plan, Buffer& b, int64_t capacity, bool from_the_top,
                std::vector<Held>& held) {
  std::vector<Held> pieces = free_pieces(held, capacity);
  if (from_the_top) std::reverse(pieces.begin(), pieces.end());
  int64_t largest = 0;
  for (const Held& piece : pieces) {
    largest = std::max(largest, piece.high - piece.low);
    if (piece.high - piece.low < b.bytes()) continue;
    b.address = from_the_top ? piece.high - b.bytes() : piece.low;
    held.push_back({b.address, b.address + b.bytes(), fmt::format("buffer {}", b.name)});
    return;
  }
  refuse(plan, b, FaultKind::kCapacity, largest,
         fmt::format("beside the decided addresses, {} in one piece are there", largest));
}

}  // namespace

bool has_addresses(const LayerDecision* d) {
  return d != nullptr && std::any_of(d->buffers.begin(), d->buffers.end(),
                                     [](const BufferDecision& b) { return b.address.has_value(); });
}

int64_t scratchpad_capacity(const NpuConfig& config) {
  return config.scratchpad.capacity_bytes / kAlignment * kAlignment;
}

int64_t FreeArea::take(int64_t buffer_bytes, bool from_the_top) {
  if (from_the_top) return high -= buffer_bytes;
  low += buffer_bytes;
  return low - buffer_bytes;
}

FreeArea work_area(const Storages& storages, int layer, int64_t capacity) {
  const bool decided = std::any_of(storages.all.begin(), storages.all.end(), [&](const Storage& s) {
    return s.resident && s.decided_address && s.first_layer <= layer && layer <= s.last_layer;
  });
  FreeArea area{work_area_begin(storages, layer), capacity};
  if (!decided) return area;
  for (const Held& piece : free_pieces(residents(storages, layer), capacity)) {
    if (piece.high - piece.low > area.bytes()) area = {piece.low, piece.high};
  }
  return area;
}

int64_t layer_budget(const Storages& storages, int layer, int64_t capacity_bytes,
                     const LayerDecision* decision) {
  if (!has_addresses(decision)) return work_area(storages, layer, capacity_bytes).bytes();
  int64_t bytes = 0;
  for (const Held& piece : free_pieces(residents(storages, layer), capacity_bytes))
    bytes += piece.high - piece.low;
  return bytes;
}

void place_buffers(LayerPlan& plan, const Storages& storages, int layer, int64_t capacity_bytes,
                   bool from_the_top, const LayerDecision* decision) {
  if (!has_addresses(decision)) {
    FreeArea area = work_area(storages, layer, capacity_bytes);
    for (Buffer& b : plan.buffers) b.address = area.take(b.bytes(), from_the_top);
    return;
  }
  std::vector<Held> held = residents(storages, layer);
  for (Buffer& b : plan.buffers) {
    const BufferDecision* d = find_decision(decision->buffers, b.name);
    if (d != nullptr && d->address) place_decided(plan, b, *d->address, capacity_bytes, held);
  }
  for (Buffer& b : plan.buffers) {
    if (b.address < 0) place_free(plan, b, capacity_bytes, from_the_top, held);
  }
}

}  // namespace npu::mapper
