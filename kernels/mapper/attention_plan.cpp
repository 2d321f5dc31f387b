#include "kernels/mapper/attention_plan.h"

#include <algorithm>
#include <array>
#include <optional>

#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/window_tiling.h"
#include "sim/base/error.h"
#include "sim/base/math.h"
#include "sim/timing/mac_timing.h"
#include "sim/timing/vector_timing.h"

namespace npu::mapper {

using graph::Tensor;
using std::int64_t;
using timing::VectorClass;

namespace {

constexpr int64_t kFloatBytes = 4;
constexpr int64_t kMaxExtent = 65535;
constexpr int64_t kLeastKeys = 16;  ///< Of a tile, where there are as many.

/// Halves from n down to `least`.
std::vector<int64_t> halves(int64_t n, int64_t least) {
  std::vector<int64_t> sizes;
  for (int64_t size = n;; size = ceil_div(size, 2)) {
    sizes.push_back(size);
    if (size <= least || size == 1) return sizes;
  }
}

std::vector<int64_t> sizes(const std::optional<int64_t>& decided, int64_t n, int64_t least) {
  return decided ? std::vector<int64_t>{*decided} : halves(n, least);
}

void check_decision(const AttentionShape& s, const AttentionTileDecision& d,
                    const std::string& layer) {
  const auto extent = [&](std::string_view key, const std::optional<int64_t>& value, int64_t size) {
    if (!value || (*value >= 1 && *value <= size)) return;
    fail_mapping(
        {.kind = FaultKind::kRange, .layer = layer, .key = fmt::format("attention.{}", key)},
        "{}: attention.{}: {}: the layer allows 1 to {}", layer, key, *value, size);
  };
  extent("heads", d.heads, s.group);
  extent("rows", d.rows, s.rows);
  extent("keys", d.keys, s.keys);
  const int64_t heads = d.heads.value_or(1);
  const int64_t rows = d.rows.value_or(heads > 1 ? s.rows : 1);
  if (heads > 1 && rows < s.rows) {
    fail_mapping({.kind = FaultKind::kUnsupported, .layer = layer, .key = "attention.rows"},
                 "{}: attention.rows: {}: several heads have all {} rows", layer, rows, s.rows);
  }
  if (heads * rows > kMaxExtent || d.keys.value_or(1) > kMaxExtent) {
    fail_mapping({.kind = FaultKind::kUnsupported, .layer = layer, .key = "attention"},
                 "{}: attention: a tile has at most {} positions and keys", layer, kMaxExtent);
  }
}

class TilePlanner {
 public:
  TilePlanner(const AttentionShape& shape, const NpuConfig& config, int64_t budget,
              const std::vector<BufferDecision>& decided)
      : s_(shape), config_(config), budget_(budget), decided_(decided) {}

  std::optional<AttentionTile> build(int64_t heads, int64_t rows, int64_t keys) {
    AttentionTile t;
    t.heads = heads;
    t.rows = rows;
    t.keys = keys;
    const int64_t r = t.positions();
    if (r > kMaxExtent || keys > kMaxExtent) return std::nullopt;
    t.score_bytes = round_up(r * keys * kFloatBytes, kAlignment);
    t.sum_bytes = round_up(r * s_.value_depth * kFloatBytes, kAlignment);
    accumulator_ = kAttentionSlots * (t.score_bytes + t.sum_bytes);
    if (accumulator_ > config_.accumulator.capacity_bytes) return std::nullopt;
    const bool large_enough = place(t);
    buffers_ = t.buffers;
    scratchpad_ = total_bytes(t.buffers);
    if (!large_enough || scratchpad_ > budget_) return std::nullopt;
    estimate(t);
    return t;
  }
  /// Of the tile built last.
  [[nodiscard]] const std::vector<Buffer>& buffers() const { return buffers_; }
  /// What the tile built last needs.
  [[nodiscard]] int64_t accumulator_bytes() const { return accumulator_; }
  [[nodiscard]] int64_t scratchpad_bytes() const { return scratchpad_; }

 private:
  /// False where a decided slot is too small.
  bool place(AttentionTile& t) const {
    const int64_t r = t.positions();
    bool large_enough = true;
    const auto add = [&](const char* name, int64_t bytes, int slots) {
      if (bytes == 0) return;
      t.buffers.push_back({name, round_up(bytes, kAlignment), slots, -1});
      large_enough &= decide(t.buffers.back(), decided_);
    };
    add("q", s_.q_resident ? 0 : r * s_.depth * s_.in_size, 2);
    add("k", s_.k_resident ? 0 : t.keys * s_.depth * s_.in_size, 2);
    add("v", s_.v_resident ? 0 : t.keys * s_.value_depth * s_.in_size, 2);
    if (s_.mask_size > 0 && !s_.mask_resident) {
      add("mask",
          (s_.mask_heads ? t.heads : 1) * (s_.mask_rows ? t.rows : 1) *
              (s_.mask_keys ? t.keys : 1) * s_.mask_size,
          2);
    }
    add("s", r * t.keys * kFloatBytes, 1);
    add("p", r * t.keys * s_.in_size, 2);
    add("state", kAttentionStates * round_up(r * kFloatBytes, kAlignment), 1);
    add("o", r * s_.value_depth * kFloatBytes, 1);
    add("y", s_.y_resident ? 0 : r * s_.value_depth * s_.y_size, 2);
    // Two records of vec.output, and the causal mask by difference of position.
    const bool banded = s_.causal && s_.rows > 1;
    add("params", kAlignment + (banded ? 2 * (t.rows + t.keys) * kFloatBytes : 0), 1);
    return large_enough;
  }

  [[nodiscard]] int64_t vector(VectorClass kind, int64_t elements, int64_t steps = 1) const {
    return timing::vector_op(config_.vector_unit, kind, elements, steps).total_cycles;
  }
  [[nodiscard]] int64_t product(int64_t m, int64_t n, int64_t k) const {
    const timing::MacTile tile{.m = m, .n = n, .k = k, .weights_loaded = true};
    return timing::mac_tile(config_.mac_array, tile).total_cycles;
  }

  /// Adds `count` steps of r positions × n keys.
  void add_steps(AttentionTile& t, int64_t count, int64_t r, int64_t n) const {
    const int64_t scores = r * n;
    const int64_t sums = r * s_.value_depth;
    t.work.mac_cycles += count * (product(r, n, s_.depth) + product(r, s_.value_depth, n));
    int64_t cycles = vector(VectorClass::kRequantize, scores);
    if (s_.mask_size > 0) cycles += vector(VectorClass::kElementwise, scores);
    cycles += 2 * vector(VectorClass::kReduce, r, n) + vector(VectorClass::kElementwise, scores) +
              vector(VectorClass::kFunction, scores);
    if (!is_float(s_.type)) cycles += vector(VectorClass::kFunction, scores);
    cycles += 2 * vector(VectorClass::kElementwise, r) + vector(VectorClass::kFunction, r) +
              vector(VectorClass::kMultiply, r);
    cycles += vector(VectorClass::kMultiply, sums) + vector(VectorClass::kRequantize, sums);
    t.work.vector_cycles += count * cycles;
    t.work.tiles += count;
  }

  void estimate(AttentionTile& t) const {
    const int64_t products = s_.batch * s_.key_heads;
    const int64_t head_blocks = ceil_div(s_.group, t.heads);
    t.work.tiles = 0;
    int64_t key_rows = 0;  // keys loaded, over all blocks of rows
    for (int64_t row = 0; row < s_.rows; row += t.rows) {
      const int64_t rows = std::min(t.rows, s_.rows - row);
      const int64_t keys = s_.visible(row + rows - 1);
      const int64_t r = rows * std::min(t.heads, s_.group);
      const int64_t blocks = products * head_blocks;
      if (keys / t.keys > 0) add_steps(t, blocks * (keys / t.keys), r, t.keys);
      if (keys % t.keys > 0) add_steps(t, blocks, r, keys % t.keys);
      key_rows += std::min(s_.keys, round_up(keys, t.keys));
      t.work.descriptors += blocks * (2 + 2 * ceil_div(keys, t.keys));
    }
    const bool once = t.keys >= s_.keys;  // one block of keys stays in its slot
    const int64_t loaded = once ? s_.keys : key_rows * head_blocks;
    const int64_t positions = products * s_.group * s_.rows;
    const int64_t mask =
        s_.mask_size * s_.batch * (s_.mask_heads ? s_.key_heads * s_.group : 1) * s_.rows * s_.keys;
    t.work.load_bytes = (s_.q_resident ? 0 : positions * s_.depth * s_.in_size) +
                        (s_.k_resident ? 0 : products * loaded * s_.depth * s_.in_size) +
                        (s_.v_resident ? 0 : products * loaded * s_.value_depth * s_.in_size) +
                        (s_.mask_resident ? 0 : mask);
    t.work.store_bytes = s_.y_resident ? 0 : positions * s_.value_depth * s_.y_size;
    t.work.first_load_bytes = (t.positions() + t.keys) * s_.depth * s_.in_size;
    t.work.last_store_bytes = s_.y_resident ? 0 : t.positions() * s_.value_depth * s_.y_size;
    t.predicted_cycles = cost::layer_cycles(config_, t.work);
  }

  const AttentionShape& s_;
  const NpuConfig& config_;
  int64_t budget_;
  const std::vector<BufferDecision>& decided_;
  std::vector<Buffer> buffers_;
  int64_t accumulator_ = 0, scratchpad_ = 0;
};

}  // namespace

AttentionShape attention_shape(const graph::Graph& graph, const graph::Node& node) {
  const Tensor& q = graph.tensor(node.inputs.at(0));
  const Tensor& k = graph.tensor(node.inputs.at(1));
  const Tensor& v = graph.tensor(node.inputs.at(2));
  AttentionShape s;
  s.batch = q.shape.at(0);
  s.key_heads = k.shape.at(1);
  s.group = q.shape.at(1) / k.shape.at(1);
  s.rows = q.shape.at(2);
  s.depth = q.shape.at(3);
  s.keys = k.shape.at(2);
  s.value_depth = v.shape.at(3);
  s.type = q.type;
  s.in_size = size_of(q.type);
  s.y_size = size_of(graph.tensor(node.outputs.at(0)).type);
  s.causal = std::get<graph::AttentionAttrs>(node.attrs).causal;
  if (node.inputs.size() < 4 || node.inputs[3] == graph::kAbsent) return s;
  const Tensor& mask = graph.tensor(node.inputs[3]);
  s.mask_size = size_of(mask.type);
  const auto advances = [&](std::size_t back) {
    return back <= mask.shape.size() && mask.shape[mask.shape.size() - back] > 1;
  };
  s.mask_keys = advances(1);
  s.mask_rows = advances(2);
  s.mask_heads = advances(3);
  s.mask_batch = advances(4);
  return s;
}

AttentionTile choose_attention_tile(const AttentionShape& shape, const NpuConfig& config,
                                    int64_t scratchpad_bytes, const std::string& layer,
                                    const AttentionTileDecision& decided) {
  check_decision(shape, decided, layer);
  TilePlanner planner(shape, config, scratchpad_bytes, decided.buffers);
  std::optional<AttentionTile> best;
  const auto consider = [&](int64_t heads, int64_t rows, int64_t keys) {
    if (decided.heads.value_or(heads) != heads || decided.rows.value_or(rows) != rows) return;
    const std::optional<AttentionTile> t = planner.build(heads, rows, keys);
    if (t && (!best || t->predicted_cycles < best->predicted_cycles)) best = t;
  };
  const auto over_rows = [&](int64_t keys) {
    for (const int64_t heads : sizes(decided.heads, shape.group, 2)) {
      if (heads > 1) consider(heads, shape.rows, keys);
    }
    for (const int64_t rows : sizes(decided.rows, shape.rows, 1)) consider(1, rows, keys);
  };
  for (const int64_t keys : sizes(decided.keys, shape.keys, kLeastKeys)) over_rows(keys);
  const int64_t fewer = decided.keys ? 0 : std::min(shape.keys, kLeastKeys) / 2;
  for (int64_t keys = fewer; !best && keys > 0; keys /= 2) over_rows(keys);
  if (best) return *best;
  const int64_t heads = decided.heads.value_or(1);
  const int64_t rows = decided.rows.value_or(heads > 1 ? shape.rows : 1);
  static_cast<void>(planner.build(heads, rows, decided.keys.value_or(1)));
  const std::string_view which =
      decided.heads || decided.rows || decided.keys ? "decided" : "smallest";
  if (planner.accumulator_bytes() > config.accumulator.capacity_bytes) {
    fail_mapping({.kind = FaultKind::kCapacity,
                  .layer = layer,
                  .key = "attention",
                  .level = MemoryLevel::kAccumulator,
                  .object = "sums",
                  .needed = planner.accumulator_bytes(),
                  .there = config.accumulator.capacity_bytes},
                 "{}: accumulator: the {} tile needs {} bytes, {} are there", layer, which,
                 planner.accumulator_bytes(), config.accumulator.capacity_bytes);
  }
  if (planner.scratchpad_bytes() <= scratchpad_bytes)
    fail_small_slots(planner.buffers(), decided.buffers, layer);
  fail_mapping({.kind = FaultKind::kCapacity,
                .layer = layer,
                .key = "attention",
                .level = MemoryLevel::kScratchpad,
                .object = largest_buffer(planner.buffers()),
                .needed = planner.scratchpad_bytes(),
                .there = scratchpad_bytes},
               "{}: scratchpad: the {} tile needs {} bytes, {} are there", layer, which,
               planner.scratchpad_bytes(), scratchpad_bytes);
}

cost::LayerWork unfused_attention(const AttentionShape& s, const NpuConfig& config) {
  const int64_t products = s.batch * s.key_heads;
  const int64_t positions = s.group * s.rows;
  const int64_t scores = products * positions * s.keys;
  const int64_t sums = products * positions * s.value_depth;
  const auto vector = [&](VectorClass kind, int64_t elements, int64_t steps) {
    return timing::vector_op(config.vector_unit, kind, elements, steps).total_cycles;
  };
  const auto product = [&](int64_t m, int64_t n, int64_t k) {
    const timing::MacTile tile{.m = m, .n = n, .k = k, .weights_loaded = true};
    return timing::mac_tile(config.mac_array, tile).total_cycles;
  };
  cost::LayerWork work;
  work.mac_cycles =
      products * (product(positions, s.keys, s.depth) + product(positions, s.value_depth, s.keys));
  const int64_t masks = (s.mask_size > 0 ? 1 : 0) + (s.causal && s.rows > 1 ? 1 : 0);
  const int64_t conversions = s.type == DType::kFloat32 ? 0 : 1;
  work.vector_cycles = vector(VectorClass::kRequantize, scores + sums, 1) +
                       masks * vector(VectorClass::kElementwise, scores, 1) +
                       2 * vector(VectorClass::kReduce, scores / s.keys, s.keys) +
                       vector(VectorClass::kElementwise, scores, 1) +
                       vector(VectorClass::kFunction, scores, 1) +
                       vector(VectorClass::kMultiply, scores, 1) +
                       conversions * vector(VectorClass::kFunction, scores, 1);
  // Each tensor of scores is written by one layer and read by the next.
  const int64_t tensors = 2 + masks;
  const bool resident = 2 * scores * 4 <= config.scratchpad.capacity_bytes / 2;
  const int64_t spilled = resident ? 0 : tensors * scores * 4;
  const int64_t narrow = resident || conversions == 0 ? 0 : scores * s.in_size;
  work.load_bytes =
      products * s.in_size * (positions * s.depth + s.keys * (s.depth + s.value_depth)) + spilled +
      narrow + s.mask_size * s.rows * s.keys;
  work.store_bytes = sums * s.y_size + spilled + narrow;
  work.first_load_bytes = work.load_bytes / (8 * products);
  work.last_store_bytes = work.store_bytes / (8 * products);
  work.tiles = 4 * products;
  work.descriptors = 16 * products;
  return work;
}

}  // namespace npu::mapper
