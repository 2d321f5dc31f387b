#include "sim/timing/dram_timing.h"

#include <algorithm>

#include "sim/base/math.h"

namespace npu::timing {

std::int64_t burst_clocks(const DramConfig& config) {
  return ceil_div(config.burst_length, config.data_rate);
}

double refresh_efficiency(const DramConfig& config) {
  switch (config.refresh) {
    case RefreshPolicy::kNone:
      return 1.0;
    case RefreshPolicy::kAllBank:
      return 1.0 - static_cast<double>(config.tRFC) / config.tREFI;
    case RefreshPolicy::kPerBank:
      return 1.0 - static_cast<double>(config.tRFCpb) / config.tREFI;
  }
  return 1.0;
}

std::int64_t stream_clocks_per_burst(const DramConfig& config) {
  const std::size_t group = config.address_mapping.find("bg");
  const std::size_t column = config.address_mapping.find("co");
  const bool alternates = config.bank_groups > 1 && group != std::string::npos && group > column;
  const std::int64_t gap = alternates ? config.tCCD_S : config.tCCD_L;
  return std::max(burst_clocks(config), gap);
}

double stream_bytes_per_clock(const DramConfig& config) {
  return static_cast<double>(config.burst_bytes() * config.channels) /
         static_cast<double>(stream_clocks_per_burst(config)) * refresh_efficiency(config);
}

double random_bursts_per_clock(const DramConfig& config) {
  const double by_window = 4.0 * config.ranks / config.tFAW;
  const double by_activate = static_cast<double>(config.ranks) / config.tRRD_S;
  const double by_bus =
      1.0 / static_cast<double>(std::max<std::int64_t>(burst_clocks(config), config.tCCD_S));
  return std::min({by_window, by_activate, by_bus}) * refresh_efficiency(config);
}

std::int64_t idle_read_clocks(const DramConfig& config, bool row_hit, bool row_open) {
  std::int64_t clocks = config.tCL + burst_clocks(config);
  if (!row_hit) clocks += config.tRCD + (row_open ? config.tRP : 0);
  return clocks;
}

}  // namespace npu::timing
