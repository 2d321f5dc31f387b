#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "sim/config/npu_config.h"
#include "sim/timing/mac_timing.h"

namespace npu::timing {

/// The output positions of a tile cut into stripes of `size`. A rest that is shorter than half a
/// stripe takes the second half of the stripe before it, so that no stripe of several is shorter
/// than half; the shortened one comes first: 36 in stripes of 16 are 16, 8, 12.
/// Source: stripe lengths seen on the RTL of NVDLA nv_small.
struct Stripes {
  std::int64_t size = 0, full = 0;
  std::array<std::int64_t, 2> rest{};  ///< After the full ones, in order; 0: none.

  Stripes(std::int64_t positions, std::int64_t stripe);
  [[nodiscard]] std::int64_t count() const {
    return full + (rest[0] > 0 ? 1 : 0) + (rest[1] > 0 ? 1 : 0);
  }
  /// Positions of stripe i < count().
  [[nodiscard]] std::int64_t length(std::int64_t i) const {
    return i < full ? size : rest[static_cast<std::size_t>(i - full)];
  }
};

/// How a tile of at most `cols` output channels runs stripe by stripe: in each stripe `passes`
/// folds of the stripe's positions, each at least as long as the load of the next fold's weights.
struct StripedTile {
  Stripes stripes{0, 1};
  std::int64_t passes = 0;  ///< taps · |in_c / rows|.
  std::int64_t cycles_per_position = 1;
  std::int64_t load_cycles = 0;  ///< Of one fold's weights.

  /// Cycles of one fold of a stripe of that many positions.
  [[nodiscard]] std::int64_t fold_cycles(std::int64_t positions) const {
    return std::max(positions * cycles_per_position, load_cycles);
  }
};
[[nodiscard]] StripedTile striped_tile(const MacArrayConfig& config, const MacTile& tile);

}  // namespace npu::timing
