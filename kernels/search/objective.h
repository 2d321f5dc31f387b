#pragma once

#include <cstdint>
#include <string_view>

#include "kernels/cost/pipeline.h"
#include "sim/base/tensor.h"
#include "sim/config/npu_config.h"

namespace npu::search {

/// What a search makes small: core cycles, picojoules, or their product.
enum class Objective : std::uint8_t { kLatency, kEnergy, kEdp };
[[nodiscard]] std::string_view name_of(Objective objective);

struct Cost {
  double cycles = 0, picojoules = 0;
  [[nodiscard]] double value(Objective objective) const;
};

/// Energy by the configuration's table: what moved and was computed, a refresh per tREFI and rank,
/// leakage over the cycles. Left out: activates of DRAM rows beyond one per row of a stream.
[[nodiscard]] double energy_pj(const NpuConfig& config, const cost::Traffic& traffic, DType type,
                               double cycles);

}  // namespace npu::search
