#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "sim/diff/difference.h"

namespace npu::diff {

/// Simulates mixtures of two runs and divides the difference among what was changed: configuration
/// keys, the model with its options, and the rows of the energy table, which need no simulation of
/// their own: a row's part is its difference times the mean of A's and B's counts, the rest follows
/// the counts at the mean of the two rates.
/// @return none, with a note why, where that cannot be.
[[nodiscard]] std::optional<Simulated> simulate_changes(
    const RunFolder& a, const RunFolder& b, const DiffOptions& options,
    const std::function<void(std::size_t, std::size_t)>& on_done, std::vector<std::string>& notes);

}  // namespace npu::diff
