#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/stats/activity_log.h"

namespace npu::vcd {

/// A signal over time.
struct Wave {
  struct Change {
    std::uint64_t cycle = 0;  ///< From the begin of the run; ascending, one per cycle.
    std::uint32_t value = 0;
  };
  std::string name;
  int bits = 1;
  std::vector<Change> changes;  ///< The first at 0.
};

/// The signals of a log: states and busy bits of its units, its counts. A count that never is above
/// 0 is left out if it is one of tokens.
[[nodiscard]] std::vector<Wave> waves_of(const ActivityLog& log);

}  // namespace npu::vcd
