#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "kernels/mapper/chunking.h"
#include "kernels/mapper/memory_plan.h"
#include "workloads/graph/graph.h"

namespace npu::mapper {

/// How a SOFTMAX over floats goes over its rows. Three passes (maximum; exponentials and their sum;
/// scaling) need rows that are whole in the scratchpad, and load them once. Two passes (running
/// maximum and rescaled sum; results) take a row in blocks: the first loads each block, the second
/// loads it again unless a slot still holds it, and computes its exponentials a second time.
/// Source: Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018.
struct SoftmaxPasses {
  int passes = 0;          ///< 0: the layer is no SOFTMAX over floats.
  std::int64_t block = 0;  ///< Elements of a block; 0: three passes.
};

/// What is decided of them; what is absent is free. A block means two passes.
struct SoftmaxDecision {
  std::optional<int> passes = {};
  std::optional<std::int64_t> block = {};
};

struct SoftmaxPlan {
  SoftmaxPasses passes;
  ChunkPlan chunks;  ///< Rows per tile.
};

/// Three passes where a row fits into the scratchpad of `capacity_bytes`, without residents if need
/// be; else two, in as few blocks of a row as fit.
/// @param scratchpad_bytes  free beside the residents.
/// @throws MappingError for decisions that the layer does not have or that do not fit, and if
/// nothing fits.
[[nodiscard]] SoftmaxPlan plan_softmax(const graph::Graph& graph, const graph::Node& node,
                                       const Storages& storages, std::int64_t scratchpad_bytes,
                                       std::int64_t capacity_bytes, const std::string& layer,
                                       const SoftmaxDecision& decided,
                                       const ChunkDecision& decided_chunks);

}  // namespace npu::mapper
