#pragma once

#include "sim/sweep/engine.h"

namespace npu::cli {

/// Runs one point of a sweep as `npusim run` would. Once per process.
/// @throws Error, RunFault.
[[nodiscard]] sweep::Measured run_point(const sweep::Job& job);

}  // namespace npu::cli
