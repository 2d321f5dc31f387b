#pragma once

#include <cstdint>
#include <vector>

#include "isa/program.h"
#include "kernels/llm/layout.h"
#include "workloads/llm/tokenizer.h"

namespace npu::llm_kernels {

/// Tokens of one sequence that a step puts through the model.
struct SequencePart {
  std::int64_t slot = 0;           ///< Of the KV cache.
  std::int64_t position = 0;       ///< Of the first token; as many are in the cache.
  std::vector<llm::Token> tokens;  ///< At least one.
  bool wants_logits = true;        ///< Of the last token.
};

/// One pass through the model: the prompt's tokens of a sequence, or one token of each of several.
struct Step {
  std::vector<SequencePart> parts;

  [[nodiscard]] std::int64_t rows() const;
  [[nodiscard]] std::int64_t logit_rows() const;
};

/// What the layers of a step's program are for; LayerRecord::source_index.
enum class Stage : std::uint8_t {
  kEmbedding,    ///< Rows of the embedding table.
  kProjections,  ///< Norm, query, key, value, rotary embedding, cache update; output projection.
  kAttention,    ///< Scores, softmax and mixed values over the KV cache.
  kFeedForward,
  kHead,  ///< Final norm and classifier.
};
inline constexpr std::size_t kStages = 5;
[[nodiscard]] std::string_view name_of(Stage stage);

/// The most rows that a step can have on this NPU: activations within a quarter of the scratchpad,
/// tiles within half of the accumulators.
/// @throws Error if there is not room for one: memory, bytes needed and there.
[[nodiscard]] std::int64_t most_rows(const ModelLayout& layout, const NpuConfig& config);

/// The program of a step. Its logits are the tensor "logits" [logit_rows, vocabulary] at
/// layout.logits, in the order of the parts that want them.
///
/// Arithmetic: llm_reference::Sequence says it; matrix products sum in the order of the columns
/// (floats), or per group in int32 and over the groups in order.
/// @throws Error if the array lacks the arithmetic (type), or a minimal tile does not fit.
[[nodiscard]] isa::Program compile_step(const ModelLayout& layout, const NpuConfig& config,
                                        const Step& step);

}  // namespace npu::llm_kernels
