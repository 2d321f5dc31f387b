#pragma once

#include <cstdint>

#include "kernels/mapper/window_tiling.h"
#include "sim/config/npu_config.h"

namespace npu::mapper {

/// Scratchpad addresses of a window layer's buffers, or of its resident tensors.
struct WindowPlacement {
  std::int64_t x = 0, w = 0, y = 0;
};

/// Predicted cycles of a window layer as a program of its own, tile by tile as
/// kernels/lowering/window.cpp emits it (cost::Pipeline). The addresses count where the
/// scratchpad's banks are contiguous.
[[nodiscard]] std::int64_t window_cycles(const WindowProblem& problem, const WindowTile& tile,
                                         const NpuConfig& config, const WindowPlacement& placement);

}  // namespace npu::mapper
