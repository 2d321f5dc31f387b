#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/mapper/memory_plan.h"
#include "kernels/mapper/window_bound.h"
#include "kernels/mapper/window_pipeline.h"
#include "kernels/mapper/window_tiling.h"
#include "kernels/search/objective.h"
#include "sim/config/npu_config.h"

namespace npu::search {

/// The free area of the scratchpad that a layer's buffers are placed in, one behind the other.
struct WorkArea {
  mapper::FreeArea free;
  std::int64_t others = 0;  ///< Bytes of buffers behind those of the tile.
  bool from_the_top = false;
  /// Residents, where the layer has no buffer of its own.
  mapper::WindowPlacement residents;

  [[nodiscard]] std::int64_t bytes() const { return free.bytes() - others; }
  /// Where the buffers of a tile lie, as the mapper places them.
  [[nodiscard]] mapper::WindowPlacement place(const mapper::WindowTile& tile) const;
};

/// A layer whose tile is searched.
struct WindowLayer {
  mapper::WindowProblem problem;
  WorkArea area;
  mapper::WindowDecision decided;  ///< What is not free.
};

struct Candidate {
  mapper::WindowTile tile;
  Cost cost;  ///< Predicted.
  double value = 0;
};

struct WindowSearchOptions {
  Objective objective = Objective::kLatency;
  std::int64_t budget = 4000;  ///< Tiles whose cost is computed.
  std::size_t keep = 1;        ///< Best tiles that are handed back.
  std::uint64_t seed = 1;      ///< Of the steps to neighbours, where the budget does not suffice.
};

struct WindowResult {
  std::vector<Candidate> best;  ///< Ascending values; empty: nothing fits.
  std::int64_t evaluated = 0;
  double space = 0;       ///< Tiles in the space, those that do not fit included.
  bool complete = false;  ///< Everything was evaluated or lies above a bound: best[0] is optimal.
};

/// Where a space is smaller than the budget by this factor all slots are tried, else one in place
/// of two only where two do not fit.
inline constexpr double kSlotChoices = 32;
inline constexpr double kWalkShare = 0.25;

/// Sizes of tiles along a dimension of `n`, descending: all up to kAllSizes; else ceil(n / k) for
/// every k, between two of which no size makes fewer tiles, and those rounded up to `unit`.
[[nodiscard]] std::vector<std::int64_t> tile_sizes(std::int64_t n, std::int64_t unit = 1);
inline constexpr std::int64_t kAllSizes = 16;

/// Cost of one tile.
[[nodiscard]] Cost cost_of(const WindowLayer& layer, const NpuConfig& config,
                           const mapper::WindowTile& tile);
/// Below the cost of every tile with these extents.
[[nodiscard]] Cost bound_of(const WindowLayer& layer, const NpuConfig& config,
                            const mapper::WindowPartial& partial, bool streamed);

/// Branch and bound over streaming, input and output channels, rows and columns, loop order, slots:
/// nodes in the order of their bounds, until what is left lies above the `keep` best. Where the
/// budget does not suffice, kWalkShare of it goes to random steps from the best tiles to their
/// neighbours. Deterministic.
[[nodiscard]] WindowResult search_window(const WindowLayer& layer, const NpuConfig& config,
                                         const WindowSearchOptions& options,
                                         const std::vector<mapper::WindowTile>& first);

}  // namespace npu::search
