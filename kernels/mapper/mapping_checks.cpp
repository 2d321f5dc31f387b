#include "kernels/mapper/mapping_checks.h"

#include <algorithm>

#include "kernels/mapper/mapping_error.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using graph::Graph;
using graph::Node;
using std::int64_t;

/// Bytes that something holds during a layer.
struct Held {
  int64_t low = 0, high = 0;
  std::string key, name;
};

[[noreturn]] void refuse(FaultKind kind, const std::string& layer, const Held& held, int64_t there,
                         const std::string& why) {
  fail_mapping({.kind = kind,
                .layer = layer,
                .key = held.key,
                .level = MemoryLevel::kScratchpad,
                .object = held.name,
                .needed = held.high - held.low,
                .there = there},
               "{}: scratchpad: {} needs {} bytes from {}: {}", layer, held.name,
               held.high - held.low, held.low, why);
}

/// The scratchpad during one layer: aligned, in bounds, nothing twice.
void check_scratchpad(const std::string& layer, std::vector<Held> held, int64_t capacity) {
  std::sort(held.begin(), held.end(), [](const Held& a, const Held& b) { return a.low < b.low; });
  for (std::size_t i = 0; i < held.size(); ++i) {
    const Held& h = held[i];
    if (h.low < 0 || h.low % kAlignment != 0) {
      refuse(FaultKind::kMisaligned, layer, h, -1,
             fmt::format("its address must be a multiple of {}", kAlignment));
    }
    if (h.high > capacity) {
      const int64_t there = std::max<int64_t>(0, capacity - h.low);
      refuse(FaultKind::kCapacity, layer, h, there, fmt::format("{} are there", there));
    }
    if (i + 1 == held.size() || held[i + 1].low >= h.high) continue;
    const int64_t there = held[i + 1].low - h.low;
    refuse(FaultKind::kOverlap, layer, h, there,
           fmt::format("{} are there, {} begins at {}", there, held[i + 1].name, held[i + 1].low));
  }
}

/// What one layer needs of its buffers and of the accumulators.
class LayerCheck {
 public:
  LayerCheck(const Graph& graph, const NpuConfig& config, const Storages& storages,
             const LayerPlan& plan)
      : graph_(graph),
        config_(config),
        storages_(storages),
        plan_(plan),
        node_(graph.nodes[static_cast<std::size_t>(plan.node)]) {}

  void run() const {
    for (const Buffer& b : plan_.buffers) {
      if (b.slots >= 1 && b.slot_bytes >= 1 && b.slot_bytes % kAlignment == 0) continue;
      fail_mapping(
          {.kind = b.slots < 1 ? FaultKind::kSlots : FaultKind::kMisaligned,
           .layer = plan_.name,
           .key = fmt::format("scratchpad.{}.{}", b.name, b.slots < 1 ? "slots" : "slot_bytes"),
           .level = MemoryLevel::kScratchpad,
           .object = b.name},
          "{}: scratchpad: {} has {} slots of {} bytes: at least one, of a multiple of {}",
          plan_.name, b.name, b.slots, b.slot_bytes, kAlignment);
    }
    if (plan_.window) {
      window(*plan_.window, plan_.tile);
    } else if (node_.kind == graph::OpKind::kAttention) {
      attention(plan_.attention);
    } else if (!plan_.box.chunk.empty()) {
      reduction();
    } else if (plan_.chunk > 0) {
      chunk();
    }
  }

 private:
  void slot(const char* name, int64_t bytes) const {
    if (bytes == 0) return;
    const Buffer* b = plan_.buffer(name);
    const int64_t there = b == nullptr ? 0 : b->slot_bytes;
    if (there >= bytes) return;
    fail_mapping({.kind = FaultKind::kSlots,
                  .layer = plan_.name,
                  .key = fmt::format("scratchpad.{}.slot_bytes", name),
                  .level = MemoryLevel::kScratchpad,
                  .object = name,
                  .needed = bytes,
                  .there = there},
                 "{}: scratchpad: a slot of {} needs {} bytes, {} are there", plan_.name, name,
                 bytes, there);
  }
  void sums(int64_t bytes, const char* key) const {
    const int64_t there = config_.accumulator.capacity_bytes;
    if (bytes <= there) return;
    fail_mapping({.kind = FaultKind::kCapacity,
                  .layer = plan_.name,
                  .key = key,
                  .level = MemoryLevel::kAccumulator,
                  .object = "sums",
                  .needed = bytes,
                  .there = there},
                 "{}: accumulator: the sums need {} bytes, {} are there", plan_.name, bytes, there);
  }

  /// The largest input block of the tiles along one dimension.
  static int64_t largest_span(int64_t out, int64_t tile, const WindowProblem& p, bool vertical) {
    const auto& w = p.window;
    int64_t most = 0;
    for (int64_t first = 0; first < out; first += tile) {
      const int64_t count = std::min(tile, out - first);
      const InputSpan span = vertical ? input_span(first, count, w.stride_h, w.kernel_h,
                                                   w.dilation_h, w.pad_top, p.up_h, p.in_h)
                                      : input_span(first, count, w.stride_w, w.kernel_w,
                                                   w.dilation_w, w.pad_left, p.up_w, p.in_w);
      most = std::max(most, span.size);
    }
    return most;
  }

  void window(const WindowProblem& p, const WindowTile& t) const {
    const BroadcastDim inner =
        plan_.products.lead.empty() ? BroadcastDim{} : plan_.products.lead.back();
    const auto products = [&](bool advances) { return advances ? t.images : 1; };
    if (!p.x_resident) {
      slot("x", largest_span(p.out_h, t.out_h, p, true) * largest_span(p.out_w, t.out_w, p, false) *
                    t.in_c * p.x_size * products(inner.a));
    }
    const bool has_array = uses_array(p);
    if (has_array && !p.w_resident) {
      const int64_t k = p.taps() * (p.kind == WindowKind::kDepthwise ? 1 : t.in_c);
      const bool records = t.params_bytes == 0;
      slot("w",
           t.out_c * k * p.w_size * products(inner.b) + (records ? t.out_c * p.param_bytes : 0));
    }
    if (!p.y_resident) {
      const int64_t rows = t.streamed ? t.piece_h : t.out_h;
      slot("y", rows * t.out_w * t.out_c * p.y_size * t.images);
    }
    if (!has_array || t.streamed) return;
    const int64_t tile = t.out_h * t.out_w * t.out_c * p.acc_size() * t.images;
    if (t.acc_slots < 1 || t.acc_bytes < tile) {
      fail_mapping({.kind = FaultKind::kSlots,
                    .layer = plan_.name,
                    .key = "accumulator.slots",
                    .level = MemoryLevel::kAccumulator,
                    .object = "sums",
                    .needed = tile,
                    .there = t.acc_slots < 1 ? 0 : t.acc_bytes},
                   "{}: accumulator: a tile needs {} bytes, its {} slots have {}", plan_.name, tile,
                   t.acc_slots, t.acc_bytes);
    }
    sums(t.acc_slots * t.acc_bytes, "accumulator.slots");
  }

  void attention(const AttentionTile& t) const {
    const AttentionShape s = attention_shape(graph_, node_);
    const int64_t r = t.positions();
    const auto operand = [&](std::size_t input, const char* name, int64_t bytes) {
      if (!storages_.of(node_.inputs[input]).resident) slot(name, bytes);
    };
    operand(0, "q", r * s.depth * s.in_size);
    operand(1, "k", t.keys * s.depth * s.in_size);
    operand(2, "v", t.keys * s.value_depth * s.in_size);
    slot("s", r * t.keys * 4);
    slot("p", r * t.keys * s.in_size);
    slot("o", r * s.value_depth * 4);
    if (!storages_.of(node_.outputs[0]).resident) slot("y", r * s.value_depth * s.y_size);
    sums(kAttentionSlots * (t.score_bytes + t.sum_bytes), "attention");
  }

  void reduction() const {
    const std::vector<ReduceDim> dims = reduce_dims(graph_.tensor(node_.inputs[0]).shape,
                                                    std::get<graph::ReduceAttrs>(node_.attrs).axes);
    int64_t all = 1;
    int64_t kept = 1;
    for (std::size_t i = 0; i < dims.size(); ++i) {
      all *= plan_.box.chunk[i];
      kept *= dims[i].reduced ? 1 : plan_.box.chunk[i];
    }
    if (!storages_.of(node_.inputs[0]).resident)
      slot("x", all * size_of(graph_.tensor(node_.inputs[0]).type));
    if (!storages_.of(node_.outputs[0]).resident)
      slot("y", kept * size_of(graph_.tensor(node_.outputs[0]).type));
    sums(kept * 4, "box");
  }

  void chunk() const {
    const ChunkProblem p = chunk_problem(graph_, node_, storages_, plan_.softmax.block);
    const ChunkLevel& level = p.levels.at(plan_.level);
    for (std::size_t i = 0; i < p.streamed.size(); ++i) {
      slot(p.streamed[i].c_str(), level.bytes_fixed[i] + level.bytes_per_unit[i] * plan_.chunk);
    }
    if (node_.kind == graph::OpKind::kSvdf) {
      sums(plan_.chunk * 4 * (std::get<graph::SvdfAttrs>(node_.attrs).rank + 1), "cut.units");
    }
  }

  const Graph& graph_;
  const NpuConfig& config_;
  const Storages& storages_;
  const LayerPlan& plan_;
  const Node& node_;
};

}  // namespace

void check_mapping(const Graph& graph, const NpuConfig& config, const Mapping& mapping) {
  // Storages by the layer that they begin to live in: each layer adds its own and drops the dead.
  std::vector<const Storage*> residents;
  for (const Storage& s : mapping.storages.all) {
    if (s.resident) residents.push_back(&s);
  }
  std::sort(residents.begin(), residents.end(),
            [](const Storage* a, const Storage* b) { return a->first_layer < b->first_layer; });
  std::size_t next = 0;
  std::vector<const Storage*> alive;
  for (std::size_t i = 0; i < mapping.layers.size(); ++i) {
    const LayerPlan& plan = mapping.layers[i];
    const int layer = static_cast<int>(i);
    std::erase_if(alive, [&](const Storage* s) { return s->last_layer < layer; });
    for (; next < residents.size() && residents[next]->first_layer <= layer; ++next)
      alive.push_back(residents[next]);
    std::vector<Held> held;
    for (const Storage* s : alive) {
      const graph::TensorId id = s->tensors.front();
      held.push_back({s->address, s->address + s->bytes, fmt::format("tensors.{}.address", id),
                      fmt::format("tensor {}", id)});
    }
    for (const Buffer& b : plan.buffers) {
      held.push_back({b.address, b.address + b.bytes(),
                      fmt::format("scratchpad.{}.address", b.name),
                      fmt::format("buffer {}", b.name)});
    }
    check_scratchpad(plan.name, std::move(held), config.scratchpad.capacity_bytes);
    LayerCheck(graph, config, mapping.storages, plan).run();
  }
}

}  // namespace npu::mapper
