#include "kernels/mapper/chunking.h"

#include <algorithm>
#include <numeric>

#include "kernels/mapper/window_tiling.h"
#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using std::int64_t;

std::vector<Buffer> buffers_for(const ChunkProblem& p, const ChunkLevel& level, int64_t units) {
  std::vector<Buffer> buffers;
  const int slots = units == level.units && level.outer == 1 ? 1 : 2;
  for (std::size_t i = 0; i < p.streamed.size(); ++i) {
    const int64_t bytes = level.bytes_fixed[i] + level.bytes_per_unit[i] * units;
    const int most = level.slots.empty() ? 2 : level.slots[i];
    if (bytes > 0) {
      buffers.push_back({p.streamed[i], round_up(bytes, kAlignment), std::min(slots, most), -1});
    }
  }
  for (const Buffer& b : p.fixed) {
    if (b.slot_bytes > 0)
      buffers.push_back({b.name, round_up(b.slot_bytes, kAlignment), b.slots, -1});
  }
  return buffers;
}

int64_t total(const std::vector<Buffer>& buffers) {
  return std::accumulate(buffers.begin(), buffers.end(), int64_t{0},
                         [](int64_t sum, const Buffer& b) { return sum + b.bytes(); });
}

}  // namespace

ChunkPlan choose_chunks(const ChunkProblem& p, int64_t scratchpad_bytes, const std::string& layer) {
  for (std::size_t l = 0; l < p.levels.size(); ++l) {
    const ChunkLevel& level = p.levels[l];
    if (total(buffers_for(p, level, 1)) > scratchpad_bytes && level.units > 1) continue;
    const int64_t unit_bytes =
        std::accumulate(level.bytes_per_unit.begin(), level.bytes_per_unit.end(), int64_t{0});
    // Four chunks overlap loading, computing and storing; smaller ones only add latency.
    int64_t units = std::min(level.units, kMaxChunkUnits);
    if (unit_bytes > 0) {
      units = std::clamp(ceil_div(level.units, 4),
                         std::min(units, ceil_div(kMinChunkBytes, unit_bytes)), units);
    }
    while (units > 1 && total(buffers_for(p, level, units)) > scratchpad_bytes)
      units = ceil_div(units, 2);
    std::vector<Buffer> buffers = buffers_for(p, level, units);
    if (total(buffers) <= scratchpad_bytes) return {l, units, std::move(buffers)};
  }
  std::string parts;
  const std::vector<Buffer> least = buffers_for(p, p.levels.back(), 1);
  for (const Buffer& b : least)
    parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", b.name, b.bytes());
  fail("{}: scratchpad: the smallest chunk needs {} bytes ({}), {} are there", layer, total(least),
       parts, scratchpad_bytes);
}

}  // namespace npu::mapper
