#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <systemc>
#include <vector>

#include "sim/config/npu_config.h"
#include "sim/stats/schedule.h"

namespace npu {

/// The way of streamed results from the MAC array to the vector unit, past the accumulators'
/// address space: `result_stream_entries` places, one per output position with its sums of up to
/// `cols` channels.
///
/// The array hands over a stripe at a time. The last fold of a stripe starts when there is a place
/// for each of its positions; its first entry can be taken result_stream_latency_cycles after its
/// last MAC. The vector unit takes entries in order; the place of an entry is free at the array
/// result_credit_latency_cycles after it was taken. The instants are booked ahead of simulated time
/// and each side blocks only for what the other has not booked yet. Source: credits between
/// sequence controller and accumulator, nvdla/doc (hardware architecture), figures in the
/// configuration. Not modelled: entries of several stripes on their way at once beyond their order.
class ResultStream {
 public:
  explicit ResultStream(const MacArrayConfig& config);

  // The array's side.
  /// Blocks the calling SC_THREAD until it is known when `entries` places are free. @return that
  /// cycle.
  [[nodiscard]] std::uint64_t wait_for_places(std::int64_t entries);
  /// Hands over a stripe whose last MAC is in cycle `last_mac`.
  void push(std::int64_t entries, std::uint64_t last_mac);
  /// The sums of a tile, [positions][channels], before its first push(); empty when timing-only.
  void push_tile(std::int64_t positions, std::vector<std::byte> sums);

  // The vector unit's side.
  /// When the entries were taken, and how long the unit worked on them.
  struct Taken {
    std::uint64_t end_cycle = 0, busy_cycles = 0;
    std::vector<Schedule::Take> takes;  ///< As few as there are gaps between entries, and one more.
  };
  /// Takes `entries` from `cycle` on, each `cost` cycles after the one before. Blocks the calling
  /// SC_THREAD until they are pushed.
  Taken take(std::int64_t entries, std::uint64_t cycle, std::int64_t cost);
  /// The sums of the next `positions` of the oldest tile that has some left, and moves past them.
  [[nodiscard]] std::span<std::byte> take_sums(std::int64_t positions);

 private:
  struct Stripe {
    std::int64_t entries;
    std::uint64_t ready;
  };
  /// Entries taken one after another: entry i (from 0) at start + (i + 1) · cost.
  struct Run {
    std::int64_t entries;
    std::uint64_t start;
    std::int64_t cost;
  };
  struct Tile {
    std::int64_t positions, taken;
    std::vector<std::byte> sums;
  };

  const std::int64_t places_;
  const std::uint64_t latency_, credit_latency_;
  std::deque<Stripe> stripes_;  ///< Handed over and not taken.
  std::deque<Run> runs_;        ///< Taken, and their places perhaps not used again.
  std::deque<Tile> tiles_;
  std::int64_t pushed_ = 0, taken_ = 0;
  std::int64_t runs_begin_ = 0;  ///< Entries taken before the first of runs_.
  sc_core::sc_event was_pushed_, was_taken_;
};

}  // namespace npu
