#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "workloads/graph/graph.h"
#include "workloads/passes/attention_chain.h"
#include "workloads/passes/uses.h"

namespace npu::passes {

/// How keys [ … ,T,D] come from what a TRANSPOSE reads, where a network makes [ … ,D,T] of it.
struct KeyMove {
  std::size_t transpose = 0;     ///< The node.
  Shape from;                    ///< What it reads, in this shape …
  std::vector<int> permutation;  ///< … moved so; empty or one dimension: nothing moves.
};

/// The way to `columns` [ … ,D,T] with its last two dimensions exchanged: the last TRANSPOSE before
/// it (RESHAPEs and `scales` may follow) makes them instead. nullopt if there is none, if
/// tensors on the way have other readers, if sizes do not line up, or if the keys' elements would
/// not stay together.
[[nodiscard]] std::optional<KeyMove> find_key_move(const graph::Graph& graph, const Uses& uses,
                                                   graph::TensorId columns,
                                                   const std::vector<OperandScale>& scales);

}  // namespace npu::passes
