#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/sweep/engine.h"
#include "sim/sweep/sweep.h"

namespace npu::sweep {

/// Every `count`th point from number `index` on.
struct Shard {
  std::uint64_t index = 0, count = 1;
};
/// "0/4". @throws Error `--shard: …`.
[[nodiscard]] Shard parse_shard(const std::string& text);

/// A list of points as a file: a first line with the sweep's name, then a candidate and its hash
/// per line.
[[nodiscard]] std::string points_text(const std::string& sweep, const std::vector<Pending>& points);
/// @throws Error `file:line: …`; `file: …` for another sweep's list.
[[nodiscard]] std::vector<Pending> read_points(const std::string& path, const std::string& sweep);

/// Runs a shard's points that have no result in the store. It lists nothing: the table is the
/// whole sweep's.
/// @param list  file of points to choose from; empty: all of the sweep.
/// @throws Error as run_sweep(); if a point of the list is another one here (another file, model or
/// version); without a list, for a sweep whose points are not known beforehand.
Counts run_shard(const Planner& planner, Store& store, Engine& engine, const SweepOptions& options,
                 const Shard& shard, const std::string& list);

}  // namespace npu::sweep
