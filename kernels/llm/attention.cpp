// Attention of a step over the KV cache: scores, softmax, mixed values.
#include <algorithm>

#include "kernels/llm/step_builder.h"
#include "sim/base/math.h"

namespace npu::llm_kernels {
namespace {

using std::int64_t;

constexpr int64_t kLeastKeys = 8;  ///< Of a chunk, where there are as many.

/// Attention of one sequence, cut into blocks of KV heads and chunks of keys.
class SequenceAttention {
 public:
  SequenceAttention(const ModelLayout& layout, const NpuConfig& config, const Areas& areas,
                    const PlacedLayer& layer, const SequencePart& part, int64_t first_row,
                    TileCode& code, int64_t& chunks)
      : layout_(layout),
        model_(layout.model),
        areas_(areas),
        layer_(layer),
        code_(code),
        chunks_(chunks),
        first_row_(first_row),
        rows_(static_cast<int64_t>(part.tokens.size())),
        keys_(part.position + rows_),
        position_(part.position),
        place_(part.slot * layout.options.positions),
        group_(model_.heads / model_.kv_heads),
        cache_(bytes_of(layout.cache_code())),
        type_(layout.attention_code()),
        size_(bytes_of(type_)),
        accumulators_(config.accumulator.capacity_bytes) {
    choose_block();
  }

  void run() {
    for (int64_t head = 0; head < model_.kv_heads; head += block_) run_block(head);
  }

 private:
  [[nodiscard]] bool scaled() const { return layout_.cache_code() == Code::kInt8; }
  /// Query heads of a block times rows.
  [[nodiscard]] int64_t score_rows(int64_t block) const { return block * group_ * rows_; }
  [[nodiscard]] int64_t score_bytes(int64_t block) const {
    return round_up(score_rows(block) * 4 * (keys_ + 1), 64) +
           (type_ == Code::kFloat32 ? 0 : round_up(score_rows(block) * size_ * keys_, 64));
  }
  /// Keys or values of a chunk: as stored, scales, as multiplied.
  [[nodiscard]] int64_t chunk_bytes(int64_t block, int64_t keys) const {
    const int64_t elements = keys * block * model_.head_dim();
    if (!scaled()) return round_up(elements * cache_, 64);
    return round_up(elements, 64) + round_up(4 * keys * block, 64) + round_up(elements * size_, 64);
  }

  /// The most heads whose scores fit, then the most keys.
  void choose_block() {
    const int64_t least = std::min(kLeastKeys, keys_);
    const int64_t mixed_limit = accumulators_ / 2 / 4;  // float32 of a half.
    int64_t needed = 0;
    for (int64_t block = model_.kv_heads; block >= 1; block = block == 1 ? 0 : ceil_div(block, 2)) {
      if (model_.kv_heads % block != 0) continue;
      needed = score_bytes(block) + 2 * chunk_bytes(block, least);
      if (needed > areas_.attention_bytes) continue;
      if (score_rows(block) * model_.head_dim() > mixed_limit) continue;
      block_ = block;
      break;
    }
    const int64_t m = std::max(group_, rows_);
    const int64_t sums_limit = accumulators_ / 4 / 4 / m;
    if (block_ == 0 || sums_limit < 1) {
      fail("scratchpad: attention over {} keys needs {} bytes, {} are there", keys_, needed,
           areas_.attention_bytes);
    }
    chunk_ = std::min({keys_, sums_limit, std::int64_t{65535}});
    while (chunk_ > least &&
           score_bytes(block_) + 2 * chunk_bytes(block_, chunk_) > areas_.attention_bytes) {
      chunk_ = ceil_div(chunk_, 2);
    }
    scores_ = areas_.attention;
    stats_ = scores_ + score_rows(block_) * 4 * keys_;
    probabilities_ =
        type_ == Code::kFloat32 ? scores_ : round_up(stats_ + 4 * score_rows(block_), 64);
    slots_ = areas_.attention + score_bytes(block_);
    slot_bytes_ = chunk_bytes(block_, chunk_);
  }

  void run_block(int64_t first_head) {
    for (int64_t key = 0; key < keys_; key += chunk_) score_chunk(first_head, key);
    softmax();
    for (int64_t key = 0; key < keys_; key += chunk_) mix_chunk(first_head, key);
    store_mixed(first_head);
  }

  /// Loads keys or values [key, key + count) of the block's heads. Those that this step appends
  /// come by themselves, so that the others need not wait for them.
  int64_t load_chunk(int64_t base, int64_t scales, int64_t first_head, int64_t key, int64_t count) {
    code_.out().begin_step();
    const int64_t slot = slots_ + chunks_++ % 2 * slot_bytes_;
    const int64_t row = block_ * model_.head_dim();
    const int64_t scale_slot = slot + round_up(count * row, 64);
    const auto load = [&](int64_t from, int64_t to) {
      if (from >= to) return;
      const int64_t entry = place_ + from;
      transfer(base + (entry * model_.kv_dim() + first_head * model_.head_dim()) * cache_,
               model_.kv_dim() * cache_, slot + (from - key) * row * cache_, row * cache_,
               to - from);
      if (!scaled()) return;
      transfer(scales + (entry * model_.kv_heads + first_head) * 4, model_.kv_heads * 4,
               scale_slot + (from - key) * block_ * 4, block_ * 4, to - from);
    };
    load(key, std::min(key + count, position_));
    load(std::max(key, position_), key + count);
    if (!scaled()) return slot;
    const int64_t dequantized = scale_slot + round_up(4 * count * block_, 64);
    code_.map(MapFunction::kMul, elements(slot, Code::kInt8, model_.head_dim()),
              repeated(scale_slot, 4), elements(dequantized, type_, size_ * model_.head_dim()),
              {model_.head_dim(), count * block_});
    return dequantized;
  }

  void transfer(int64_t src, int64_t src_stride, int64_t dst, int64_t run, int64_t count) {
    code_.out().load({.src = src,
                      .dst = dst,
                      .run = run,
                      .count = {count},
                      .src_stride = {src_stride},
                      .dst_stride = {run}},
                     "cache");
  }

  /// One product per KV head where there is one row, else per query head.
  [[nodiscard]] int64_t products() const { return rows_ == 1 ? block_ : block_ * group_; }
  [[nodiscard]] int64_t product_rows() const { return rows_ == 1 ? group_ : rows_; }
  [[nodiscard]] int64_t kv_head(int64_t product) const {
    return rows_ == 1 ? product : product / group_;
  }
  /// First query of a product, and the distance to its next row.
  [[nodiscard]] int64_t query(int64_t first_head, int64_t product) const {
    const int64_t head = first_head * group_ + product * (rows_ == 1 ? group_ : 1);
    return areas_.query + first_row_ * query_row() + head * model_.head_dim() * size_;
  }
  [[nodiscard]] int64_t query_row() const {
    return type_ == Code::kFloat32 ? 4 * (model_.dim + 2 * model_.kv_dim()) : size_ * model_.dim;
  }

  void score_chunk(int64_t first_head, int64_t key) {
    const int64_t count = std::min(chunk_, keys_ - key);
    const int64_t slot = load_chunk(layer_.keys, layer_.key_scales, first_head, key, count);
    for (int64_t p = 0; p < products(); ++p) {
      const Sums sums{p % 2 * (accumulators_ / 4 / 64 * 64), product_rows(), count};
      code_.product({.x = query(first_head, p),
                     .x_stride = rows_ == 1 ? model_.head_dim() * size_ : query_row(),
                     .w = slot + kv_head(p) * model_.head_dim() * size_,
                     .w_stride = block_ * model_.head_dim() * size_,
                     .code = type_,
                     .k = model_.head_dim()},
                    sums);
      code_.convert(sums, {.record = areas_.constants + 8},
                    scores_ + 4 * (p * product_rows() * keys_ + key), 4 * keys_, Code::kFloat32);
    }
  }

  void softmax() {
    const int64_t row = 4 * keys_;
    const int64_t all_rows = score_rows(block_);
    const Extent all{keys_, all_rows};
    code_.out().begin_step();
    if (rows_ > 1) {
      const Walk newest = floats(scores_ + 4 * position_, row, rows_ * row);
      code_.map(MapFunction::kAdd, newest, floats(areas_.mask, 4 * layout_.options.mask_rows),
                newest, {rows_, rows_, block_ * group_});
    }
    const Walk scores = floats(scores_, row);
    const Walk stats{stats_, Code::kFloat32, 4, 4, 0};
    code_.reduce(ReduceFunction::kMax, scores, stats, all);
    code_.map(MapFunction::kSub, scores, repeated(stats_, 4), scores, all);
    code_.map(MapFunction::kExp, scores, scores, all);
    code_.reduce(ReduceFunction::kSum, scores, stats, all);
    code_.map(MapFunction::kDiv, scores, repeated(stats_, 4),
              elements(probabilities_, type_, size_ * keys_), all);
  }

  void mix_chunk(int64_t first_head, int64_t key) {
    const int64_t count = std::min(chunk_, keys_ - key);
    const int64_t slot = load_chunk(layer_.values, layer_.value_scales, first_head, key, count);
    for (int64_t p = 0; p < products(); ++p) {
      code_.product({.x = probabilities_ + size_ * (p * product_rows() * keys_ + key),
                     .x_stride = size_ * keys_,
                     .w = slot + kv_head(p) * model_.head_dim() * size_,
                     .w_stride = block_ * model_.head_dim() * size_,
                     .w_transposed = true,
                     .code = type_,
                     .k = count,
                     .accumulate = key > 0},
                    mixed(p));
    }
  }

  /// The sums of a product in the upper half of the accumulators, which stay over the chunks.
  [[nodiscard]] Sums mixed(int64_t product) const {
    return {accumulators_ / 2 / 64 * 64 + 4 * product * product_rows() * model_.head_dim(),
            product_rows(), model_.head_dim()};
  }

  void store_mixed(int64_t first_head) {
    const Code input = input_code(layout_);
    const int64_t head = model_.head_dim() * bytes_of(input);
    const int64_t row = model_.dim * bytes_of(input);
    const int64_t to = areas_.mixed + first_row_ * row + first_head * group_ * head;
    const Conversion how{.record = areas_.constants, .raw = input == Code::kFloat32};
    if (rows_ == 1) {
      Sums all = mixed(0);
      all.rows = block_ * group_;
      return code_.convert(all, how, to, head, input);
    }
    for (int64_t p = 0; p < products(); ++p)
      code_.convert(mixed(p), how, to + p * head, row, input);
  }

  const ModelLayout& layout_;
  const llm::LlamaConfig& model_;
  const Areas& areas_;
  const PlacedLayer& layer_;
  TileCode& code_;
  int64_t& chunks_;
  const int64_t first_row_, rows_, keys_, position_, place_, group_, cache_;
  const Code type_;
  const int64_t size_, accumulators_;
  int64_t block_ = 0, chunk_ = 0;  ///< KV heads, keys.
  int64_t scores_ = 0, stats_ = 0, probabilities_ = 0, slots_ = 0, slot_bytes_ = 0;
};

}  // namespace

void StepBuilder::attention(const PlacedLayer& layer, int index) {
  int64_t macs = 0;
  for (const SequencePart& part : step_.parts) {
    const auto rows = static_cast<int64_t>(part.tokens.size());
    macs += 2 * rows * (part.position + rows) * model_.dim;
  }
  begin(Stage::kAttention, index, macs);
  require(layout_.attention_code());
  int64_t first_row = 0;
  for (const SequencePart& part : step_.parts) {
    SequenceAttention(layout_, config_, areas_, layer, part, first_row, code_, chunks_).run();
    first_row += static_cast<int64_t>(part.tokens.size());
  }
}

}  // namespace npu::llm_kernels
