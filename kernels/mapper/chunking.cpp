#include "kernels/mapper/chunking.h"

#include <algorithm>
#include <numeric>

#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/window_tiling.h"
#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using std::int64_t;

class Sizer {
 public:
  Sizer(const ChunkProblem& problem, const ChunkDecision& decided, int64_t budget)
      : p_(problem), decided_(decided), budget_(budget) {}

  /// False where a decided slot is too small.
  bool size(const ChunkLevel& level, int64_t units) {
    buffers_.clear();
    bool large_enough = true;
    const int slots = units == level.units && level.outer == 1 ? 1 : 2;
    for (std::size_t i = 0; i < p_.streamed.size(); ++i) {
      const int64_t bytes = level.bytes_fixed[i] + level.bytes_per_unit[i] * units;
      const int most = level.slots.empty() ? 2 : level.slots[i];
      if (bytes > 0) large_enough &= add(p_.streamed[i], bytes, std::min(slots, most));
    }
    for (const Buffer& b : p_.fixed) {
      if (b.slot_bytes > 0) large_enough &= add(b.name, b.slot_bytes, b.slots);
    }
    return large_enough;
  }
  bool fits(const ChunkLevel& level, int64_t units) {
    return size(level, units) && total_bytes(buffers_) <= budget_;
  }
  std::vector<Buffer>& buffers() { return buffers_; }

 private:
  bool add(const std::string& name, int64_t bytes, int slots) {
    buffers_.push_back({name, round_up(bytes, kAlignment), slots, -1});
    return decide(buffers_.back(), decided_.buffers);
  }

  const ChunkProblem& p_;
  const ChunkDecision& decided_;
  int64_t budget_;
  std::vector<Buffer> buffers_;
};

/// @throws MappingError if the layer has no such level or units.
void check_decision(const ChunkProblem& p, const ChunkDecision& d, const std::string& layer) {
  if (d.level && *d.level >= p.levels.size()) {
    fail_mapping({.kind = FaultKind::kRange, .layer = layer, .key = "cut.level"},
                 "{}: cut.level: {}: the layer can be cut at levels 0 to {}", layer, *d.level,
                 p.levels.size() - 1);
  }
  int64_t most = 0;
  for (std::size_t l = 0; l < p.levels.size(); ++l) {
    if (d.level.value_or(l) == l) most = std::max(most, p.levels[l].units);
  }
  most = std::min(most, kMaxChunkUnits);
  if (d.units && (*d.units < 1 || *d.units > most)) {
    fail_mapping({.kind = FaultKind::kRange, .layer = layer, .key = "cut.units"},
                 "{}: cut.units: {}: a chunk has 1 to {} units", layer, *d.units, most);
  }
}

}  // namespace

const BufferDecision* find_decision(const std::vector<BufferDecision>& decisions,
                                    std::string_view name) {
  const auto it = std::find_if(decisions.begin(), decisions.end(),
                               [&](const BufferDecision& d) { return d.name == name; });
  return it == decisions.end() ? nullptr : &*it;
}

bool decide(Buffer& buffer, const std::vector<BufferDecision>& decisions) {
  const BufferDecision* d = find_decision(decisions, buffer.name);
  if (d == nullptr) return true;
  buffer.slots = d->slots.value_or(buffer.slots);
  if (!d->slot_bytes) return true;
  if (*d->slot_bytes < buffer.slot_bytes) return false;
  buffer.slot_bytes = *d->slot_bytes;
  return true;
}

void fail_small_slots(const std::vector<Buffer>& needed,
                      const std::vector<BufferDecision>& decisions, const std::string& layer) {
  for (const Buffer& b : needed) {
    const BufferDecision* d = find_decision(decisions, b.name);
    if (d == nullptr || !d->slot_bytes || *d->slot_bytes >= b.slot_bytes) continue;
    fail_mapping({.kind = FaultKind::kSlots,
                  .layer = layer,
                  .key = fmt::format("scratchpad.{}.slot_bytes", b.name),
                  .level = MemoryLevel::kScratchpad,
                  .object = b.name,
                  .needed = b.slot_bytes,
                  .there = *d->slot_bytes},
                 "{}: scratchpad: a slot of {} needs {} bytes, slot_bytes is {}", layer, b.name,
                 b.slot_bytes, *d->slot_bytes);
  }
  check_failed("slot_bytes", "a decided slot is too small", __FILE__, __LINE__);
}

std::string largest_buffer(const std::vector<Buffer>& buffers) {
  const auto it =
      std::max_element(buffers.begin(), buffers.end(),
                       [](const Buffer& a, const Buffer& b) { return a.bytes() < b.bytes(); });
  return it == buffers.end() ? std::string() : it->name;
}

int64_t total_bytes(const std::vector<Buffer>& buffers) {
  return std::accumulate(buffers.begin(), buffers.end(), int64_t{0},
                         [](int64_t sum, const Buffer& b) { return sum + b.bytes(); });
}

ChunkPlan choose_chunks(const ChunkProblem& p, int64_t scratchpad_bytes, const std::string& layer,
                        const ChunkDecision& decided) {
  check_decision(p, decided, layer);
  Sizer sizer(p, decided, scratchpad_bytes);
  for (std::size_t l = 0; l < p.levels.size(); ++l) {
    const ChunkLevel& level = p.levels[l];
    if (decided.level.value_or(l) != l) continue;
    if (decided.units) {
      if (*decided.units <= level.units && sizer.fits(level, *decided.units))
        return {l, *decided.units, std::move(sizer.buffers())};
      continue;
    }
    if (!sizer.fits(level, 1) && level.units > 1) continue;
    const int64_t unit_bytes =
        std::accumulate(level.bytes_per_unit.begin(), level.bytes_per_unit.end(), int64_t{0});
    // Four chunks overlap loading, computing and storing; smaller ones only add latency.
    int64_t units = std::min(level.units, kMaxChunkUnits);
    if (unit_bytes > 0) {
      units = std::clamp(ceil_div(level.units, 4),
                         std::min(units, ceil_div(kMinChunkBytes, unit_bytes)), units);
    }
    while (units > 1 && !sizer.fits(level, units)) units = ceil_div(units, 2);
    if (sizer.fits(level, units)) return {l, units, std::move(sizer.buffers())};
  }
  const ChunkLevel& last = decided.level ? p.levels[*decided.level] : p.levels.back();
  const bool large_enough = sizer.size(last, decided.units.value_or(1));
  const std::vector<Buffer>& least = sizer.buffers();
  if (!large_enough) fail_small_slots(least, decided.buffers, layer);
  std::string parts;
  for (const Buffer& b : least)
    parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", b.name, b.bytes());
  const int64_t needed = total_bytes(least);
  fail_mapping({.kind = FaultKind::kCapacity,
                .layer = layer,
                .key = decided.units ? "cut.units" : "",
                .level = MemoryLevel::kScratchpad,
                .object = largest_buffer(least),
                .needed = needed,
                .there = scratchpad_bytes},
               "{}: scratchpad: the {} chunk needs {} bytes ({}), {} are there", layer,
               decided.units ? "decided" : "smallest", needed, parts, scratchpad_bytes);
}

}  // namespace npu::mapper
