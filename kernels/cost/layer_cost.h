#pragma once

#include <cstdint>

#include "sim/config/npu_config.h"

namespace npu::cost {

/// Work of one tiled layer, totalled over its tiles.
struct LayerWork {
  std::int64_t load_bytes = 0, store_bytes = 0;  ///< DRAM traffic.
  std::int64_t descriptors = 0;                  ///< DMA descriptors.
  std::int64_t mac_cycles = 0;                   ///< Sum of MacTiming::total_cycles.
  std::int64_t vector_cycles = 0;
  std::int64_t first_load_bytes = 0;  ///< What the first tile waits for.
  std::int64_t last_store_bytes = 0;  ///< What the last tile leaves behind.
  std::int64_t tiles = 1;
};

/// Predicted cycles of a layer whose loads, arithmetic and stores overlap tile by tile:
/// max(DMA, MAC, vector) + the first load and the last store, which nothing hides, + the mean of
/// one tile's arithmetic on the engine that is not the bottleneck. Left out: bank conflicts, DRAM
/// row misses beyond the average bandwidth, refresh.
[[nodiscard]] std::int64_t layer_cycles(const NpuConfig& config, const LayerWork& work);

/// Sustainable DRAM bandwidth in bytes per core cycle: the least of devices, interconnect and DMA
/// channel.
[[nodiscard]] double dram_bytes_per_cycle(const NpuConfig& config);

}  // namespace npu::cost
