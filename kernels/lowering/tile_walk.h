#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/lowering/layer_context.h"
#include "kernels/mapper/tile_space.h"
#include "sim/base/function.h"

namespace npu::kernels {

/// Elements in the scratchpad: of a tile's operand or temporary, one step per dimension of the tile
/// space, then the step within a unit [B].
struct TileView {
  std::int64_t address = 0;
  DType type = DType::kFloat32;
  std::vector<std::int64_t> step;

  [[nodiscard]] TileView at(std::int64_t offset) const { return {address + offset, type, step}; }
  /// The same elements with another step within the unit.
  [[nodiscard]] TileView stepping(std::int64_t bytes) const;
};

/// One tile on its way through the vector unit.
struct Tile {
  std::vector<std::int64_t> extent;  ///< Per dimension.
  std::vector<TileView> operands;    ///< Inputs that are there, then the output.
  std::vector<TileView> temporaries;
  /// Among the tiles of one piece of the output; of two passes over a row, among the blocks of one.
  bool first = true, last = true;
};

/// Emits a layer of a tile space: each tile's inputs are loaded (what is resident is used in place,
/// what a slot still holds is not loaded again), worked on, and its output stored. Tiles of one
/// piece of the output follow each other in the order of the dimensions that are reduced.
class TileWalk {
 public:
  explicit TileWalk(LayerContext& c);

  [[nodiscard]] const mapper::TileSpace& space() const { return space_; }
  void run(const std::function<void(const Tile&)>& emit);
  /// Rows in blocks, twice: every block of a tile of rows once, then once more, with its output.
  void run_twice(const std::function<void(const Tile&)>& first,
                 const std::function<void(const Tile&)>& second);

 private:
  struct Place {
    const mapper::Storage* storage = nullptr;  ///< nullptr: a temporary.
    std::vector<std::int64_t> stride;          ///< Of the whole operand [B].
    Slots slots;
    DType type = DType::kFloat32;
  };
  [[nodiscard]] std::vector<std::int64_t> strides(std::size_t like, std::int64_t unit_bytes,
                                                  const std::vector<std::int64_t>& sizes) const;
  void over(const std::vector<std::size_t>& dims, std::size_t i,
            const std::function<void()>& visit);
  /// A step for each tile along the given dimensions, its inputs loaded.
  void parts(const std::vector<std::size_t>& dims, const std::function<void(Tile&)>& visit);
  [[nodiscard]] std::int64_t offset(const Place& place) const;
  [[nodiscard]] Tile make_tile() const;
  void load(std::size_t operand, Tile& tile);
  void begin_output(Tile& tile, bool is_new);
  void store(const Tile& tile);

  LayerContext& c_;
  mapper::TileSpace space_;
  std::vector<std::int64_t> extent_;  ///< Of a full tile.
  /// Dimensions that go tile by tile, along which the output advances and others; those in blocks.
  std::vector<std::size_t> kept_, reduced_, blocks_;
  std::vector<Place> places_;        ///< Of the operands.
  std::vector<std::int64_t> first_;  ///< Of the current tile, per dimension.
  std::int64_t output_slot_ = 0;
};

/// Instructions over tiles. Dimensions of extent 1 fall away; the others and the unit (`length`
/// elements) must fit the loops of the instruction.
class TileCode {
 public:
  TileCode(LayerContext& c, const Tile& tile) : c_(c), tile_(tile) {}

  /// dst = function(a[, b]); b nullptr: imm0 where the function has two operands.
  void map(MapFunction function, std::int64_t length, const TileView& a, const TileView* b,
           const TileView& dst, double imm0 = 0, double imm1 = 0);
  /// dst = fold of src over the unit and the dimensions along which dst does not advance.
  void reduce(ReduceFunction function, std::int64_t length, const TileView& src,
              const TileView& dst, bool accumulate = false);
  /// fp32 values of an operand: dequantized into `temporary` if it is a quantized integer.
  const TileView& real(const graph::Tensor& tensor, std::int64_t length, const TileView& operand,
                       const TileView* temporary);
  /// dst = the fp32 values of src, as the tensor stores them.
  void store(const graph::Tensor& tensor, std::int64_t length, const TileView& src,
             const TileView& dst);

 private:
  LayerContext& c_;
  const Tile& tile_;
};

}  // namespace npu::kernels
