#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workloads/llm/model.h"
#include "workloads/llm/numerics.h"
#include "workloads/llm/tokenizer.h"

namespace npu::llm_reference {

/// Where llama2.c and the NPU round differently.
enum class Rules : std::uint8_t {
  kLlama2c,  ///< exp in float32; silu as x · (1 / (1 + e^-x)); score / √head_dim; groups of vectors
             ///< rounded half away from zero.
  kNpu,  ///< exp and silu in float64, rounded once; score · (1 / √head_dim); half to even. The
         ///< NPU's logits are these bit by bit.
};

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
/// (scale max|x| / 127, rounded as the rules say), int32 sums per group, and
/// y += float(sum) · weight scale · vector scale, group by group.
///
/// Numerics other than float32: float matrices and the vectors they are multiplied with are rounded
/// to the precision, sums are float32. Keys and values are rounded to the cache's type; int8 by
/// position and KV head, scale max|x| / 127, half to even, and multiplied out again. Queries and
/// the softmax's results are rounded to the cache's type, to the precision where that is int8.
/// Source: karpathy/llama2.c (MIT), run.c and runq.c.
class Sequence {
 public:
  /// @param model  must live as long as the sequence.
  explicit Sequence(const llm::Llama& model, const llm::Numerics& numerics = {},
                    Rules rules = Rules::kLlama2c);

  /// Logits [vocabulary] of the next token, valid until the next call.
  /// @throws Error if the model's longest sequence is reached or the token is not in its
  /// vocabulary.
  [[nodiscard]] std::span<const float> forward(llm::Token token);

  [[nodiscard]] std::int64_t position() const { return position_; }  ///< Tokens so far.

 private:
  struct LayerCache {
    std::vector<float> keys, values;  ///< [position, kv_dim]
  };

  [[nodiscard]] std::vector<float> product(const llm::Matrix& matrix,
                                           std::span<const float> x) const;
  void append(std::span<const float> vector, std::vector<float>& cache) const;
  [[nodiscard]] llm::Precision attention_precision() const;
  void attention(const llm::LlamaLayer& layer, LayerCache& cache);
  void attend(std::span<const float> query, const LayerCache& cache, std::int64_t head);
  void feed_forward(const llm::LlamaLayer& layer);

  const llm::Llama& model_;
  const llm::Numerics numerics_;
  const Rules rules_;
  std::int64_t position_ = 0;
  std::vector<LayerCache> caches_;
  std::vector<float> stream_, normed_, mixed_, logits_;  ///< Residual stream and its work space.
  std::vector<float> scores_;
};

/// y[rows] = matrix · x, as above.
void multiply(const llm::Matrix& matrix, std::span<const float> x, std::span<float> y,
              llm::Precision precision = llm::Precision::kFloat32, Rules rules = Rules::kLlama2c);

/// To nearest even; beyond the type's range infinite.
[[nodiscard]] float rounded(float value, llm::Precision precision);

}  // namespace npu::llm_reference
