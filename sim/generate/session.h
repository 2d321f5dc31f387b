#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "sim/generate/runner.h"
#include "workloads/llm/numerics.h"
#include "workloads/llm/tokenizer.h"

namespace npu::generate {

struct SessionOptions {
  llm::Numerics numerics = {};
  std::int64_t tokens = 64;        ///< To generate per sequence, at most.
  bool compares = true;            ///< Every token with the CPU reference.
  std::int64_t prefill_rows = 64;  ///< Tokens of a prompt per step, at most.
};

/// Every generated token against the CPU reference (llm_reference::Rules::kNpu). A token that
/// differs ends the run.
struct Comparison {
  std::int64_t tokens = 0;
  double max_logit_difference = 0;
};

struct GeneratedSequence {
  std::vector<llm::Token> tokens;  ///< Begin of sequence, prompt, generated ones.
  std::int64_t prompt_tokens = 0;
  bool ended = false;                    ///< By an end or begin token, which is not in `tokens`.
  std::uint64_t first_token_cycles = 0;  ///< From the start of its prompt to its first token.
};

/// One decode step: a token of each sequence that has not ended.
struct DecodeStep {
  std::int64_t sequences = 0;
  std::int64_t longest = 0;  ///< Keys of the longest sequence.
  StepCost cost;
};

struct Generation {
  std::vector<GeneratedSequence> sequences;
  StepCost prefill;
  std::vector<DecodeStep> decode;
  Comparison comparison;

  [[nodiscard]] StepCost decode_total() const;
  [[nodiscard]] std::int64_t generated() const;  ///< Tokens of all sequences.
};

/// Called with every token as it is generated.
using OnToken = std::function<void(std::size_t sequence, llm::Token previous, llm::Token token)>;

/// Prompts one after the other, as many tokens per step as fit; then one token of every sequence
/// per step, until each has its tokens or ended.
/// @param prompts  tokens, the begin of the sequence first.
/// @throws Error if prompt and tokens exceed the model's longest sequence, or as Runner.
/// @throws RunFault if a token differs from the reference's.
[[nodiscard]] Generation generate(Runner& runner, const llm::Llama& model,
                                  const std::vector<std::vector<llm::Token>>& prompts,
                                  const SessionOptions& options, const OnToken& on_token);

/// The layout that generate() needs for these prompts.
/// @throws Error if a prompt and its tokens exceed the model's longest sequence.
[[nodiscard]] llm_kernels::LayoutOptions layout_options(
    const llm::Llama& model, const std::vector<std::vector<llm::Token>>& prompts,
    const SessionOptions& options);

}  // namespace npu::generate
