#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "sim/stats/timeline.h"

namespace npu {

/// A stretch of simulated time that stands for `repeats` equal ones. The stretches of a run follow
/// one another without gap.
struct Stretch {
  std::uint64_t begin_cycle = 0, end_cycle = 0;
  std::uint64_t repeats = 1;
};

/// All cycles that the stretches stand for.
[[nodiscard]] std::uint64_t repeated_cycles(const std::vector<Stretch>& stretches);

/// Cycles of each bucket, those of a stretch as often as it repeats. They sum to repeated_cycles()
/// where the phases reach over all stretches.
[[nodiscard]] std::array<std::uint64_t, kBucketCount> repeated_buckets(
    const PhaseLog& log, const std::vector<Stretch>& stretches);

/// What `count` events, spread evenly over [begin_cycle, end_cycle), stand for: each stretch gets
/// its share of them, in whole events. What lies before or behind all stretches counts to the first
/// or last one.
[[nodiscard]] std::uint64_t repeated_count(std::uint64_t count, std::uint64_t begin_cycle,
                                           std::uint64_t end_cycle,
                                           const std::vector<Stretch>& stretches);

}  // namespace npu
