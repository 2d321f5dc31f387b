#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "workloads/graph/graph.h"
#include "workloads/passes/uses.h"

namespace npu::passes {

/// What hides keys, or weighs them, between the first product of an attention and its SOFTMAX.
struct MaskStep {
  std::size_t node = 0;                   ///< The MAP.
  graph::TensorId mask = graph::kAbsent;  ///< What is added; of a select its condition.
  bool is_select = false;
  bool hides_where_true = false;  ///< Select: scores are replaced where the condition holds.
  float fill = 0;                 ///< Select: by this.
  double after = 1;               ///< What the sum is multiplied by before exponentials are taken.
};

/// A MAP that only scales its operand.
struct OperandScale {
  std::size_t node = 0;
  std::size_t operand = 0;  ///< Which of its inputs is scaled.
};

/// Nodes of an attention that a network has step by step, by their indices:
///     MATMUL [→ MAP mul, div by a constant] [→ MAP add, select] → SOFTMAX → MATMUL
/// with conversions between floats and changes of shape that keep the last dimension in between.
struct AttentionChain {
  std::size_t scores = 0, softmax = 0, output = 0;
  double scale = 1;             ///< All factors together, those of `operand_scales` too.
  std::vector<MaskStep> masks;  ///< From the SOFTMAX upwards.
  /// Between the product and what makes q or k, upwards. Moves may stand between them.
  std::vector<OperandScale> operand_scales;
};

/// The chain around a SOFTMAX; nullopt if there is none. Each tensor of it has one reader and is no
/// output; operators have no bias and no activation; types are those of q or float32.
[[nodiscard]] std::optional<AttentionChain> match_attention(const graph::Graph& graph,
                                                            const Uses& uses, std::size_t softmax);

}  // namespace npu::passes
