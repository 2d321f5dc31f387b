#pragma once

#include <span>

#include "sim/base/error.h"
#include "workloads/llm/tokenizer.h"

namespace npu::llm {

/// Greedy sampling: the token of the highest logit, the lowest of equals. NaN never wins over a
/// number before it, as in run.c.
[[nodiscard]] inline Token most_likely(std::span<const float> logits) {
  NPU_CHECK(!logits.empty(), "a vocabulary");
  std::size_t best = 0;
  for (std::size_t i = 1; i < logits.size(); ++i) {
    if (logits[i] > logits[best]) best = i;
  }
  return static_cast<Token>(best);
}

}  // namespace npu::llm
