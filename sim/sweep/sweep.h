#pragma once

#include <cstddef>
#include <functional>

#include "sim/sweep/engine.h"
#include "sim/sweep/store.h"
#include "sim/sweep/sweep_file.h"

namespace npu::sweep {

struct Counts {
  std::size_t points = 0;    ///< Of the sweep, as far as they are known.
  std::size_t finished = 0;  ///< Those with a result, failures included.
  std::size_t failed = 0;
  std::size_t computed = 0;  ///< Now.
};

struct SweepOptions {
  bool retry_failed = false;
  std::function<void(const Counts&)> progress = [](const Counts&) {};
};

/// Brings a sweep to its end: lists its points in the store, runs those that have no result there,
/// each once however often it occurs. Ended in the middle, the next call goes on.
/// @throws Error for what is wrong with the sweep as a whole, the store or the engine.
Counts run_sweep(const Planner& planner, Store& store, Engine& engine, const SweepOptions& options);

}  // namespace npu::sweep
