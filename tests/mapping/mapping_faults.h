#pragma once

#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "kernels/mapper/decisions.h"
#include "kernels/mapper/mapping_error.h"
#include "tests/mapping/mapping_case.h"

namespace npu::test {

/// A good mapping to break.
struct Good {
  const MappingCase& c;
  const Mapped& mapped;
  mapper::Decisions decisions;
  std::mt19937_64& rng;

  [[nodiscard]] std::size_t below(std::size_t n) const { return rng() % n; }
};

/// What must be at fault.
struct Expected {
  std::vector<mapper::FaultKind> kinds;
  std::string layer = {}, key = {};  ///< Key: the start of the fault's.
  mapper::MemoryLevel level = mapper::MemoryLevel::kNone;
};

/// Breaks the decisions; nullopt where the mapping has nothing to break that way.
using Breaker = std::function<std::optional<Expected>(Good&)>;

struct NamedBreaker {
  const char* name;
  Breaker apply;
};
/// One per kind of fault.
[[nodiscard]] const std::vector<NamedBreaker>& breakers();

}  // namespace npu::test
