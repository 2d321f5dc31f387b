#include "kernels/mapper/layer_planner.h"

#include <algorithm>
#include <string_view>

#include "kernels/mapper/box_plan.h"
#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/softmax_plan.h"
#include "kernels/mapper/tile_space.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using graph::Graph;
using graph::Node;
using std::int64_t;

/// Bytes of one slot of the bounce buffer that a move between two DRAM tensors goes through: a
/// quarter of the largest copy, so that loads and stores overlap, not below kMinChunkBytes.
struct Bounce {
  int64_t bytes = 0;  ///< Of a slot.
  int64_t least = 0;
};
Bounce bounce_of(const Moves& moves, const Storages& storages, const Node& node, int64_t budget,
                 const std::string& name) {
  if (storages.of(node.outputs[0]).resident) return {};
  int64_t wanted = 0;
  int64_t least = 0;
  for (const Copy& c : moves.copies) {
    if (storages.of(node.inputs[c.input]).resident) continue;
    wanted = std::max(
        wanted, std::clamp(ceil_div(c.bytes(), 4), std::min(kMinChunkBytes, c.bytes()), c.bytes()));
    least = std::max(least, std::min<int64_t>(c.run, kAlignment));
  }
  if (!moves.fills.empty()) {
    wanted = std::max<int64_t>(wanted, kAlignment);
    least = std::max<int64_t>(least, moves.element_bytes);
  }
  const int64_t slot = std::min(round_up(wanted, kAlignment), budget / 3 / kAlignment * kAlignment);
  if (slot < least) {
    fail_mapping({.kind = FaultKind::kCapacity,
                  .layer = name,
                  .level = MemoryLevel::kScratchpad,
                  .object = "bounce",
                  .needed = 3 * kAlignment,
                  .there = budget},
                 "{}: scratchpad: the bounce buffer needs {} bytes, {} are there", name,
                 3 * kAlignment, budget);
  }
  return {slot, least};
}

/// @throws Error naming the key of a configuration that does not multiply the layer's floats.
void require_arithmetic(DType type, const NpuConfig& config, const std::string& name) {
  const MacArrayConfig& array = config.mac_array;
  const bool lacks = (type == DType::kFloat16 && array.float16_cycles == 0) ||
                     (type == DType::kBfloat16 && array.bfloat16_cycles == 0) ||
                     (type == DType::kFloat32 && array.float32_cycles == 0);
  if (!lacks) return;
  fail("{}: `{}` has no {} multiplication: mac_array.{}_cycles is 0", name, config.name,
       name_of(type), name_of(type));
}

/// Keys of a decision by the family of layers that has them.
enum class Family : std::uint8_t { kWindow, kAttention, kMove, kReduction, kChunks, kSoftmax };

/// @throws MappingError for a decided key that the layer's family does not have.
void check_family(const LayerDecision& d, Family family) {
  const auto only = [&](Family has, bool there, const char* key, const char* what) {
    // A softmax is chunked, too.
    if (!there || family == has || (has == Family::kChunks && family == Family::kSoftmax)) return;
    fail_mapping({.kind = FaultKind::kName, .layer = d.layer, .key = key},
                 "{}: {}: the layer has none, only {} have", d.layer, key, what);
  };
  const char* const windows = "convolutions, products and pooling";
  only(Family::kWindow, d.out_h || d.out_w || d.out_c || d.in_c, "tile", windows);
  only(Family::kWindow, d.images.has_value(), "images", windows);
  only(Family::kWindow, d.loop_order.has_value(), "loop_order", windows);
  only(Family::kWindow, d.streamed.has_value(), "streamed", windows);
  only(Family::kWindow, d.acc_slots.has_value(), "accumulator", windows);
  only(Family::kAttention, d.heads || d.rows || d.keys, "attention", "fused attentions");
  only(Family::kReduction, !d.box.empty(), "box", "reductions");
  only(Family::kChunks, d.cut_level || d.cut_units, "cut", "chunked layers");
  only(Family::kSoftmax, d.passes || d.block, "softmax", "softmaxes over floats");
}

/// Plans one layer, family by family.
class LayerPlanner {
 public:
  LayerPlanner(const Graph& graph, const NpuConfig& config, const Storages& storages,
               int64_t budget, const LayerDecision& decision, LayerPlan& plan)
      : graph_(graph),
        config_(config),
        storages_(storages),
        budget_(budget),
        d_(decision),
        plan_(plan),
        node_(graph.nodes[static_cast<std::size_t>(plan.node)]) {}

  void run() {
    const bool is_products =
        node_.kind == graph::OpKind::kMatMul && !has_packed_weights(graph_, node_);
    if (is_products || is_window(graph_, node_)) return window(is_products);
    if (node_.kind == graph::OpKind::kAttention) return attention();
    if (is_move(node_.kind) && !is_rescale(graph_, node_)) return move();
    if (is_reduction(node_.kind)) return reduction();
    if (node_.kind == graph::OpKind::kSoftmax && is_tiled(graph_, node_)) return softmax();
    chunks();
  }

 private:
  [[nodiscard]] bool resident(graph::TensorId id) const { return storages_.of(id).resident; }
  void add(std::string name, int64_t slot_bytes, int slots) {
    if (slot_bytes > 0 && slots > 0)
      plan_.buffers.push_back({std::move(name), slot_bytes, slots, -1});
  }

  void window(bool is_products) {
    check_family(d_, Family::kWindow);
    if (is_products) {
      plan_.products = products_of(graph_, node_);
      plan_.window = products_problem(graph_, node_, storages_, plan_.products);
    } else {
      plan_.window = window_problem(graph_, node_, storages_);
    }
    if (uses_array(*plan_.window)) require_arithmetic(plan_.window->type, config_, plan_.name);
    const WindowDecision decided = window_decision(d_);
    plan_.tile = is_products
                     ? choose_products_tile(*plan_.window, plan_.products, config_, budget_,
                                            plan_.name, decided)
                     : choose_window_tile(*plan_.window, config_, budget_, plan_.name, decided);
    plan_.predicted_cycles = plan_.tile.predicted_cycles;
    add("x", plan_.tile.x_bytes, plan_.tile.x_slots);
    add("w", plan_.tile.w_bytes, plan_.tile.w_slots);
    add("y", plan_.tile.y_bytes, plan_.tile.y_slots);
    add("params", plan_.tile.params_bytes, 1);
  }

  void attention() {
    check_family(d_, Family::kAttention);
    AttentionShape shape = attention_shape(graph_, node_);
    shape.q_resident = resident(node_.inputs[0]);
    shape.k_resident = resident(node_.inputs[1]);
    shape.v_resident = resident(node_.inputs[2]);
    shape.mask_resident = shape.mask_size > 0 && resident(node_.inputs[3]);
    shape.y_resident = resident(node_.outputs[0]);
    require_arithmetic(shape.type, config_, plan_.name);
    plan_.attention =
        choose_attention_tile(shape, config_, budget_, plan_.name, attention_decision(d_));
    plan_.predicted_cycles = plan_.attention.predicted_cycles;
    plan_.buffers = plan_.attention.buffers;
  }

  void move() {
    check_family(d_, Family::kMove);
    const Moves moves = moves_of(graph_, node_);
    const Bounce bounce = bounce_of(moves, storages_, node_, budget_, plan_.name);
    const int64_t least = std::max(kAlignment, round_up(bounce.least, kAlignment));
    const auto slot = [&](const char* name, int64_t bytes, int slots) {
      const BufferDecision* b = find_decision(d_.buffers, name);
      if (bytes > 0 && b != nullptr && b->slot_bytes) {
        if (*b->slot_bytes < least)
          fail_small_slots({{name, least, slots, -1}}, d_.buffers, plan_.name);
        bytes = *b->slot_bytes;
      }
      add(name, bytes, b == nullptr ? slots : b->slots.value_or(slots));
    };
    slot("bounce", bounce.bytes, 2);
    slot("fill", moves.fills.empty() ? 0 : bounce.bytes, 1);
    const int64_t needed = total_bytes(plan_.buffers);
    if (needed <= budget_) return;
    // Undecided ones fit.
    const std::string largest = largest_buffer(plan_.buffers);
    const BufferDecision* decided = find_decision(d_.buffers, largest);
    const bool by_slots = decided != nullptr && decided->slots;
    fail_mapping(
        {.kind = FaultKind::kCapacity,
         .layer = plan_.name,
         .key = fmt::format("scratchpad.{}.{}", largest, by_slots ? "slots" : "slot_bytes"),
         .level = MemoryLevel::kScratchpad,
         .object = largest,
         .needed = needed,
         .there = budget_},
        "{}: scratchpad: the decided buffers need {} bytes, {} are there", plan_.name, needed,
        budget_);
  }

  void reduction() {
    check_family(d_, Family::kReduction);
    const graph::Tensor& x = graph_.tensor(node_.inputs[0]);
    const graph::Tensor& y = graph_.tensor(node_.outputs[0]);
    const BoxProblem problem{
        .dims = reduce_dims(x.shape, std::get<graph::ReduceAttrs>(node_.attrs).axes),
        .x_size = size_of(x.type),
        .y_size = size_of(y.type),
        .x_resident = resident(node_.inputs[0]),
        .y_resident = resident(node_.outputs[0]),
        .record_bytes = record_bytes(false)};
    plan_.box = choose_box(problem, config_, budget_, plan_.name, d_.box, d_.buffers);
    plan_.buffers = box_buffers(problem, plan_.box, d_.buffers).buffers;
  }

  void take(ChunkPlan chunks) {
    plan_.level = chunks.level;
    plan_.chunk = chunks.units;
    plan_.buffers = std::move(chunks.buffers);
  }

  void softmax() {
    check_family(d_, Family::kSoftmax);
    const int64_t capacity = config_.scratchpad.capacity_bytes / kAlignment * kAlignment;
    SoftmaxPlan plan = plan_softmax(graph_, node_, storages_, budget_, capacity, plan_.name,
                                    {d_.passes, d_.block}, chunk_decision(d_));
    plan_.softmax = plan.passes;
    take(std::move(plan.chunks));
  }

  void chunks() {
    check_family(d_, Family::kChunks);
    take(choose_chunks(chunk_problem(graph_, node_, storages_), budget_, plan_.name,
                       chunk_decision(d_)));
    if (node_.kind != graph::OpKind::kSvdf) return;
    // Accumulators for `rank` features and one output of every unit.
    const int64_t unit = 4 * (std::get<graph::SvdfAttrs>(node_.attrs).rank + 1);
    const int64_t there = config_.accumulator.capacity_bytes;
    const int64_t needed = unit * d_.cut_units.value_or(1);
    if (needed > there) {
      fail_mapping({.kind = FaultKind::kCapacity,
                    .layer = plan_.name,
                    .key = d_.cut_units ? "cut.units" : "",
                    .level = MemoryLevel::kAccumulator,
                    .object = "sums",
                    .needed = needed,
                    .there = there},
                   "{}: accumulator: {} needs {} bytes, {} are there", plan_.name,
                   d_.cut_units ? "the decided chunk" : "one unit", needed, there);
    }
    plan_.chunk = std::min(plan_.chunk, there / unit);
  }

  const Graph& graph_;
  const NpuConfig& config_;
  const Storages& storages_;
  int64_t budget_;
  const LayerDecision& d_;
  LayerPlan& plan_;
  const Node& node_;
};

/// @throws MappingError for a decided buffer that the layer does not have, or without a slot.
void check_buffers(const LayerPlan& plan, const LayerDecision& d) {
  std::string names;
  for (const Buffer& b : plan.buffers) names += (names.empty() ? "" : ", ") + b.name;
  for (const BufferDecision& b : d.buffers) {
    const Buffer* buffer = plan.buffer(b.name);
    if (buffer != nullptr) continue;
    fail_mapping({.kind = FaultKind::kName,
                  .layer = plan.name,
                  .key = fmt::format("scratchpad.{}", b.name),
                  .object = b.name},
                 "{}: scratchpad: the layer has no buffer {} (it has: {}); operands that are "
                 "resident need none",
                 plan.name, b.name, names.empty() ? "none" : names);
  }
}

/// The rules of a buffer's own fields.
void check_fields(const LayerDecision& d) {
  for (const BufferDecision& b : d.buffers) {
    const auto refuse = [&](FaultKind kind, const char* key, int64_t value,
                            const std::string& why) {
      fail_mapping({.kind = kind,
                    .layer = d.layer,
                    .key = fmt::format("scratchpad.{}.{}", b.name, key),
                    .level = MemoryLevel::kScratchpad,
                    .object = b.name},
                   "{}: scratchpad: {}: {} {}: {}", d.layer, b.name, key, value, why);
    };
    if (b.slots && *b.slots < 1)
      refuse(FaultKind::kSlots, "slots", *b.slots, "a buffer has at least 1");
    const std::string multiple = fmt::format("it must be a multiple of {}", kAlignment);
    if (b.slot_bytes && (*b.slot_bytes < 1 || *b.slot_bytes % kAlignment != 0))
      refuse(FaultKind::kMisaligned, "slot_bytes", *b.slot_bytes, multiple);
    if (b.address && (*b.address < 0 || *b.address % kAlignment != 0))
      refuse(FaultKind::kMisaligned, "address", *b.address, multiple);
  }
}

}  // namespace

LayerPlan plan_layer(const Graph& graph, const NpuConfig& config, const Storages& storages,
                     int node, const std::string& name, int64_t scratchpad_bytes,
                     const LayerDecision* decision) {
  static const LayerDecision kFree;
  const LayerDecision& d = decision == nullptr ? kFree : *decision;
  LayerPlan plan;
  plan.node = node;
  plan.name = name;
  check_fields(d);
  LayerPlanner(graph, config, storages, scratchpad_bytes, d, plan).run();
  for (Buffer& b : plan.buffers) {
    if (!decide(b, d.buffers)) fail_small_slots(plan.buffers, d.buffers, name);
  }
  check_buffers(plan, d);
  return plan;
}

}  // namespace npu::mapper
