#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "workloads/graph/graph.h"
#include "workloads/passes/attention_chain.h"

namespace npu::passes {

/// A tensor to add to the scores.
struct MaskPart {
  enum class Kind : std::uint8_t {
    kTensor,    ///< As it is.
    kConstant,  ///< `constant`, made of a constant condition.
    kCondition  ///< −∞ where a computed condition hides a key, else 0.
  };
  Kind kind = Kind::kTensor;
  graph::TensorId tensor = graph::kAbsent;  ///< What is added, or the condition.
  graph::Tensor constant;
  bool hides_where_true = false;
};

/// The masks of an attention as ATTENTION has them: causal, one operand that is the sum of the
/// parts (at most two), or both.
struct MaskPlan {
  bool causal = false;
  std::vector<MaskPart> parts;
  Shape shape;   ///< Of the sum; empty without parts.
  Shape scores;  ///< What it broadcasts to; empty if nothing is masked.
};

/// How a chain's masks are expressed; nullopt where ATTENTION would compute something else.
///
/// A value that hides is −∞ or at most bfloat16's lowest: beside a key that is seen its weight is 0
/// (scores up to 2^100 in magnitude). A constant that hides nothing is left out; one that hides
/// just what a causal attention does not see is `causal`, with a finite value only where nothing
/// else is masked, since a row whose other keys are hidden too would weigh them alike. A select
/// replaces scores where ATTENTION adds to them: so it must hide.
[[nodiscard]] std::optional<MaskPlan> plan_mask(const graph::Graph& graph,
                                                const std::vector<MaskStep>& steps);

/// Sizes of ATTENTION: rows of all heads of all batches are the rows of the scores, in order.
struct HeadSizes {
  std::int64_t batch = 1, heads = 1, rows = 1;
  Shape mask;  ///< What the mask's operand must be like; empty without one.
};

/// Cuts the dimensions before the last of `scores` into batch, heads and rows so that the mask
/// advances along each of them evenly, rows divide `rows_per_matrix` (the rows that share their
/// keys) and batches have whole matrices of keys. nullopt if there is no such cut.
[[nodiscard]] std::optional<HeadSizes> cut_heads(const Shape& scores, const MaskPlan& mask,
                                                 std::int64_t rows_per_matrix);

}  // namespace npu::passes
