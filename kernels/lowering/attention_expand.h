#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/lowering/compile.h"

namespace npu::kernels {

/// Scale and zero point of int8 or uint8 attention weights: 0 … 1 in 255 steps.
inline constexpr float kWeightScale = 1.0F / 255.0F;
[[nodiscard]] constexpr std::int32_t attention_weight_zero(DType type) {
  return type == DType::kInt8 ? -128 : 0;
}

/// Decides for every ATTENTION whether it is fused: what the options say, or (auto) what has fewer
/// predicted cycles; a fused one that does not fit is unfused.
[[nodiscard]] std::vector<AttentionChoice> choose_attention(const graph::Graph& graph,
                                                            const NpuConfig& config,
                                                            AttentionVariant variant,
                                                            const mapper::Decisions* decisions);

/// Replaces every ATTENTION that `choices` leaves unfused by MATMUL, MAP (masks), SOFTMAX, MAP
/// (conversion of the weights) and MATMUL; scores are float32. Tensors that are added come last.
[[nodiscard]] graph::Graph expand_attention(graph::Graph graph,
                                            const std::vector<AttentionChoice>& choices);

/// The choices as a section of mapping.yaml; empty without any.
[[nodiscard]] std::string attention_yaml(const graph::Graph& graph,
                                         const std::vector<AttentionChoice>& choices);

}  // namespace npu::kernels
