#include "kernels/mapper/mapping.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using graph::Graph;
using graph::Node;
using std::int64_t;

/// Bytes of one slot of the bounce buffer that a move between two DRAM tensors goes through: a
/// quarter of the largest copy, so that loads and stores overlap, not below kMinChunkBytes.
int64_t bounce_bytes(const Moves& moves, const Storages& storages, const Node& node, int64_t budget,
                     const std::string& name) {
  if (storages.of(node.outputs[0]).resident) return 0;
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
    fail("{}: scratchpad: the bounce buffer needs {} bytes, {} are there", name, 3 * kAlignment,
         budget);
  }
  return slot;
}

/// Halves the outermost dimensions until the box fits the scratchpad and its results the
/// accumulators. vec.reduce_sum walks the two innermost kept and the two innermost reduced
/// dimensions; the others go through boxes one index at a time, their sums staying in the
/// accumulators.
BoxPlan choose_box(const std::vector<ReduceDim>& dims, int64_t x_size, int64_t y_size,
                   bool x_resident, bool y_resident, const NpuConfig& config, int64_t budget,
                   const std::string& name) {
  BoxPlan plan;
  plan.chunk.assign(dims.size(), 1);
  std::array<int, 2> walked{};
  for (std::size_t i = dims.size(); i-- > 0;) {
    if (walked[dims[i].reduced ? 1 : 0]++ < 2)
      plan.chunk[i] = std::min<int64_t>(dims[i].size, kMaxChunkUnits - 1);
  }
  const auto product = [&](bool kept_only) {
    int64_t n = 1;
    for (std::size_t i = 0; i < dims.size(); ++i)
      n *= kept_only && dims[i].reduced ? 1 : plan.chunk[i];
    return n;
  };
  const auto need = [&] {
    return (x_resident ? 0 : 2 * round_up(product(false) * x_size, kAlignment)) +
           (y_resident ? 0 : 2 * round_up(product(true) * y_size, kAlignment)) +
           round_up(record_bytes(false), kAlignment);
  };
  const auto shrink = [&](bool kept_only) {
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (plan.chunk[i] > 1 && (!kept_only || !dims[i].reduced)) {
        plan.chunk[i] = ceil_div(plan.chunk[i], 2);
        return true;
      }
    }
    return false;
  };
  while (product(true) * 4 > config.accumulator.capacity_bytes) {
    if (!shrink(true)) {
      fail("{}: accumulator: the smallest box needs 4 bytes, {} are there", name,
           config.accumulator.capacity_bytes);
    }
  }
  while (need() > budget) {
    if (!shrink(false))
      fail("{}: scratchpad: the smallest box needs {} bytes, {} are there", name, need(), budget);
  }
  return plan;
}

void add_buffer(LayerPlan& plan, std::string name, int64_t slot_bytes, int slots) {
  if (slot_bytes > 0 && slots > 0) plan.buffers.push_back({std::move(name), slot_bytes, slots, -1});
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

LayerPlan plan_layer(const Graph& graph, const NpuConfig& config, const Storages& storages,
                     int node_index, int64_t budget) {
  const Node& node = graph.nodes[static_cast<std::size_t>(node_index)];
  LayerPlan plan;
  plan.node = node_index;
  plan.name = fmt::format("{} #{}", name_of(node.kind), node.source_index);
  const bool is_products = node.kind == graph::OpKind::kMatMul && !has_packed_weights(graph, node);
  if (is_products || is_window(graph, node)) {
    if (is_products) {
      plan.products = products_of(graph, node);
      plan.window = products_problem(graph, node, storages, plan.products);
    } else {
      plan.window = window_problem(graph, node, storages);
    }
    if (plan.window->kind != WindowKind::kPool)
      require_arithmetic(plan.window->type, config, plan.name);
    plan.tile = is_products
                    ? choose_products_tile(*plan.window, plan.products, config, budget, plan.name)
                    : choose_window_tile(*plan.window, config, budget, plan.name);
    plan.predicted_cycles = plan.tile.predicted_cycles;
    add_buffer(plan, "x", plan.tile.x_bytes, plan.tile.x_slots);
    add_buffer(plan, "w", plan.tile.w_bytes, plan.tile.w_slots);
    add_buffer(plan, "y", plan.tile.y_bytes, plan.tile.y_slots);
    add_buffer(plan, "params", plan.tile.params_bytes, 1);
  } else if (node.kind == graph::OpKind::kAttention) {
    AttentionShape shape = attention_shape(graph, node);
    const auto resident = [&](std::size_t i) { return storages.of(node.inputs[i]).resident; };
    shape.q_resident = resident(0);
    shape.k_resident = resident(1);
    shape.v_resident = resident(2);
    shape.mask_resident = shape.mask_size > 0 && resident(3);
    shape.y_resident = storages.of(node.outputs[0]).resident;
    require_arithmetic(shape.type, config, plan.name);
    plan.attention = choose_attention_tile(shape, config, budget, plan.name);
    plan.predicted_cycles = plan.attention.predicted_cycles;
    plan.buffers = plan.attention.buffers;
  } else if (is_move(node.kind) && !is_rescale(graph, node)) {
    const int64_t bytes = bounce_bytes(moves_of(graph, node), storages, node, budget, plan.name);
    add_buffer(plan, "bounce", bytes, 2);
    add_buffer(plan, "fill", moves_of(graph, node).fills.empty() ? 0 : bytes, 1);
  } else if (is_reduction(node.kind)) {
    const graph::Tensor& x = graph.tensor(node.inputs[0]);
    const graph::Tensor& y = graph.tensor(node.outputs[0]);
    const std::vector<ReduceDim> dims =
        reduce_dims(x.shape, std::get<graph::ReduceAttrs>(node.attrs).axes);
    const bool xr = storages.of(node.inputs[0]).resident;
    const bool yr = storages.of(node.outputs[0]).resident;
    plan.box =
        choose_box(dims, size_of(x.type), size_of(y.type), xr, yr, config, budget, plan.name);
    int64_t box = 1;
    int64_t kept = 1;
    for (std::size_t i = 0; i < dims.size(); ++i) {
      box *= plan.box.chunk[i];
      kept *= dims[i].reduced ? 1 : plan.box.chunk[i];
    }
    add_buffer(plan, "x", xr ? 0 : round_up(box * size_of(x.type), kAlignment), 2);
    add_buffer(plan, "y", yr ? 0 : round_up(kept * size_of(y.type), kAlignment), 2);
    add_buffer(plan, "params", round_up(record_bytes(false), kAlignment), 1);
  } else {
    ChunkPlan chunks = choose_chunks(chunk_problem(graph, node, storages), budget, plan.name);
    plan.level = chunks.level;
    plan.chunk = chunks.units;
    if (node.kind == graph::OpKind::kSvdf) {
      // Accumulators for `rank` features and one output of every unit.
      const int64_t unit = 4 * (std::get<graph::SvdfAttrs>(node.attrs).rank + 1);
      if (unit > config.accumulator.capacity_bytes) {
        fail("{}: accumulator: one unit needs {} bytes, {} are there", plan.name, unit,
             config.accumulator.capacity_bytes);
      }
      plan.chunk = std::min(plan.chunk, config.accumulator.capacity_bytes / unit);
    }
    plan.buffers = std::move(chunks.buffers);
  }
  return plan;
}

/// Scratchpad to keep free of residents for a layer: all its weights where they are a small part of
/// the scratchpad, never less than an eighth of it.
std::vector<int64_t> reserves(const Graph& graph, const NpuConfig& config,
                              const std::vector<int>& layers) {
  const int64_t capacity = config.scratchpad.capacity_bytes;
  std::vector<int64_t> reserve;
  for (const int index : layers) {
    const Node& node = graph.nodes[static_cast<std::size_t>(index)];
    int64_t weights = 0;
    for (const graph::TensorId id : node.inputs) {
      if (id != graph::kAbsent && graph.tensor(id).is_constant) weights += graph.tensor(id).bytes();
    }
    reserve.push_back(std::clamp(2 * weights, capacity / 8, capacity / 2));
  }
  return reserve;
}

void place_buffers(LayerPlan& plan, int64_t begin, int64_t end, bool from_the_top) {
  for (Buffer& b : plan.buffers) {
    if (from_the_top) {
      end -= b.bytes();
      b.address = end;
    } else {
      b.address = begin;
      begin += b.bytes();
    }
  }
}

}  // namespace

const Buffer* LayerPlan::buffer(std::string_view buffer_name) const {
  const auto it = std::find_if(buffers.begin(), buffers.end(),
                               [&](const Buffer& b) { return b.name == buffer_name; });
  return it == buffers.end() ? nullptr : &*it;
}

Mapping map_network(const Graph& graph, const NpuConfig& config, Partition partition) {
  Mapping mapping;
  mapping.partition = std::move(partition);
  const Partition& part = mapping.partition;
  const Storages bare =
      find_storages(graph, part.layers, part.aliases, part.npu_inputs, part.npu_outputs);
  std::vector<int64_t> reserve = reserves(graph, config, part.layers);
  const int64_t capacity = config.scratchpad.capacity_bytes / kAlignment * kAlignment;

  // A layer that does not fit beside its residents gets more room and the network is placed again;
  // with all of the scratchpad reserved for it, what does not fit then does not fit at all.
  for (;;) {
    mapping.storages = bare;
    place_residents(mapping.storages, reserve, capacity);
    mapping.layers.clear();
    bool again = false;
    for (std::size_t i = 0; i < part.layers.size() && !again; ++i) {
      const int64_t begin = work_area_begin(mapping.storages, static_cast<int>(i));
      try {
        LayerPlan plan =
            plan_layer(graph, config, mapping.storages, part.layers[i], capacity - begin);
        place_buffers(plan, begin, capacity, i % 2 == 1);
        mapping.layers.push_back(std::move(plan));
      } catch (const Error&) {
        if (begin == 0) throw;
        reserve[i] = std::min(capacity, std::max(2 * reserve[i], capacity - begin + 1));
        again = true;
      }
    }
    if (!again) return mapping;
  }
}

}  // namespace npu::mapper
