// The operators of a network description that transformers are made of. Activations are rows of
// features, [batch · tokens, width].
#include <array>

#include "workloads/importers/layer_reader.h"

namespace npu::importers {
namespace {

using graph::TensorId;

constexpr std::int64_t kMaxHeads = 4096;

/// How rows are cut: batch · tokens rows of heads · depth features.
struct Heads {
  std::int64_t batch = 1, tokens = 1, heads = 1, depth = 1;
};

/// @param key  of the number of heads.
Heads read_heads(const LayerReader& layer, TensorId x, std::int64_t heads, std::string_view key) {
  const Shape& s = layer.shape_of(x);
  if (s.size() != 2) {
    layer.fail("from", fmt::format("must name rows [batch * tokens, width], got {}", to_string(s)));
  }
  const std::int64_t depth = layer.integer("head_dim", 1, kMaxExtent);
  if (depth > s[1] || heads * depth != s[1]) {
    layer.fail(key, fmt::format("must give {} * head_dim features, got {} for {}", heads,
                                heads * depth, to_string(s)));
  }
  const std::int64_t batch = layer.integer_or("batch", 1, 1, kMaxExtent);
  if (s[0] % batch != 0) {
    layer.fail("batch", fmt::format("must divide {} rows, got {}", s[0], batch));
  }
  return {batch, s[0] / batch, heads, depth};
}

/// [batch · tokens, heads · depth] to [batch, heads, tokens, depth].
TensorId split_heads(LayerReader& layer, TensorId x, const Heads& h) {
  const TensorId cut = layer.builder.reshape(x, {h.batch, h.tokens, h.heads, h.depth});
  return layer.builder.transpose(cut, {0, 2, 1, 3});
}

/// The way back.
TensorId join_heads(LayerReader& layer, TensorId x, const Heads& h) {
  const TensorId rows = layer.builder.transpose(x, {0, 2, 1, 3});
  return layer.builder.reshape(rows, {h.batch * h.tokens, h.heads * h.depth});
}

TensorId attention(LayerReader& layer) {
  const std::vector<TensorId> qkv = layer.operands(3, 3);
  const std::int64_t query_heads = layer.integer("heads", 1, kMaxHeads);
  const std::int64_t key_heads = layer.integer_or("kv_heads", query_heads, 1, query_heads);
  if (query_heads % key_heads != 0) {
    layer.fail("kv_heads", fmt::format("must divide {} heads, got {}", query_heads, key_heads));
  }
  const Heads heads = read_heads(layer, qkv[0], query_heads, "heads");
  const Heads groups = read_heads(layer, qkv[1], key_heads, "kv_heads");
  const bool causal = layer.map().get<bool>("causal", false);
  if (layer.shape_of(qkv[1]) != layer.shape_of(qkv[2]) ||
      (causal && heads.tokens != groups.tokens)) {
    layer.fail("from",
               fmt::format("must name queries, keys and values that fit, got {}, {}, {}",
                           to_string(layer.shape_of(qkv[0])), to_string(layer.shape_of(qkv[1])),
                           to_string(layer.shape_of(qkv[2]))));
  }
  const bool keeps = layer.map().has("past");
  const std::int64_t past = layer.integer_or("past", 0, 0, kMaxExtent);
  static constexpr std::pair<std::string_view, bool> kForms[] = {{"steps", false}, {"fused", true}};
  const bool fused = layer.map().get_choice<bool>("form", false, kForms) || layer.whole_attention;

  graph::NetworkBuilder& builder = layer.builder;
  const TensorId q = split_heads(layer, qkv[0], heads);
  const graph::NetworkBuilder::KeyValue now{split_heads(layer, qkv[1], groups),
                                            split_heads(layer, qkv[2], groups)};
  if (keeps) layer.extra_outputs = {now.k, now.v};
  std::vector<graph::NetworkBuilder::KeyValue> parts = {now};
  if (past > 0) {
    const Shape cache = {groups.batch, groups.heads, past, groups.depth};
    const graph::NetworkBuilder::KeyValue before{builder.input_like(now.k, cache),
                                                 builder.input_like(now.v, cache)};
    if (fused) {
      parts = {{builder.concatenation({before.k, now.k}, 2),
                builder.concatenation({before.v, now.v}, 2)}};
    } else {
      parts.insert(parts.begin(), before);
    }
  }
  const TensorId y = fused ? builder.attention(q, parts[0].k, parts[0].v, causal)
                           : builder.attention_steps(q, parts, causal);
  return join_heads(layer, y, heads);
}

TensorId rope(LayerReader& layer) {
  const TensorId x = layer.operand();
  const std::int64_t count = layer.integer("heads", 1, kMaxHeads);
  const Heads heads = read_heads(layer, x, count, "heads");
  const std::int64_t rotated = layer.integer_or("rotated", heads.depth, 2, heads.depth);
  if (rotated % 2 != 0) layer.fail("rotated", fmt::format("must be even, got {}", rotated));
  const std::int64_t first = layer.integer_or("first", 0, 0, kMaxExtent);
  const double base = layer.map().get_number("base", 10'000, 1, 1e12);
  const TensorId cut =
      layer.builder.reshape(x, {heads.batch, heads.tokens, heads.heads, heads.depth});
  const TensorId y = layer.builder.rope(cut, rotated, first, base);
  return layer.builder.reshape(y, layer.shape_of(x));
}

TensorId matmul(LayerReader& layer) {
  const std::vector<TensorId> x = layer.operands(2, 2);
  return layer.builder.matmul(x[0], x[1], layer.map().get<bool>("transpose_b", false));
}

float epsilon(const LayerReader& layer) {
  return static_cast<float>(layer.map().get_number("epsilon", 1e-5, 0, 1));
}

TensorId layer_norm(LayerReader& layer) {
  const TensorId x = layer.operand();
  layer.parameters = 2 * layer.shape_of(x).back();
  return layer.builder.layer_norm(x, epsilon(layer));
}

TensorId rms_norm(LayerReader& layer) {
  const TensorId x = layer.operand();
  layer.parameters = layer.shape_of(x).back();
  return layer.builder.rms_norm(x, epsilon(layer));
}

TensorId gelu(LayerReader& layer) {
  static constexpr std::pair<std::string_view, MapFunction> kForms[] = {
      {"erf", MapFunction::kGelu}, {"tanh", MapFunction::kGeluTanh}};
  return layer.builder.map(layer.map().get_choice<MapFunction>("form", MapFunction::kGelu, kForms),
                           {layer.operand()});
}

TensorId silu(LayerReader& layer) {
  return layer.builder.map(MapFunction::kSilu, {layer.operand()});
}

/// Rows of a learned table that the host looks up: an input of the network.
TensorId embedding(LayerReader& layer) {
  const std::int64_t table = layer.integer("rows", 1, kMaxExtent);
  const Shape shape = layer.shape("shape");
  layer.parameters = table * shape.back();
  return layer.builder.input(shape);
}

/// Rows of a learned table that are the same in every inference.
TensorId positions(LayerReader& layer) {
  const std::int64_t table = layer.integer("rows", 1, kMaxExtent);
  const Shape shape = layer.shape("shape");
  const std::int64_t copies = layer.integer_or("copies", 1, 1, kMaxExtent);
  const std::int64_t first = layer.integer_or("first", 0, 0, kMaxExtent);
  const std::int64_t rows = element_count(shape) / shape.back();
  if (rows % copies != 0) {
    layer.fail("copies", fmt::format("must divide {} rows, got {}", rows, copies));
  }
  if (first + rows / copies > table) {
    layer.fail("rows", fmt::format("must hold rows {} to {}, got {}", first,
                                   first + rows / copies - 1, table));
  }
  layer.parameters = table * shape.back();
  return layer.builder.constant(shape);
}

constexpr std::array kOperators = {
    OperatorRow{"matmul", matmul},       OperatorRow{"attention", attention},
    OperatorRow{"rope", rope},           OperatorRow{"layer_norm", layer_norm},
    OperatorRow{"rms_norm", rms_norm},   OperatorRow{"gelu", gelu},
    OperatorRow{"silu", silu},           OperatorRow{"embedding", embedding},
    OperatorRow{"positions", positions},
};

}  // namespace

std::span<const OperatorRow> transformer_operators() { return kOperators; }

}  // namespace npu::importers
