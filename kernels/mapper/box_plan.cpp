#include "kernels/mapper/box_plan.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/window_tiling.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using std::int64_t;

/// The largest box that an instruction walks.
BoxPlan largest_box(const BoxProblem& p) {
  BoxPlan plan;
  plan.chunk.assign(p.dims.size(), 1);
  std::array<int, 2> walked{};
  for (std::size_t i = p.dims.size(); i-- > 0;) {
    if (walked[p.dims[i].reduced ? 1 : 0]++ < 2)
      plan.chunk[i] = std::min<int64_t>(p.dims[i].size, kMaxChunkUnits - 1);
  }
  return plan;
}

/// Halves the outermost dimension (of the kept ones) that is not 1 yet.
bool shrink(const BoxProblem& p, BoxPlan& plan, bool kept_only) {
  for (std::size_t i = 0; i < p.dims.size(); ++i) {
    if (plan.chunk[i] > 1 && (!kept_only || !p.dims[i].reduced)) {
      plan.chunk[i] = ceil_div(plan.chunk[i], 2);
      return true;
    }
  }
  return false;
}

void check_decision(const BoxPlan& largest, const std::vector<int64_t>& box,
                    const std::string& layer) {
  const auto refuse = [&](const std::string& why) {
    fail_mapping({.kind = FaultKind::kRange, .layer = layer, .key = "box"}, "{}: box: [{}]: {}",
                 layer, fmt::join(box, ", "), why);
  };
  if (box.size() != largest.chunk.size())
    refuse(fmt::format("the layer has {} dimensions", largest.chunk.size()));
  for (std::size_t i = 0; i < box.size(); ++i) {
    if (box[i] < 1 || box[i] > largest.chunk[i])
      refuse(fmt::format("dimension {} allows 1 to {}", i, largest.chunk[i]));
  }
}

}  // namespace

int64_t BoxProblem::elements(const BoxPlan& box, bool kept_only) const {
  int64_t n = 1;
  for (std::size_t i = 0; i < dims.size(); ++i)
    n *= kept_only && dims[i].reduced ? 1 : box.chunk[i];
  return n;
}

BoxBuffers box_buffers(const BoxProblem& p, const BoxPlan& box,
                       const std::vector<BufferDecision>& decided) {
  BoxBuffers all;
  const auto add = [&](const char* name, int64_t bytes, int slots) {
    if (bytes == 0) return;
    all.buffers.push_back({name, round_up(bytes, kAlignment), slots, -1});
    all.large_enough &= decide(all.buffers.back(), decided);
  };
  add("x", p.x_resident ? 0 : p.elements(box, false) * p.x_size, 2);
  add("y", p.y_resident ? 0 : p.elements(box, true) * p.y_size, 2);
  add("params", p.record_bytes, 1);
  return all;
}

BoxPlan choose_box(const BoxProblem& p, const NpuConfig& config, int64_t budget,
                   const std::string& layer, const std::vector<int64_t>& decided,
                   const std::vector<BufferDecision>& buffers) {
  BoxPlan plan = largest_box(p);
  if (!decided.empty()) {
    check_decision(plan, decided, layer);
    plan.chunk = decided;
  }
  const char* const which = decided.empty() ? "smallest" : "decided";
  const int64_t there = config.accumulator.capacity_bytes;
  const std::string key = decided.empty() ? "" : "box";
  while (p.elements(plan, true) * 4 > there) {
    if (decided.empty() && shrink(p, plan, true)) continue;
    const int64_t needed = p.elements(plan, true) * 4;
    fail_mapping({.kind = FaultKind::kCapacity,
                  .layer = layer,
                  .key = key,
                  .level = MemoryLevel::kAccumulator,
                  .object = "sums",
                  .needed = needed,
                  .there = there},
                 "{}: accumulator: the {} box needs {} bytes, {} are there", layer, which, needed,
                 there);
  }
  for (;;) {
    const BoxBuffers all = box_buffers(p, plan, buffers);
    const int64_t needed = total_bytes(all.buffers);
    if (all.large_enough && needed <= budget) return plan;
    if (decided.empty() && shrink(p, plan, false)) continue;
    if (!all.large_enough) fail_small_slots(all.buffers, buffers, layer);
    fail_mapping({.kind = FaultKind::kCapacity,
                  .layer = layer,
                  .key = key,
                  .level = MemoryLevel::kScratchpad,
                  .object = largest_buffer(all.buffers),
                  .needed = needed,
                  .there = budget},
                 "{}: scratchpad: the {} box needs {} bytes, {} are there", layer, which, needed,
                 budget);
  }
}

}  // namespace npu::mapper
