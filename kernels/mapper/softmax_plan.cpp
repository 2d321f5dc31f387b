#include "kernels/mapper/softmax_plan.h"

#include <algorithm>

#include "kernels/mapper/mapping.h"
#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/tile_space.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using std::int64_t;

/// @throws MappingError for passes or a block that no row of this length has.
void check_decision(const SoftmaxDecision& d, int64_t row, const std::string& layer) {
  if (d.passes && *d.passes != 2 && *d.passes != 3) {
    fail_mapping({.kind = FaultKind::kRange, .layer = layer, .key = "softmax.passes"},
                 "{}: softmax.passes: {}: a softmax has 2 or 3", layer, *d.passes);
  }
  if (d.passes == 3 && row > kMaxRow) {
    fail_mapping({.kind = FaultKind::kUnsupported, .layer = layer, .key = "softmax.passes"},
                 "{}: softmax.passes: 3: rows have at most {} elements, not {}", layer, kMaxRow,
                 row);
  }
  if (!d.block) return;
  if (d.passes == 3) {
    fail_mapping({.kind = FaultKind::kUnsupported, .layer = layer, .key = "softmax.block"},
                 "{}: softmax.block: {}: only two passes have blocks", layer, *d.block);
  }
  const int64_t most = std::min(row, kMaxRow);
  if (*d.block < 1 || *d.block > most) {
    fail_mapping({.kind = FaultKind::kRange, .layer = layer, .key = "softmax.block"},
                 "{}: softmax.block: {}: the layer allows 1 to {}", layer, *d.block, most);
  }
}

class SoftmaxPlanner {
 public:
  SoftmaxPlanner(const graph::Graph& graph, const graph::Node& node, const Storages& storages,
                 const std::string& layer, const ChunkDecision& decided)
      : graph_(graph), node_(node), storages_(storages), layer_(layer), decided_(decided) {}

  /// Rows in blocks; 0: whole, in three passes.
  [[nodiscard]] SoftmaxPlan plan(int64_t block, int64_t scratchpad_bytes) const {
    const ChunkProblem problem = chunk_problem(graph_, node_, storages_, block);
    return {{block > 0 ? 2 : 3, block}, choose_chunks(problem, scratchpad_bytes, layer_, decided_)};
  }

  /// In two passes over as few blocks as fit, about equal, in whole bursts where there is room.
  [[nodiscard]] SoftmaxPlan plan_blocks(int64_t row, int64_t scratchpad_bytes) const {
    int64_t fits = 1;
    for (int64_t most = std::min(row, kMaxRow); fits < most;) {
      const int64_t middle = fits + ceil_div(most - fits, 2);
      if (block_fits(middle, scratchpad_bytes)) {
        fits = middle;
      } else {
        most = middle - 1;
      }
    }
    const int64_t equal = ceil_div(row, ceil_div(row, fits));
    return plan(std::min(fits, round_up(equal, kAlignment)), scratchpad_bytes);
  }

  /// In three passes, or in two if a row would not even fit without residents.
  [[nodiscard]] SoftmaxPlan plan_free(int64_t row, int64_t scratchpad_bytes,
                                      int64_t capacity_bytes) const {
    if (row <= kMaxRow) {
      try {
        return plan(0, scratchpad_bytes);
      } catch (const MappingError&) {
        if (whole_row_fits(capacity_bytes)) throw;
      }
    }
    return plan_blocks(row, scratchpad_bytes);
  }

 private:
  [[nodiscard]] bool block_fits(int64_t block, int64_t scratchpad_bytes) const {
    try {
      static_cast<void>(plan(block, scratchpad_bytes));
      return true;
    } catch (const MappingError&) {
      return false;
    }
  }
  [[nodiscard]] bool whole_row_fits(int64_t capacity_bytes) const {
    Storages bare = storages_;
    for (Storage& s : bare.all) s.resident = false;
    try {
      static_cast<void>(choose_chunks(chunk_problem(graph_, node_, bare), capacity_bytes, layer_));
      return true;
    } catch (const MappingError&) {
      return false;
    }
  }

  const graph::Graph& graph_;
  const graph::Node& node_;
  const Storages& storages_;
  const std::string& layer_;
  const ChunkDecision& decided_;
};

}  // namespace

SoftmaxPlan plan_softmax(const graph::Graph& graph, const graph::Node& node,
                         const Storages& storages, int64_t scratchpad_bytes, int64_t capacity_bytes,
                         const std::string& layer, const SoftmaxDecision& decided,
                         const ChunkDecision& decided_chunks) {
  const Shape& x = graph.tensor(node.inputs.at(0)).shape;
  const int64_t row = x.empty() ? 1 : x.back();
  check_decision(decided, row, layer);
  const SoftmaxPlanner planner(graph, node, storages, layer, decided_chunks);
  if (!decided.passes && !decided.block)
    return planner.plan_free(row, scratchpad_bytes, capacity_bytes);
  try {
    if (decided.passes == 3) return planner.plan(0, scratchpad_bytes);
    if (decided.block) return planner.plan(*decided.block, scratchpad_bytes);
    return planner.plan_blocks(row, scratchpad_bytes);
  } catch (const MappingError& error) {
    Fault fault = error.fault();
    if (!fault.key.empty()) throw;
    fault.key = decided.block ? "softmax.block" : "softmax.passes";
    throw MappingError(fault, error.what());
  }
}

}  // namespace npu::mapper
