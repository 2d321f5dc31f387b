#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/stats/schedule.h"

namespace npu {

/// Where the token that an instruction took last was from.
struct TokenGiver {
  std::int32_t engine = Schedule::kNone;  ///< kNone: it took none.
  std::size_t position = 0;
};

/// [engine][position]. The n-th token from one engine to another is the n-th that the other takes
/// of it.
[[nodiscard]] std::vector<std::vector<TokenGiver>> match_tokens(const Schedule& schedule);

}  // namespace npu
