#pragma once

#include <cstdint>
#include <vector>

#include "sim/stats/critical_path.h"
#include "sim/stats/timeline.h"

namespace npu {

/// Adds the cycles [begin, end), in which a unit worked, to what it spent them on, as its phases
/// and those of the DRAM channels say.
void add_unit_phases(const PhaseLog& unit, const std::vector<PhaseLog>& dram, std::uint64_t begin,
                     std::uint64_t end, CauseCycles& cycles);

}  // namespace npu
