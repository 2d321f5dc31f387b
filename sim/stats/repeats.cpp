#include "sim/stats/repeats.h"

#include <algorithm>

#include "sim/base/error.h"

namespace npu {
namespace {

/// The first stretch that ends behind `cycle`; the last one where none does.
std::size_t stretch_at(const std::vector<Stretch>& stretches, std::uint64_t cycle) {
  const auto at = std::upper_bound(
      stretches.begin(), stretches.end(), cycle,
      [](std::uint64_t value, const Stretch& stretch) { return value < stretch.end_cycle; });
  return std::min(static_cast<std::size_t>(at - stretches.begin()), stretches.size() - 1);
}

}  // namespace

std::uint64_t repeated_cycles(const std::vector<Stretch>& stretches) {
  std::uint64_t cycles = 0;
  for (const Stretch& s : stretches) cycles += (s.end_cycle - s.begin_cycle) * s.repeats;
  return cycles;
}

std::array<std::uint64_t, kBucketCount> repeated_buckets(const PhaseLog& log,
                                                         const std::vector<Stretch>& stretches) {
  std::array<std::uint64_t, kBucketCount> cycles{};
  std::uint64_t begin = log.begin_cycle;
  std::size_t at = 0;
  for (const PhaseLog::Phase& phase : log.phases) {
    while (begin < phase.until_cycle && at < stretches.size()) {
      const Stretch& s = stretches[at];
      const std::uint64_t end = std::min(phase.until_cycle, s.end_cycle);
      if (end > begin) {
        const std::uint64_t from = std::max(begin, s.begin_cycle);
        if (end > from) {
          cycles[static_cast<std::size_t>(phase.bucket)] += (end - from) * s.repeats;
        }
        begin = end;
      }
      if (begin >= s.end_cycle) ++at;
    }
    begin = phase.until_cycle;
  }
  return cycles;
}

std::uint64_t repeated_count(std::uint64_t count, std::uint64_t begin_cycle,
                             std::uint64_t end_cycle, const std::vector<Stretch>& stretches) {
  NPU_CHECK(!stretches.empty(), "events without a stretch of time");
  const std::size_t first = stretch_at(stretches, begin_cycle);
  if (end_cycle <= begin_cycle) return count * stretches[first].repeats;
  std::uint64_t sum = 0;
  std::uint64_t given = 0;
  for (std::size_t i = first; given < count && i < stretches.size(); ++i) {
    const Stretch& s = stretches[i];
    const bool is_last = i + 1 == stretches.size() || s.end_cycle >= end_cycle;
    // Events up to the end of the stretch; the product needs 128 bits in no run of real length.
    const double share = static_cast<double>(s.end_cycle - std::min(begin_cycle, s.end_cycle)) /
                         static_cast<double>(end_cycle - begin_cycle);
    const std::uint64_t upto =
        is_last ? count
                : std::clamp(static_cast<std::uint64_t>(static_cast<double>(count) * share), given,
                             count);
    sum += (upto - given) * s.repeats;
    given = upto;
  }
  return sum;
}

}  // namespace npu
