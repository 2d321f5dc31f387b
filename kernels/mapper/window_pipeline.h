#pragma once

#include <cstdint>

#include "kernels/cost/pipeline.h"
#include "kernels/mapper/window_geometry.h"
#include "kernels/mapper/window_tiling.h"
#include "sim/config/npu_config.h"

namespace npu::mapper {

/// What a window layer is predicted to take and to move.
struct WindowPrediction {
  std::int64_t cycles = 0;
  cost::Traffic traffic;
};

/// Predicts a window layer as a program of its own, tile by tile as kernels/lowering/window.cpp
/// emits it (cost::Pipeline); never below window_bound(). The addresses count where the
/// scratchpad's banks are contiguous.
[[nodiscard]] WindowPrediction predict_window(const WindowProblem& problem, const WindowTile& tile,
                                              const NpuConfig& config,
                                              const WindowPlacement& placement);

}  // namespace npu::mapper
