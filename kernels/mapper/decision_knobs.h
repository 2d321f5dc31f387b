#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernels/mapper/decisions.h"

namespace npu::mapper {

/// An integer of a layer's decision.
struct Knob {
  std::string key;
  std::int64_t unit = 1;  ///< Values are multiples.
  std::function<std::optional<std::int64_t>(const LayerDecision&)> get;
  std::function<void(LayerDecision&, std::optional<std::int64_t>)> set;
};

/// The integers that a decision has; `streamed` counts as 0 or 1.
[[nodiscard]] std::vector<Knob> knobs_of(const LayerDecision& decision);

}  // namespace npu::mapper
