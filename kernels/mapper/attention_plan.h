#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cost/layer_cost.h"
#include "kernels/mapper/chunking.h"
#include "kernels/mapper/memory_plan.h"
#include "sim/config/npu_config.h"
#include "workloads/graph/graph.h"

namespace npu::mapper {

/// ATTENTION: per batch and key head, `group` query heads of `rows` rows share `keys` keys of
/// `depth` and values of `value_depth`.
struct AttentionShape {
  std::int64_t batch = 1, key_heads = 1, group = 1;
  std::int64_t rows = 1, keys = 1, depth = 1, value_depth = 1;
  DType type = DType::kFloat32;  ///< Of q, k and v.
  std::int64_t in_size = 4, y_size = 4;
  bool causal = false;
  /// The mask: bytes of an element, 0 without one, and along which dimensions it advances.
  std::int64_t mask_size = 0;
  bool mask_batch = false, mask_heads = false, mask_rows = false, mask_keys = false;
  bool q_resident = false, k_resident = false, v_resident = false, mask_resident = false,
       y_resident = false;

  /// Keys that row `row` of a causal attention sees.
  [[nodiscard]] std::int64_t visible(std::int64_t row) const {
    return causal ? row + keys - rows + 1 : keys;
  }
};
[[nodiscard]] AttentionShape attention_shape(const graph::Graph& graph, const graph::Node& node);

/// One step of fused attention: `heads` query heads (whole ones where there are several) × `rows`
/// rows × `keys` keys. Scores and weights of a step stay on chip.
struct AttentionTile {
  std::int64_t heads = 1, rows = 1, keys = 1;
  std::vector<Buffer> buffers;
  std::int64_t score_bytes = 0, sum_bytes = 0;  ///< Accumulators: a slot of q·kᵀ and of p·v.
  cost::LayerWork work{};
  std::int64_t predicted_cycles = 0;

  [[nodiscard]] std::int64_t positions() const { return heads * rows; }
};
/// Accumulator slots of scores and of sums.
inline constexpr std::int64_t kAttentionSlots = 2;
/// Slots of a tile's vectors over its rows, fp32: two maxima, two factors, sum, reciprocal.
inline constexpr std::int64_t kAttentionStates = 6;

/// What is decided of an attention tile; what is absent is free.
struct AttentionTileDecision {
  std::optional<std::int64_t> heads, rows, keys;
  std::vector<BufferDecision> buffers;
};

/// The tile with the least predicted cycles that fits, of equals the one with more keys. What is
/// decided is taken as it is.
/// @throws MappingError if not even one row and one key fit, or decisions do not.
[[nodiscard]] AttentionTile choose_attention_tile(const AttentionShape& shape,
                                                  const NpuConfig& config,
                                                  std::int64_t scratchpad_bytes,
                                                  const std::string& layer,
                                                  const AttentionTileDecision& decided = {});

/// Predicted work of the unfused variant: two matrix products, mask, three-pass softmax and a
/// conversion as layers of their own. What exceeds half of the scratchpad goes through DRAM.
[[nodiscard]] cost::LayerWork unfused_attention(const AttentionShape& shape,
                                                const NpuConfig& config);

}  // namespace npu::mapper
