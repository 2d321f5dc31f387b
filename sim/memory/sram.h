#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "sim/config/npu_config.h"

namespace npu {

/// The share of one port's time that is booked, as a step function of the cycle.
///
/// A stream asks for a constant share of the port from its start on. Where earlier bookings leave
/// less, it gets what they leave and ends later by the rest. Holds the last kMaxSteps steps: what
/// ended long before is forgotten.
class PortBookings {
 public:
  static constexpr std::uint64_t kWhole = std::uint64_t{1}
                                          << 20;  ///< The whole port, in units of share.

  /// Books `work` port cycles (in units of 1 / kWhole cycle) spread over `duration_cycles` from
  /// `start_cycle`.
  /// @return the cycle at which the last of it is done, ≥ start.
  std::uint64_t book(std::uint64_t work, std::uint64_t start_cycle, std::uint64_t duration_cycles);

 private:
  /// `share` of the port is taken from the end of the step before until `until`.
  struct Step {
    std::uint64_t until, share;
  };
  static constexpr std::size_t kMaxSteps = 64;

  void split_at(std::uint64_t cycle);
  void trim();

  std::vector<Step> steps_;
};

/// One stream of a transaction over the bytes [low, high) of an Sram.
struct SramStream {
  bool is_write = false;
  std::int64_t low = 0, high = 0;
  std::int64_t bytes = 0;  ///< Moved in all.
};

/// A banked on-chip memory: the scratchpad or the accumulators. Holds the bytes and books its
/// banks.
///
/// Timing: a stream of `bytes` over the banks it touches uses bytes / (banks touched · port_width)
/// port cycles of each, spread evenly over its duration. Streams on the same bank share it: one
/// that is booked later gets the share that those before it leave, ends later, and the excess is
/// its bank wait. Streams of one transaction are booked as one. A stream that asks for more than a
/// port has takes all of it for as long as it needs. kWord interleaving spreads every stream over
/// all banks, kBlock over the banks its range covers. A single port turns from writes to reads
/// without a cycle lost, as synchronous SRAM does. Not modelled: conflicts between single words of
/// two streams that together stay below the bandwidth.
class Sram {
 public:
  /// @param with_data  false in timing-only runs: no storage is allocated.
  Sram(std::string name, const SramConfig& config, bool with_data);

  /// Books a stream over [low, high) that moves `bytes` from `start_cycle` on and by itself takes
  /// `duration_cycles`. @return the cycle it ends, ≥ start + duration.
  [[nodiscard]] std::uint64_t book(bool is_write, std::int64_t low, std::int64_t high,
                                   std::int64_t bytes, std::uint64_t start_cycle,
                                   std::uint64_t duration_cycles);
  /// The same for several streams that move on in step, as the operands of one tile do: where they
  /// meet at a port, they ask it for the sum of their shares. @return the cycle the last one ends.
  [[nodiscard]] std::uint64_t book(std::span<const SramStream> streams, std::uint64_t start_cycle,
                                   std::uint64_t duration_cycles);

  [[nodiscard]] std::span<std::byte> data() { return data_; }  ///< Empty when timing-only.
  [[nodiscard]] const SramConfig& config() const { return config_; }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  SramConfig config_;
  std::int64_t bank_bytes_;
  std::vector<std::byte> data_;
  std::vector<PortBookings> ports_;  ///< [bank group of equal load][port]; one group when kWord.
  std::vector<std::uint64_t> work_;  ///< Per port, of the transaction being booked.
};

}  // namespace npu
