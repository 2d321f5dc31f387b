#include "sim/timing/stripe_timing.h"

#include "sim/base/math.h"

namespace npu::timing {

Stripes::Stripes(std::int64_t positions, std::int64_t stripe) : size(stripe) {
  const std::int64_t least = ceil_div(stripe, std::int64_t{2});
  full = positions / stripe;
  const std::int64_t left = positions % stripe;
  if (left == 0) return;
  if (full == 0 || left >= least) {
    rest[0] = left;
    return;
  }
  --full;
  rest = {least, stripe - least + left};
}

StripedTile striped_tile(const MacArrayConfig& config, const MacTile& tile) {
  StripedTile t;
  const std::int64_t in_c = ceil_div(tile.k, tile.taps);
  const std::int64_t n = std::min<std::int64_t>(tile.n, config.cols);
  const std::int64_t w_bytes = tile.w_bytes();
  t.stripes = Stripes(tile.m, config.stripe_positions);
  t.passes = tile.taps * ceil_div(in_c, std::int64_t{config.rows});
  t.cycles_per_position = pass_count(config, tile);
  t.load_cycles =
      weight_load_cycles(config, std::min<std::int64_t>(in_c, config.rows), n * w_bytes);
  return t;
}

}  // namespace npu::timing
