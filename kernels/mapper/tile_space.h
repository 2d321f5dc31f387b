#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/mapper/chunking.h"
#include "kernels/mapper/memory_plan.h"
#include "workloads/graph/graph.h"

namespace npu::mapper {

/// One dimension of a general operator's iteration space, neighbours that the same operands advance
/// along merged.
struct TileDim {
  std::int64_t size = 1;
  unsigned moves = 0;  ///< Bit i: operand i advances along it; bit of the output after the inputs'.
  /// 0: cut, or inside the dimension that is. Else a tile has as many along it, wherever it is cut:
  /// all, where a position is searched, or a block of a row of softmax.
  std::int64_t block = 0;
};

/// An operand, or a temporary, of one tile: `unit_bytes` contiguous bytes per point of the
/// dimensions that it advances along.
struct TileOperand {
  std::string buffer;
  std::int64_t unit_bytes = 1;
  std::size_t like = 0;  ///< Temporaries: the bit of TileDim::moves that tells its dimensions, an
                         ///< operand's or one after theirs.
};

/// What MAP, REDUCE, SOFTMAX over floats, LAYER_NORM, RMS_NORM and ROPE look like to the mapper:
/// dimensions that are cut, operands (the inputs that are there, then the output) and temporaries.
struct TileSpace {
  std::vector<TileDim> dims;  ///< Outermost first; at least one.
  std::vector<TileOperand> operands;
  std::vector<TileOperand> temporaries;
  std::vector<std::size_t> inputs;  ///< operands[i] is the node's input inputs[i].
  /// Most dimensions along which the output advances, and others, that a tile may extend in: what
  /// an instruction walks.
  std::size_t kept_dims = 3, reduced_dims = 0;

  [[nodiscard]] std::size_t output() const { return operands.size() - 1; }
  [[nodiscard]] bool moves(std::size_t operand, std::size_t dim) const {
    return (dims[dim].moves >> operand & 1U) != 0;
  }
  /// Position of a temporary by name. A name that is not there is our own bug.
  [[nodiscard]] std::size_t temporary(std::string_view name) const;
  [[nodiscard]] bool has_temporary(std::string_view name) const;
};

/// The space of a node of those kinds; `softmax_block` as in SoftmaxPasses.
[[nodiscard]] TileSpace tile_space(const graph::Graph& graph, const graph::Node& node,
                                   std::int64_t softmax_block = 0);
/// True for the kinds and types that have one.
[[nodiscard]] bool is_tiled(const graph::Graph& graph, const graph::Node& node);
/// An integer tensor that general operators dequantize before they compute.
[[nodiscard]] bool is_real_integer(const graph::Tensor& tensor);

/// The dimensions at which tiles may be cut, outermost first: those inside are whole, those outside
/// go index by index (those with a block excepted).
[[nodiscard]] std::vector<std::size_t> tile_cuts(const TileSpace& space);
/// Extent of every dimension in a tile of `units` along `cut`.
[[nodiscard]] std::vector<std::int64_t> tile_extents(const TileSpace& space, std::size_t cut,
                                                     std::int64_t units);
/// Bytes of an operand or temporary that advances with operand `like` in a tile.
[[nodiscard]] std::int64_t tile_bytes(const TileSpace& space, std::size_t like,
                                      std::int64_t unit_bytes,
                                      const std::vector<std::int64_t>& extents);

/// One level per cut. Residents need no buffer; temporaries and what every tile shares have one
/// slot.
[[nodiscard]] ChunkProblem tile_problem(const graph::Graph& graph, const graph::Node& node,
                                        const Storages& storages, std::int64_t softmax_block = 0);

/// Elements of a row that is whole in a tile, or of a block: n0 of vec.map and vec.reduce.
inline constexpr std::int64_t kMaxRow = (1 << 24) - 1;

}  // namespace npu::mapper
