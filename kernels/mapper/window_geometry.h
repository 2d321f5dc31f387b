#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cost/pipeline.h"
#include "kernels/mapper/window_tiling.h"
#include "sim/config/npu_config.h"
#include "sim/timing/mac_timing.h"

namespace npu::mapper {

/// Scratchpad addresses of a window layer's buffers, or of its resident tensors.
struct WindowPlacement {
  std::int64_t x = 0, w = 0, y = 0;
};

/// Tiles along one dimension that are equal in what they load and compute.
struct TileRun {
  std::int64_t count = 0, first = 0;  ///< Tiles, and the index of the first one.
  std::int64_t out = 0, in = 0;       ///< Extents.
};
[[nodiscard]] std::vector<TileRun> runs_of(std::int64_t out, std::int64_t tile,
                                           const WindowProblem& problem, bool vertical);

/// Where a tile is in space, in tiles, and its extents. Of several whole products the first one.
struct TilePlace {
  std::int64_t image = 0, row = 0, column = 0;
  std::int64_t out_h = 0, out_w = 0, in_h = 0, in_w = 0;
  std::int64_t images = 1;
};

/// What the tiles of a layer move, and where it lies in the scratchpad.
class WindowGeometry {
 public:
  WindowGeometry(const WindowProblem& problem, const WindowTile& tile, const NpuConfig& config,
                 const WindowPlacement& placement)
      : p_(problem), t_(tile), config_(config), at_(placement) {}

  [[nodiscard]] const WindowPlacement& at() const { return at_; }
  [[nodiscard]] cost::Transfer input(const TilePlace& at, std::int64_t depth) const;
  /// A block of weights of each image; the last one of a sum brings its channels' parameters.
  [[nodiscard]] cost::Transfer weights(std::int64_t channels, std::int64_t depth, bool is_last,
                                       std::int64_t images) const;
  [[nodiscard]] cost::Transfer output(const TilePlace& at, std::int64_t rows,
                                      std::int64_t channels) const;
  /// Where a unit reads a tile's input, or writes its output: slot or resident rows. @{
  [[nodiscard]] cost::Range input_range(const TilePlace& at, int slot) const;
  [[nodiscard]] cost::Range output_range(const TilePlace& at, int slot) const;  ///< @}

 private:
  /// Images of the tile with an input of their own.
  [[nodiscard]] std::int64_t inputs(const TilePlace& at) const {
    return p_.shares_x ? 1 : at.images;
  }

  const WindowProblem& p_;
  const WindowTile& t_;
  const NpuConfig& config_;
  WindowPlacement at_;
};

/// The arithmetic of the array on elements of the type.
[[nodiscard]] timing::Precision precision_of(DType type);
/// Whether a tile of `in_c` input channels goes tap by tap, so that float sums keep their order.
[[nodiscard]] bool splits_taps(const WindowProblem& problem, std::int64_t in_c);

}  // namespace npu::mapper
