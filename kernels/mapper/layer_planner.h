#pragma once

#include <cstdint>
#include <string>

#include "kernels/mapper/decisions.h"
#include "kernels/mapper/mapping.h"

namespace npu::mapper {

/// Tile and buffers of one layer, without addresses, in `scratchpad_bytes`. Decided fields are
/// taken as they are; `decision` may be nullptr.
/// @throws MappingError if the layer does not fit or has not what is decided.
[[nodiscard]] LayerPlan plan_layer(const graph::Graph& graph, const NpuConfig& config,
                                   const Storages& storages, int node, const std::string& name,
                                   std::int64_t scratchpad_bytes, const LayerDecision* decision);

/// Places the buffers of a plan: the decided addresses first, the others around them and around the
/// residents of layer `layer`, from the low or the high end.
/// @throws MappingError for addresses that are not aligned, outside of the scratchpad or taken.
void place_buffers(LayerPlan& plan, const Storages& storages, int layer,
                   std::int64_t capacity_bytes, bool from_the_top, const LayerDecision* decision);

/// Predicts the cycles of a placed window layer; others keep what they have.
void predict_layer(LayerPlan& plan, const graph::Graph& graph, const NpuConfig& config,
                   const Storages& storages);

/// Whether the decision, which may be nullptr, has addresses of buffers.
[[nodiscard]] bool has_addresses(const LayerDecision* decision);

/// Bytes that the buffers of layer `layer` may take.
[[nodiscard]] std::int64_t layer_budget(const Storages& storages, int layer,
                                        std::int64_t capacity_bytes, const LayerDecision* decision);

}  // namespace npu::mapper
