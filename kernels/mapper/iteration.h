#pragma once

#include <cstdint>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::mapper {

/// One dimension of a binary operator's iteration space, neighbours with the same broadcasting
/// merged.
struct BroadcastDim {
  std::int64_t size = 1;
  bool a = true, b = true;  ///< Whether the operand advances along it.
};
/// Outermost first; at least one dimension. Shapes align at the right.
[[nodiscard]] std::vector<BroadcastDim> broadcast_dims(const Shape& a, const Shape& b,
                                                       const Shape& y);

/// One dimension of a reduction, neighbours of the same kind merged; outermost first.
struct ReduceDim {
  std::int64_t size = 1;
  bool reduced = false;
};
[[nodiscard]] std::vector<ReduceDim> reduce_dims(const Shape& x, const std::vector<int>& axes);

/// A strided copy from input `input` to the output: `run` contiguous bytes, then counts outermost
/// first.
struct Copy {
  std::size_t input = 0;
  std::int64_t src_offset = 0, dst_offset = 0, run = 0;
  std::vector<std::int64_t> count, src_stride, dst_stride;

  [[nodiscard]] std::int64_t bytes() const;
};
/// A box of the output set to the element `value`.
struct Fill {
  std::int64_t dst_offset = 0, run = 0;
  std::vector<std::int64_t> count, dst_stride;
};
/// What PAD, CONCATENATION, TRANSPOSE, STRIDED_SLICE, PACK and GATHER by constants come down to.
struct Moves {
  std::vector<Copy> copies;
  std::vector<Fill> fills;
  std::int32_t fill_value = 0;
  std::int64_t element_bytes = 1;
};
[[nodiscard]] Moves moves_of(const graph::Graph& graph, const graph::Node& node);

}  // namespace npu::mapper
