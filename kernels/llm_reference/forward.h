#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workloads/llm/model.h"
#include "workloads/llm/tokenizer.h"

namespace npu::llm_reference {

/// CPU reference of a Llama model: one sequence, one token at a time, with a KV cache of floats.
///
/// Per token at position p, all in float32 in the order written, every sum from its first term to
/// its last:
///
///     x = embedding[token]
///     per layer: h = norm(x); q, k, v = Wq·h, Wk·h, Wv·h; rotate(q), rotate(k); k, v into the
///     cache
///                score[t] = q·k[t] / √head_dim, t ≤ p; softmax; x += Wo · Σ score[t] · v[t]
///                h = norm(x); x += Wdown · (silu(Wgate·h) ⊙ Wup·h)
///     logits = Wclassifier · norm(x)
///
/// norm(x)[i] = weight[i] · (x[i] / √(mean(x²) + 1e-5)); pairs (2i, 2i+1) of a head rotate by
/// p / 10000^(2i / head_dim); silu(x) = x / (1 + e^-x); query head h reads the keys of head
/// h / (heads / kv_heads).
///
/// Products with quantized matrices: the vector is quantized to int8 in the groups of the matrix
/// (scale max|x| / 127, half away from zero), int32 sums per group, and
/// y += float(sum) · weight scale · vector scale, group by group.
/// Source: karpathy/llama2.c (MIT), run.c and runq.c.
class Sequence {
 public:
  /// @param model  must live as long as the sequence.
  explicit Sequence(const llm::Llama& model);

  /// Logits [vocabulary] of the next token, valid until the next call.
  /// @throws Error if the model's longest sequence is reached or the token is not in its
  /// vocabulary.
  [[nodiscard]] std::span<const float> forward(llm::Token token);

  [[nodiscard]] std::int64_t position() const { return position_; }  ///< Tokens so far.

 private:
  struct LayerCache {
    std::vector<float> keys, values;  ///< [position, kv_dim]
  };

  void attention(const llm::LlamaLayer& layer, LayerCache& cache);
  void attend(std::span<const float> query, const LayerCache& cache, std::int64_t head);
  void feed_forward(const llm::LlamaLayer& layer);

  const llm::Llama& model_;
  std::int64_t position_ = 0;
  std::vector<LayerCache> caches_;
  std::vector<float> stream_, normed_, mixed_, logits_;  ///< Residual stream and its work space.
  std::vector<float> scores_;
};

/// y[rows] = matrix · x, as above.
void multiply(const llm::Matrix& matrix, std::span<const float> x, std::span<float> y);

}  // namespace npu::llm_reference
