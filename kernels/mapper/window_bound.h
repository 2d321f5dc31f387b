#pragma once

#include <cstdint>
#include <optional>

#include "kernels/mapper/window_tiling.h"
#include "sim/config/npu_config.h"

namespace npu::mapper {

/// Extents of a window tile that are chosen so far.
struct WindowPartial {
  std::optional<std::int64_t> out_h = {}, out_w = {}, out_c = {}, in_c = {};
  std::int64_t images = 1;  ///< Whole products per step.
};

/// Bytes between DRAM and scratchpad that no tiling of the layer avoids: inputs that some tap
/// reaches, weights, outputs; nothing for residents.
struct CompulsoryBytes {
  std::int64_t x = 0, w = 0, y = 0;
  [[nodiscard]] std::int64_t total() const { return x + w + y; }
};
[[nodiscard]] CompulsoryBytes compulsory_bytes(const WindowProblem& problem);

/// Cycles that no tile with these extents goes below (window_cycles()), the longest of
///   array   Σ over tiles of the cycles in which operands stream, extents that are not chosen whole
///           (their blocks only grow in number when they are cut); all chosen: Σ of the tiles'
///           total
///   vector  elements · cycles / lanes, all chosen: and the latency of each tile
///   DMA     compulsory bytes through the load channels, the store channel, and the DRAM
[[nodiscard]] double window_bound(const WindowProblem& problem, const NpuConfig& config,
                                  const WindowPartial& partial, bool streamed);

}  // namespace npu::mapper
