#pragma once

#include <cstdint>

#include "sim/config/npu_config.h"

namespace npu {

/// Leakage of one core cycle [pJ]: 1 mW for 1 ns is 1 pJ.
[[nodiscard]] inline double leakage_per_cycle_pj(const LeakageRow& row, std::int64_t period_ps) {
  constexpr double kPicojoulesPerMilliwattPicosecond = 1e-3;
  return row.milliwatts * static_cast<double>(period_ps) * kPicojoulesPerMilliwattPicosecond;
}

}  // namespace npu
