#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/mapper/attention_plan.h"
#include "kernels/mapper/chunking.h"
#include "kernels/mapper/window_tiling.h"
#include "workloads/graph/graph.h"

namespace npu::mapper {

/// What a mapping decides of one layer. What is absent the mapper chooses.
struct LayerDecision {
  std::string layer;  ///< LayerPlan::name, "CONV_2D #3".
  std::optional<std::int64_t> out_h = {}, out_w = {}, out_c = {}, in_c = {};  ///< Window tile …
  std::optional<std::int64_t> images = {};  ///< … and whole products per step.
  std::optional<LoopOrder> loop_order = {};
  std::optional<bool> streamed = {};           ///< Sums leave through the result stream.
  std::optional<int> acc_slots = {};           ///< 2: the accumulators are double-buffered.
  std::optional<std::size_t> cut_level = {};   ///< Chunked layers: the dimension that is cut …
  std::optional<std::int64_t> cut_units = {};  ///< … and units per chunk.
  std::optional<int> passes = {};              ///< SOFTMAX over floats: 2 or 3 …
  std::optional<std::int64_t> block = {};      ///< … and elements of a block of two passes.
  std::vector<std::int64_t> box = {};          ///< Reductions; empty: free.
  std::optional<std::int64_t> heads = {}, rows = {}, keys = {};  ///< Fused attention.
  std::vector<BufferDecision> buffers = {};
};

/// Where a storage lies.
struct TensorDecision {
  graph::TensorId tensor = -1;  ///< Any tensor of the storage.
  bool resident = false;        ///< In the scratchpad from its producer to its last consumer.
  std::optional<std::int64_t> address = {};  ///< In the scratchpad.
  std::vector<graph::TensorId> same = {};    ///< Tensors that must be in the same storage.
};

/// How an ATTENTION runs.
struct AttentionDecision {
  graph::TensorId output = -1;  ///< The node's.
  bool fused = false;
};

/// A whole or partial mapping of a network. Layers and tensors that it does not name are free.
struct Decisions {
  std::vector<LayerDecision> layers;
  std::vector<TensorDecision> tensors;
  std::vector<AttentionDecision> attention;

  /// The decision on the layer of that name, or nullptr.
  [[nodiscard]] const LayerDecision* layer(std::string_view name) const;
  /// The decision on the ATTENTION with that output, or nullptr.
  [[nodiscard]] const AttentionDecision* attention_of(graph::TensorId output) const;
};

/// The parts of a layer's decision that its family has.
[[nodiscard]] WindowDecision window_decision(const LayerDecision& decision);
[[nodiscard]] ChunkDecision chunk_decision(const LayerDecision& decision);
[[nodiscard]] AttentionTileDecision attention_decision(const LayerDecision& decision);

}  // namespace npu::mapper
