#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/config/npu_config.h"

namespace npu {

/// A banked on-chip memory: the scratchpad or the accumulators. Holds the bytes and books its banks.
///
/// Timing: a stream of `bytes` over the banks it touches uses bytes / (banks touched · port_width) port cycles of
/// each. A bank serves its streams in booking order; the one that comes later ends later and the excess is its
/// bank wait. kWord interleaving spreads every stream over all banks, kBlock over the banks its range covers.
/// Not modelled: conflicts between single words of two streams that together stay below the bandwidth.
class Sram {
 public:
  /// @param with_data  false in timing-only runs: no storage is allocated.
  Sram(std::string name, const SramConfig& config, bool with_data);

  /// Books a stream over [low, high) that moves `bytes` from `start_cycle` on and by itself takes
  /// `duration_cycles`. @return the cycle it ends, ≥ start + duration.
  [[nodiscard]] std::uint64_t book(bool is_write, std::int64_t low, std::int64_t high, std::int64_t bytes,
                                   std::uint64_t start_cycle, std::uint64_t duration_cycles);

  [[nodiscard]] std::span<std::byte> data() { return data_; }  ///< Empty when timing-only.
  [[nodiscard]] const SramConfig& config() const { return config_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  SramConfig config_;
  std::vector<std::byte> data_;
  std::vector<double> read_free_at_, write_free_at_;  ///< Per bank; one shared vector when ports = 1.
};

}  // namespace npu
