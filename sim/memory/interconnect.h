#pragma once

#include <algorithm>
#include <cstdint>

#include "sim/config/npu_config.h"

namespace npu {

/// The path between the requesters and the DRAM controllers.
///
/// Timing: a request needs latency_cycles there, its answer latency_cycles back. Write data on the
/// way there and read data on the way back share bytes_per_cycle over all requesters, each
/// direction by itself, in booking order; a transfer is as long as its share of a cycle, not
/// rounded up. Not modelled: arbitration inside a cycle, topology.
class Interconnect {
 public:
  explicit Interconnect(const InterconnectConfig& config)
      : bytes_per_cycle_(static_cast<std::uint64_t>(config.bytes_per_cycle)),
        latency_(static_cast<std::uint64_t>(config.latency_cycles)) {}

  /// A direction's data lane.
  class Lane {
   public:
    explicit Lane(const Interconnect& owner) : width_(owner.bytes_per_cycle_) {}
    /// The cycle in which bytes that are there from `cycle` on begin to pass.
    [[nodiscard]] std::uint64_t begins(std::uint64_t cycle) const {
      return std::max(free_at_bytes_ / width_, cycle);
    }
    /// Books `bytes` from `cycle` on. @return the cycle by which they have passed.
    std::uint64_t pass(std::uint64_t cycle, std::uint64_t bytes) {
      free_at_bytes_ = std::max(free_at_bytes_, cycle * width_) + bytes;
      return (free_at_bytes_ + width_ - 1) / width_;
    }

   private:
    std::uint64_t width_;
    std::uint64_t free_at_bytes_ = 0;  ///< In cycles · bytes_per_cycle.
  };
  [[nodiscard]] std::uint64_t latency_cycles() const { return latency_; }
  /// Cycles of a transfer on an idle lane.
  [[nodiscard]] std::uint64_t cycles(std::uint64_t bytes) const {
    return (bytes + bytes_per_cycle_ - 1) / bytes_per_cycle_;
  }

 private:
  std::uint64_t bytes_per_cycle_, latency_;
};

}  // namespace npu
