// Scaled dot-product attention and rotary position embedding.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// [batch, heads, length, size] as doubles.
struct Heads {
  std::int64_t batch = 0, heads = 0, length = 0, size = 0;
  std::vector<double> elements;

  [[nodiscard]] std::size_t at(std::int64_t b, std::int64_t h, std::int64_t l) const {
    return static_cast<std::size_t>(((b * heads + h) * length + l) * size);
  }
  [[nodiscard]] Shape shape() const { return {batch, heads, length, size}; }
};

/// A 4-D operand, or a 3-D one [batch, length, heads · size].
Heads split_heads(const Value& x, std::int64_t heads) {
  const std::vector<double> in = to_doubles(x);
  if (x.rank() == 4) return {x.shape[0], x.shape[1], x.shape[2], x.shape[3], in};
  if (x.rank() != 3) fail("expected rank 3 or 4, got {}", to_string(x.shape));
  if (heads < 1 || x.shape[2] % heads != 0)
    fail("{} is not divided by {} heads", x.shape[2], heads);
  Heads h{x.shape[0], heads, x.shape[1], x.shape[2] / heads, {}};
  h.elements.resize(in.size());
  for (std::int64_t b = 0; b < h.batch; ++b) {
    for (std::int64_t n = 0; n < heads; ++n) {
      for (std::int64_t l = 0; l < h.length; ++l) {
        const auto from = static_cast<std::size_t>(((b * h.length + l) * heads + n) * h.size);
        std::copy_n(in.begin() + static_cast<std::ptrdiff_t>(from), h.size,
                    h.elements.begin() + static_cast<std::ptrdiff_t>(h.at(b, n, l)));
      }
    }
  }
  return h;
}

Value join_heads(const Heads& h, ElementType type, bool is_rank_3) {
  if (!is_rank_3) return from_doubles(type, h.shape(), h.elements);
  std::vector<double> out(h.elements.size());
  for (std::int64_t b = 0; b < h.batch; ++b) {
    for (std::int64_t n = 0; n < h.heads; ++n) {
      for (std::int64_t l = 0; l < h.length; ++l) {
        const auto to = ((b * h.length + l) * h.heads + n) * h.size;
        std::copy_n(h.elements.begin() + static_cast<std::ptrdiff_t>(h.at(b, n, l)), h.size,
                    out.begin() + to);
      }
    }
  }
  return from_doubles(type, {h.batch, h.length, h.heads * h.size}, out);
}

/// past and present of one cache along the length.
Heads append(const Heads& past, const Heads& fresh) {
  if (past.batch != fresh.batch || past.heads != fresh.heads || past.size != fresh.size) {
    fail("past {} and present {} do not fit", to_string(past.shape()), to_string(fresh.shape()));
  }
  Heads all{fresh.batch, fresh.heads, past.length + fresh.length, fresh.size, {}};
  for (std::int64_t i = 0; i < fresh.batch * fresh.heads; ++i) {
    const auto take = [&](const Heads& h) {
      const auto begin = h.elements.begin() + i * h.length * h.size;
      all.elements.insert(all.elements.end(), begin, begin + h.length * h.size);
    };
    take(past);
    take(fresh);
  }
  return all;
}

/// What is added to the scores: mask, causality and padding of the keys.
class Bias {
 public:
  Bias(const Call& call, const Heads& q, const Heads& k, std::int64_t past)
      : causal_(call.integer("is_causal", 0) != 0), past_(past), keys_(k.length) {
    if (call.has(6)) {
      lengths_ = integer_list(call.in(6));
      if (static_cast<std::int64_t>(lengths_.size()) != q.batch)
        fail("one key length per batch is needed");
    }
    if (!call.has(3)) return;
    const Value& mask = call.in(3);
    if (mask.rank() < 1 || mask.rank() > 4) fail("a mask of {}", to_string(mask.shape));
    mask_keys_ = mask.shape.back();
    if (mask_keys_ > keys_) fail("a mask of {} for {} keys", to_string(mask.shape), keys_);
    // Keys beyond the mask are masked.
    const Shape target = {q.batch, q.heads, q.length, mask_keys_};
    if (broadcast({&mask.shape, &target}) != target) {
      fail("a mask of {} for {}", to_string(mask.shape), to_string(target));
    }
    const auto at = broadcast_indices(mask.shape, target);
    const std::vector<double> values = to_doubles(mask);
    const bool is_bool = mask.type == ElementType::kBool;
    for (const std::int64_t index : at) {
      const double v = values[static_cast<std::size_t>(index)];
      mask_.push_back(!is_bool ? v : v != 0 ? 0 : -kInfinity);
    }
    has_mask_ = true;
  }

  /// `row`: flat over batch, heads and queries.
  [[nodiscard]] double at(std::int64_t batch, std::int64_t query, std::int64_t queries,
                          std::int64_t row, std::int64_t key) const {
    double bias = 0;
    if (has_mask_) {
      bias =
          key < mask_keys_ ? mask_[static_cast<std::size_t>(row * mask_keys_ + key)] : -kInfinity;
    }
    std::int64_t offset = past_;
    if (!lengths_.empty()) {
      const std::int64_t length = lengths_[static_cast<std::size_t>(batch)];
      if (key >= length) return -kInfinity;
      offset = length - queries;
    }
    if (causal_ && key > query + offset) return -kInfinity;
    return bias;
  }

 private:
  bool causal_, has_mask_ = false;
  std::int64_t past_, keys_, mask_keys_ = 0;
  std::vector<double> mask_;
  std::vector<std::int64_t> lengths_;
};

/// softmax in place; a row without any key gives zeros.
void softmax(std::span<double> row) {
  double top = -kInfinity;
  for (const double e : row) top = std::max(top, e);
  double sum = 0;
  for (double& e : row) sum += e = std::isinf(top) && top < 0 ? 0 : std::exp(e - top);
  for (double& e : row) e = sum == 0 ? 0 : e / sum;
}

/// Source: ONNX operator Attention-23 and -24.
void run_attention(Call& call) {
  const Value& query = call.in(0);
  const bool is_rank_3 = query.rank() == 3;
  const std::int64_t q_heads = call.integer("q_num_heads", 0);
  const std::int64_t kv_heads = call.integer("kv_num_heads", q_heads);
  const Heads q = split_heads(query, q_heads);
  Heads k = split_heads(call.in(1), kv_heads);
  Heads v = split_heads(call.in(2), kv_heads);
  std::int64_t past = 0;
  if (call.has(4) != call.has(5)) fail("past_key and past_value go together");
  if (call.has(4)) {
    const Heads past_key = split_heads(call.in(4), kv_heads);
    past = past_key.length;
    k = append(past_key, k);
    v = append(split_heads(call.in(5), kv_heads), v);
  }
  if (k.batch != q.batch || v.batch != q.batch || k.size != q.size || v.length != k.length ||
      k.heads != v.heads || k.heads < 1 || q.heads % k.heads != 0) {
    fail("Q {}, K {} and V {} do not fit", to_string(q.shape()), to_string(k.shape()),
         to_string(v.shape()));
  }
  const double scale = call.real("scale", 1 / std::sqrt(static_cast<double>(q.size)));
  const double softcap = call.real("softcap", 0);
  const std::int64_t mode = call.integer("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3) fail("qk_matmul_output_mode: {} is not known", mode);
  const Bias bias(call, q, k, past);
  const std::int64_t share = q.heads / k.heads;
  Heads y{q.batch, q.heads, q.length, v.size, {}};
  y.elements.resize(static_cast<std::size_t>(checked_count(y.shape())), 0.0);
  const Shape score_shape = {q.batch, q.heads, q.length, k.length};
  std::vector<double> shown(static_cast<std::size_t>(checked_count(score_shape)));
  std::vector<double> row(static_cast<std::size_t>(k.length));
  for (std::int64_t b = 0; b < q.batch; ++b) {
    for (std::int64_t h = 0; h < q.heads; ++h) {
      for (std::int64_t l = 0; l < q.length; ++l) {
        const std::int64_t flat = (b * q.heads + h) * q.length + l;
        const auto show = [&](std::int64_t stage) {
          if (stage == mode) std::copy(row.begin(), row.end(), shown.begin() + flat * k.length);
        };
        for (std::int64_t t = 0; t < k.length; ++t) {
          double dot = 0;
          for (std::int64_t i = 0; i < q.size; ++i) {
            dot += q.elements[q.at(b, h, l) + static_cast<std::size_t>(i)] *
                   k.elements[k.at(b, h / share, t) + static_cast<std::size_t>(i)];
          }
          row[static_cast<std::size_t>(t)] = dot * scale;
        }
        show(0);
        for (std::int64_t t = 0; t < k.length; ++t) {
          row[static_cast<std::size_t>(t)] += bias.at(b, l, q.length, flat, t);
        }
        show(1);
        if (softcap > 0) {
          for (double& e : row) e = softcap * std::tanh(e / softcap);
        }
        show(2);
        softmax(row);
        show(3);
        for (std::int64_t t = 0; t < k.length; ++t) {
          for (std::int64_t i = 0; i < v.size; ++i) {
            y.elements[y.at(b, h, l) + static_cast<std::size_t>(i)] +=
                row[static_cast<std::size_t>(t)] *
                v.elements[v.at(b, h / share, t) + static_cast<std::size_t>(i)];
          }
        }
      }
    }
  }
  call.set(0, join_heads(y, query.type, is_rank_3));
  call.set(1, from_doubles(call.in(1).type, k.shape(), k.elements));
  call.set(2, from_doubles(call.in(2).type, v.shape(), v.elements));
  call.set(3, from_doubles(query.type, score_shape, shown));
}

/// Source: ONNX operator RotaryEmbedding-23.
void run_rotary(Call& call) {
  const Value& x = call.in(0);
  Heads h = split_heads(x, call.integer("num_heads", 0));
  const bool interleaved = call.integer("interleaved", 0) != 0;
  std::int64_t dim = call.integer("rotary_embedding_dim", 0);
  if (dim == 0) dim = h.size;
  if (dim < 2 || dim > h.size || dim % 2 != 0) fail("rotary_embedding_dim: {} of {}", dim, h.size);
  const std::int64_t half = dim / 2;
  const Value& cosine = call.in(1);
  same_type(cosine, call.in(2));
  if (cosine.shape != call.in(2).shape) fail("the caches differ in shape");
  const std::vector<double> cosines = to_doubles(cosine);
  const std::vector<double> sines = to_doubles(call.in(2));
  std::vector<std::int64_t> positions;
  if (call.has(3)) positions = to_integers(call.in(3));
  const Shape by_position = {h.batch, h.length};
  if (call.has(3) ? cosine.rank() != 2 || call.in(3).shape != by_position || cosine.shape[1] != half
                  : cosine.shape != Shape({h.batch, h.length, half})) {
    fail("caches of {} for {}", to_string(cosine.shape), to_string(x.shape));
  }
  for (std::int64_t b = 0; b < h.batch; ++b) {
    for (std::int64_t l = 0; l < h.length; ++l) {
      std::int64_t row = b * h.length + l;
      if (!positions.empty()) {
        row = positions[static_cast<std::size_t>(row)];
        if (row < 0 || row >= cosine.shape[0]) fail("position {} is not in the cache", row);
      }
      for (std::int64_t n = 0; n < h.heads; ++n) {
        double* e = h.elements.data() + h.at(b, n, l);
        for (std::int64_t i = 0; i < half; ++i) {
          double& first = e[interleaved ? 2 * i : i];
          double& second = e[interleaved ? 2 * i + 1 : i + half];
          const double c = cosines[static_cast<std::size_t>(row * half + i)];
          const double s = sines[static_cast<std::size_t>(row * half + i)];
          const double real = c * first - s * second;
          second = s * first + c * second;
          first = real;
        }
      }
    }
  }
  call.set(0, join_heads(h, x.type, x.rank() == 3));
}

// softmax_precision asks for a precision or better: the softmax is in double.
constexpr Operator kOperators[] = {
    {"Attention", 3, 7,
     "is_causal kv_num_heads q_num_heads qk_matmul_output_mode scale softcap softmax_precision",
     run_attention},
    {"RotaryEmbedding", 3, 4, "interleaved num_heads rotary_embedding_dim", run_rotary},
};

}  // namespace

std::span<const Operator> attention_operators() { return kOperators; }

}  // namespace npu::onnx
