// Query, key and value of a layer, their place in the cache, and the output projection.
#include "kernels/llm/step_builder.h"

namespace npu::llm_kernels {
namespace {

using std::int64_t;

}  // namespace

void StepBuilder::project(const PlacedLayer& layer, int index) {
  begin(Stage::kProjections, index, rows_ * layer.qkv.rows * layer.qkv.columns);
  normalize(areas_.stream, rows_, layer.attention_norm, elements(areas_.normed, input_));
  multiply(layer.qkv, {areas_.normed, rows_}, {areas_.qkv, 4 * layer.qkv.rows});
  rotate();
  convert_query();
  append_to_cache(layer);
}

/// Pairs of queries and keys; a pair's new halves need both of the old ones.
void StepBuilder::rotate() {
  out_.begin_step();
  const int64_t pairs = model_.head_dim() / 2;
  const int64_t heads = model_.heads + model_.kv_heads;
  const int64_t head = 4 * model_.head_dim();
  const int64_t row = 4 * (model_.dim + 2 * model_.kv_dim());
  const Extent all{pairs, heads, rows_};
  const auto half = [&](int64_t which) {
    return Walk{areas_.qkv + 4 * which, Code::kFloat32, 8, head, row};
  };
  const int64_t products = 4 * pairs * heads;
  const auto product = [&](int64_t which) {
    return floats(areas_.work + which * products * rows_, 4 * pairs, products);
  };
  const Walk cosines = floats(areas_.cosines, 0, 4 * pairs);
  const Walk sines = floats(areas_.sines, 0, 4 * pairs);
  // The products with the sines first, then in place.
  code_.map(MapFunction::kMul, half(1), sines, product(0), all);
  code_.map(MapFunction::kMul, half(0), sines, product(1), all);
  code_.map(MapFunction::kMul, half(0), cosines, half(0), all);
  code_.map(MapFunction::kSub, half(0), product(0), half(0), all);
  code_.map(MapFunction::kMul, half(1), cosines, half(1), all);
  code_.map(MapFunction::kAdd, product(1), half(1), half(1), all);
}

void StepBuilder::convert_query() {
  const Code code = layout_.attention_code();
  if (code == Code::kFloat32) return;
  const int64_t row = 4 * (model_.dim + 2 * model_.kv_dim());
  code_.map(MapFunction::kCopy, floats(areas_.qkv, row),
            elements(areas_.query, code, bytes_of(code) * model_.dim), {model_.dim, rows_});
}

/// Keys and values of the rows in int8: [2, rows, kv_dim], scales [2, rows, kv_heads].
void StepBuilder::quantize_cache_rows() {
  const int64_t head = 4 * model_.head_dim();
  const int64_t row = 4 * (model_.dim + 2 * model_.kv_dim());
  const int64_t kv = 4 * model_.kv_dim();
  const Extent all{model_.head_dim(), model_.kv_heads, rows_};
  for (int64_t i = 0; i < 2; ++i) {
    const Walk from = floats(areas_.qkv + 4 * model_.dim + i * kv, head, row);
    const Walk work = floats(areas_.work, head, kv);
    const int64_t scales = areas_.cache_scales + i * 4 * rows_ * model_.kv_heads;
    code_.map(MapFunction::kAbs, from, work, all);
    code_.reduce(ReduceFunction::kMax, work, {scales, Code::kFloat32, 4, 4, 4 * model_.kv_heads},
                 all);
    code_.map(MapFunction::kDiv, floats(scales), 127, floats(scales), {rows_ * model_.kv_heads});
    code_.map(MapFunction::kDiv, from, repeated(scales, 4, 4 * model_.kv_heads), work, all);
    code_.map(MapFunction::kRound, floats(areas_.work),
              elements(areas_.cache_rows + i * rows_ * model_.kv_dim(), Code::kInt8),
              {rows_ * model_.kv_dim()});
  }
}

void StepBuilder::append_to_cache(const PlacedLayer& layer) {
  const Code code = layout_.cache_code();
  const int64_t row = 4 * (model_.dim + 2 * model_.kv_dim());
  const int64_t entry = bytes_of(code) * model_.kv_dim();
  if (code == Code::kInt8) {
    quantize_cache_rows();
  } else {
    for (int64_t i = 0; i < 2; ++i) {
      code_.map(
          MapFunction::kCopy, floats(areas_.qkv + 4 * (model_.dim + i * model_.kv_dim()), row),
          elements(areas_.cache_rows + i * rows_ * entry, code, entry), {model_.kv_dim(), rows_});
    }
  }
  const auto store = [&](int64_t from, int64_t to, int64_t bytes) {
    out_.store(
        {.src = from, .dst = to, .run = bytes, .count = {}, .src_stride = {}, .dst_stride = {}},
        "cache");
  };
  int64_t first = 0;
  for (const SequencePart& part : step_.parts) {
    const auto rows = static_cast<int64_t>(part.tokens.size());
    const int64_t place = part.slot * layout_.options.positions + part.position;
    const int64_t scale = 4 * model_.kv_heads;
    for (int64_t i = 0; i < 2; ++i) {
      store(areas_.cache_rows + (i * rows_ + first) * entry,
            (i == 0 ? layer.keys : layer.values) + place * entry, rows * entry);
      if (code != Code::kInt8) continue;
      store(areas_.cache_scales + (i * rows_ + first) * scale,
            (i == 0 ? layer.key_scales : layer.value_scales) + place * scale, rows * scale);
    }
    first += rows;
  }
}

void StepBuilder::project_output(const PlacedLayer& layer, int index) {
  begin(Stage::kProjections, index, rows_ * layer.output.rows * layer.output.columns);
  add_product(layer.output, areas_.mixed);
}

}  // namespace npu::llm_kernels
