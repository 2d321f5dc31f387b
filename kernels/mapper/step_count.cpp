#include "kernels/mapper/step_count.h"

#include <algorithm>

#include "kernels/mapper/mapping_error.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using graph::Node;
using std::int64_t;

int64_t window_steps(const WindowProblem& p, const WindowTile& t) {
  const int64_t parts =
      (has_channel_input(p) ? ceil_div(p.in_c, t.in_c) : 1) * (t.tap_by_tap ? p.taps() : 1);
  const int64_t rows = t.streamed ? t.piece_h : t.out_h;
  return ceil_div(p.batch, t.images) * p.groups * ceil_div(p.out_h, rows) *
         ceil_div(p.out_w, t.out_w) * ceil_div(p.out_c, t.out_c) * parts;
}

int64_t attention_steps(const AttentionShape& s, const AttentionTile& t) {
  return s.batch * s.key_heads * ceil_div(s.group, t.heads) * ceil_div(s.rows, t.rows) *
         ceil_div(s.keys, t.keys);
}

/// Pieces through the bounce buffer; a run is cut where it is longer than a slot.
int64_t move_steps(const graph::Graph& graph, const Storages& storages, const Node& node,
                   const Buffer* bounce) {
  if (bounce == nullptr) return 1;
  int64_t steps = 1;
  for (const Copy& c : moves_of(graph, node).copies) {
    if (!storages.of(node.inputs[c.input]).resident) {
      const int64_t runs = c.run == 0 ? 0 : c.bytes() / c.run;
      const int64_t per_piece =
          std::max<int64_t>(1, bounce->slot_bytes / std::max<int64_t>(1, c.run));
      steps += ceil_div(runs, per_piece) * ceil_div(c.run, bounce->slot_bytes);
    }
  }
  return steps;
}

}  // namespace

int64_t step_count(const graph::Graph& graph, const Storages& storages, const LayerPlan& plan) {
  const Node& node = graph.nodes[static_cast<std::size_t>(plan.node)];
  if (plan.window) return window_steps(*plan.window, plan.tile);
  if (node.kind == graph::OpKind::kAttention)
    return attention_steps(attention_shape(graph, node), plan.attention);
  if (!plan.box.chunk.empty()) {
    const std::vector<ReduceDim> dims = reduce_dims(graph.tensor(node.inputs[0]).shape,
                                                    std::get<graph::ReduceAttrs>(node.attrs).axes);
    int64_t steps = 1;
    for (std::size_t i = 0; i < dims.size(); ++i)
      steps *= ceil_div(dims[i].size, plan.box.chunk[i]);
    return steps;
  }
  if (plan.chunk > 0) {
    const ChunkLevel level =
        chunk_problem(graph, node, storages, plan.softmax.block).levels.at(plan.level);
    return level.outer * ceil_div(level.units, plan.chunk) * (plan.softmax.block > 0 ? 2 : 1);
  }
  return move_steps(graph, storages, node, plan.buffer("bounce"));
}

void check_step_count(const graph::Graph& graph, const Mapping& mapping) {
  int64_t all = 0;
  int64_t most = 0;
  const LayerPlan* longest = nullptr;
  for (const LayerPlan& plan : mapping.layers) {
    const int64_t steps = step_count(graph, mapping.storages, plan);
    all += steps;
    if (steps > most) {
      most = steps;
      longest = &plan;
    }
  }
  if (longest == nullptr || all <= kMaxSteps) return;
  fail_mapping({.kind = FaultKind::kUnsupported, .layer = longest->name},
               "{}: its tiles take {} steps, all layers {}; at most {} are lowered", longest->name,
               most, all, kMaxSteps);
}

}  // namespace npu::mapper
