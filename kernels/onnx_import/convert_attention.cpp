// Attention and rotary embedding of ONNX.
#include <cmath>
#include <limits>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_import/tensors.h"

namespace npu::onnx_import {
namespace {

using enum MapFunction;
using graph::OpKind;
using graph::TensorId;
using onnx::ElementType;

constexpr float kMasked = -std::numeric_limits<float>::infinity();

/// Operand i as [B,H,S,D]; rank 3 is [B,S,H·D].
TensorId heads_of(Conversion& c, std::size_t i, std::int64_t heads) {
  const Shape s = c.shape(i);
  if (s.size() == 4) return c.tensor(i);
  if (s.size() != 3 || heads < 1 || s[2] % heads != 0) {
    not_mapped("{} in {} heads", to_string(s), heads);
  }
  const TensorId split = c.reshape(c.tensor(i), {s[0], s[1], heads, s[2] / heads});
  return c.transpose(split, {0, 2, 1, 3});
}

/// What an Attention node computes with.
struct Operands {
  TensorId q, k, v;
  TensorId mask = graph::kAbsent;  ///< Added to the scores.
  bool causal = false;             ///< Row m sees keys up to m + T − M; else it is in the mask.
  float scale = 1;
};

/// 0 where a query sees a key, else −∞: key ≤ query + offset.
TensorId causal_mask(Conversion& c, std::int64_t queries, std::int64_t keys, std::int64_t offset,
                     DType type) {
  std::vector<double> elements;
  for (std::int64_t q = 0; q < queries; ++q) {
    for (std::int64_t k = 0; k < keys; ++k) elements.push_back(k <= q + offset ? 0 : kMasked);
  }
  return c.add_constant(onnx::from_doubles(ElementType::kFloat, {queries, keys}, elements), type,
                        {0, 1});
}

/// The mask operand as numbers to add, −∞ for keys beyond it.
TensorId mask_operand(Conversion& c, std::int64_t keys, DType type) {
  TensorId mask = c.tensor(3);
  if (c.in(3).type == ElementType::kBool) {
    mask = c.map(kSelect, {mask, c.scalar(0, type), c.scalar(kMasked, type)}, type);
  }
  const Shape shape = c.get(mask).shape;
  if (shape.back() == keys || shape.back() == 1) return mask;
  Shape rest = shape;
  rest.back() = keys - shape.back();
  const std::vector<double> hidden(static_cast<std::size_t>(element_count(rest)), kMasked);
  const auto block = onnx::from_doubles(ElementType::kFloat, rest, hidden);
  return c.concatenate({mask, c.add_constant(block, type, identity_order(rest.size()))},
                       static_cast<int>(rest.size()) - 1);
}

Operands operands_of(Conversion& c) {
  if (c.has(6)) not_mapped("nonpad_kv_seqlen");
  Operands o;
  const std::int64_t q_heads = c.attributes().integer("q_num_heads", 0);
  const std::int64_t kv_heads = c.attributes().integer("kv_num_heads", q_heads);
  o.q = heads_of(c, 0, q_heads);
  o.k = heads_of(c, 1, kv_heads);
  o.v = heads_of(c, 2, kv_heads);
  std::int64_t past = 0;
  if (c.has(4)) {
    past = c.shape(4).at(2);
    o.k = c.concatenate({c.tensor(4), o.k}, 2);
    o.v = c.concatenate({c.tensor(5), o.v}, 2);
  }
  if (c.wants(1)) c.result(1, o.k);
  if (c.wants(2)) c.result(2, o.v);
  const DType type = c.get(o.q).type;
  const std::int64_t queries = c.get(o.q).shape[2];
  const std::int64_t keys = c.get(o.k).shape[2];
  o.scale = static_cast<float>(
      c.attributes().real("scale", 1 / std::sqrt(static_cast<double>(c.get(o.q).shape[3]))));
  if (c.has(3)) o.mask = mask_operand(c, keys, type);
  if (c.attributes().integer("is_causal", 0) == 0) return o;
  if (keys - queries == past) {
    o.causal = true;
    return o;
  }
  const TensorId hidden = causal_mask(c, queries, keys, past, type);
  o.mask = o.mask == graph::kAbsent ? hidden : c.map(kAdd, {o.mask, hidden}, type);
  return o;
}

/// softmax(q·kᵀ·scale + mask)·v step by step, for what the operator gives out on the way.
TensorId decomposed(Conversion& c, Operands o, double softcap, std::int64_t mode) {
  const DType type = c.get(o.q).type;
  const Shape q = c.get(o.q).shape;
  const Shape k = c.get(o.k).shape;
  const Shape v = c.get(o.v).shape;
  if (o.causal) {
    const TensorId hidden = causal_mask(c, q[2], k[2], k[2] - q[2], type);
    o.mask = o.mask == graph::kAbsent ? hidden : c.map(kAdd, {o.mask, hidden}, type);
  }
  // The query heads that share a key head are rows of one product.
  const std::int64_t rows = q[1] / k[1] * q[2];
  const TensorId wide = c.reshape(o.q, {q[0], k[1], rows, q[3]});
  const TensorId product =
      c.add(OpKind::kMatMul, {wide, o.k, graph::kAbsent}, graph::MatMulAttrs{true, {}},
            c.like(o.q, {q[0], k[1], rows, k[2]}));
  TensorId scores = c.map(kMul, {c.reshape(product, {q[0], q[1], q[2], k[2]})}, type, o.scale);
  const auto show = [&](std::int64_t stage) {
    if (stage == mode && c.wants(3)) c.result(3, scores);
  };
  show(0);
  if (o.mask != graph::kAbsent) scores = c.map(kAdd, {scores, o.mask}, type);
  show(1);
  if (softcap > 0) {
    const TensorId curve = c.map(kTanh, {c.map(kDiv, {scores}, type, softcap)}, type);
    scores = c.map(kMul, {curve}, type, softcap);
  }
  show(2);
  scores = c.add(OpKind::kSoftmax, {scores}, graph::SoftmaxAttrs{}, c.like(scores));
  show(3);
  const TensorId weights = c.reshape(scores, {q[0], k[1], rows, k[2]});
  const TensorId y = c.add(OpKind::kMatMul, {weights, o.v, graph::kAbsent}, graph::MatMulAttrs{},
                           c.like(o.q, {q[0], k[1], rows, v[3]}));
  return c.reshape(y, {q[0], q[1], q[2], v[3]});
}

/// Source: ONNX operator Attention-23.
void convert_attention(Conversion& c) {
  if (!is_float(c.dtype(c.in(0).type))) not_mapped("integers");
  const Operands o = operands_of(c);
  const double softcap = c.attributes().real("softcap", 0);
  const std::int64_t mode = c.attributes().integer("qk_matmul_output_mode", 0);
  TensorId y = graph::kAbsent;
  if (softcap <= 0 && !c.wants(3)) {
    Shape shape = c.get(o.q).shape;
    shape[3] = c.get(o.v).shape[3];
    y = c.add_if_run(OpKind::kAttention, {o.q, o.k, o.v, o.mask},
                     graph::AttentionAttrs{o.scale, o.causal}, c.like(o.q, std::move(shape)));
  }
  if (y == graph::kAbsent) y = decomposed(c, o, softcap, mode);
  if (c.shape(0).size() == 4) return c.result(0, y);
  c.result(0, c.reshape(c.transpose(y, {0, 2, 1, 3}), c.out(0).shape));
}

/// Source: ONNX operator RotaryEmbedding-23.
void convert_rotary(Conversion& c) {
  const Shape s = c.shape(0);
  const bool is_split = s.size() == 4;  // [B,H,S,D], else [B,S,H·D]
  const std::int64_t heads = is_split ? s.at(1) : c.attributes().integer("num_heads", 0);
  if (s.size() < 3 || heads < 1 || s.back() % (is_split ? 1 : heads) != 0) {
    not_mapped("{} in {} heads", to_string(s), heads);
  }
  if (c.shape(1).size() < 2 || c.shape(2).size() < 2) not_mapped("caches of one dimension");
  const std::int64_t length = is_split ? s[2] : s[1];
  TensorId x = c.tensor(0);
  if (!is_split) x = c.reshape(x, {s[0], length, heads, s[2] / heads});
  const auto cache = [&](std::size_t i) {
    TensorId t = c.tensor(i);
    if (c.has(3)) {
      const TensorId index = c.index_tensor(3, c.shape(i)[0]);
      t = c.add(OpKind::kGather, {t, index}, {}, c.like(t, {s[0], length, c.shape(i).back()}));
    }
    const std::int64_t half = c.shape(i).back();
    return c.reshape(t, is_split ? Shape{s[0], 1, length, half} : Shape{s[0], length, 1, half});
  };
  const graph::RopeAttrs attrs{c.attributes().integer("interleaved", 0) != 0};
  const TensorId cosine = cache(1);
  const TensorId sine = cache(2);
  const std::int64_t rotated = c.attributes().integer("rotary_embedding_dim", 0);
  if (rotated != 0 && rotated != 2 * c.shape(1).back())
    not_mapped("rotary_embedding_dim {}", rotated);
  c.result(0, c.reshape(c.add(OpKind::kRope, {x, cosine, sine}, attrs, c.like(x)), s));
}

constexpr auto kConverters = std::to_array<Converter>({
    {"", "Attention", convert_attention},
    {"", "RotaryEmbedding", convert_rotary},
});

}  // namespace

std::span<const Converter> attention_converters() { return kConverters; }

}  // namespace npu::onnx_import
