#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/cost/bookings.h"
#include "sim/config/npu_config.h"
#include "sim/timing/stripe_timing.h"

namespace npu::cost {

/// One DMA descriptor: `rows` runs of `run` bytes, `pitch` bytes apart in DRAM. Runs that follow
/// each other without a gap (pitch = run) are one.
struct Transfer {
  std::int64_t rows = 1, run = 0, pitch = 0;
  /// Length of the instruction's own run where it was not merged; 0: run.
  std::int64_t kept_run = 0;

  [[nodiscard]] std::int64_t bytes() const { return rows * run; }
};

/// A byte range of the scratchpad or of the accumulators. Empty where nobody knows where it lies.
struct Range {
  std::int64_t low = 0, high = 0;
};

/// What a unit reads or writes in a memory while it works.
struct Stream {
  Range range;
  double bytes = 0;
  bool is_write = false;
};

/// A tile on the MAC array [cycles].
struct ArrayWork {
  double total = 0;        ///< First operand in to last result out.
  double shadow_free = 0;  ///< From the begin until the shadow registers can be loaded.
};

/// What moves and is computed, for the energy.
struct Traffic {
  double macs = 0, vector_ops = 0, register_bytes = 0, dma_bytes = 0;
  double scratchpad_read_bytes = 0, scratchpad_write_bytes = 0;
  double accumulator_read_bytes = 0, accumulator_write_bytes = 0;
  double dram_read_bursts = 0, dram_write_bursts = 0, instructions = 0;

  /// Adds what has come since `before`, `times` over.
  void add_again(const Traffic& before, double times);
};

/// Predicts when the instructions of a tiled layer end: a recurrence over the engines, which take
/// their instructions in order and wait for what they need. Per instruction
///     begin = max(engine free, what it waits for),   end = begin + closed form of sim/timing,
/// with DRAM and the scratchpad's banks shared as step functions of time (Bookings). A descriptor:
///     set-up + latency of the first request
///       + max(bus beats, interconnect, DRAM, requests beyond max_outstanding · latency)
/// DRAM moves whole bursts at the bandwidth of a stream with refresh. Loops of equal steps are
/// followed until their iterations take equally long; the rest is added at once.
///
/// Left out: row misses and turnarounds beyond kDramShare, the order of reads and writes in the
/// controller, full queues between sequencer and engines, words of a program that fall out of the
/// fetch buffer and come back.
class Pipeline {
 public:
  enum class Channel : std::uint8_t { kLoad, kStore, kWeights };

  explicit Pipeline(const NpuConfig& config);

  /// Words that the sequencer dispatches before the instructions that follow.
  void dispatch(std::int64_t words);

  /// @return the completion; `after` is when the instruction's tokens are there. @{
  double load(Channel channel, const Transfer& transfer, Range to, double after);
  double store(const Transfer& transfer, Range from, double after);
  double preload(double cycles, const Stream& weights, double after);
  double tile(const ArrayWork& work, std::span<const Stream> scratchpad,
              std::span<const Stream> accumulator, double after);
  double vector(double busy, std::span<const Stream> scratchpad,
                std::span<const Stream> accumulator, double after);  ///< @}
  /// A streamed tile, stripe by stripe, and the vector unit's way through its positions, each of
  /// which takes `entry_cycles`. @return when the unit is done.
  double streamed(const timing::StripedTile& tile, double entry_cycles, double after);

  /// A place that remembers what it holds, when that is there, and when it may be overwritten.
  struct Slot {
    std::int64_t key = -1;
    std::uint64_t used = 0;
    double ready = 0, free = 0;
  };
  /// A buffer's slots, reused least recently used first.
  [[nodiscard]] std::size_t add_slots(int count);
  struct Claim {
    Slot* slot = nullptr;
    bool there = false;
    int index = 0;
  };
  Claim claim(std::size_t slots, std::int64_t key);

  /// Calls body(i) for i below n, or as often as it takes until it takes equally long.
  template <typename Body>
  void repeat(std::int64_t n, Body&& body) {
    double before = last_;
    double step = -1;
    int steady = 0;
    std::uint64_t since = uses_;  // Before the iterations that took equally long.
    for (std::int64_t i = 0; i < n; ++i) {
      const std::uint64_t uses = uses_;
      const Traffic traffic = traffic_;
      body(i);
      const double now = last_;
      const double took = now - before;
      if (std::abs(took - step) <= kSteady + kSteadyShare * took) {
        ++steady;
      } else {
        steady = 0;
        since = uses;
      }
      step = took;
      before = now;
      if (steady >= periods_ && i + 1 < n) {
        shift(step * static_cast<double>(n - 1 - i), since);
        traffic_.add_again(traffic, static_cast<double>(n - 1 - i));
        return;
      }
    }
  }

  /// When everything is done, DRAM included.
  [[nodiscard]] double end() const;
  [[nodiscard]] const NpuConfig& config() const { return config_; }
  [[nodiscard]] Traffic& traffic() { return traffic_; }

 private:
  static constexpr double kSteady = 0.5, kSteadyShare = 1e-4;

  struct DataTime {
    double own = 0;   ///< Cycles by bus, interconnect and requests in flight.
    double dram = 0;  ///< Cycles of all of the DRAM.
    double bursts = 0;
  };
  [[nodiscard]] DataTime data_time(const Transfer& t, bool is_write) const;
  /// A memory's ports, per bank where they are contiguous.
  struct Memory {
    const SramConfig* config;
    std::vector<Bookings> ports;
  };
  double book(Memory& memory, std::span<const Stream> streams, double start, double duration);
  double book_transfer(const Stream& stream, double start, double duration);
  /// Lets what was used after `since` happen later; the rest is over or under way as it is.
  void shift(double cycles, std::uint64_t since);
  void note(double end) { last_ = std::max(last_, end); }
  [[nodiscard]] double dram_share(std::int64_t run, std::int64_t pitch, bool is_one) const;

  const NpuConfig& config_;
  double dram_rate_;  ///< Bytes per core cycle.
  double first_latency_, next_latency_, write_latency_, write_queue_cycles_;
  double turnaround_ = 1;  ///< Of writes between reads: cycles of the DRAM per cycle of data.
  double fetch_cycles_;

  struct Engine {
    double free = 0;
    double data = 0;  ///< Channels with pipelined descriptors: when the data of all is there.
    std::uint64_t used = 0;
  };
  /// Entries of the result stream that were taken one after another.
  struct Taken {
    std::int64_t entries = 0;
    double start = 0;
  };

  std::array<Engine, 3> channels_{};
  std::uint64_t array_used_ = 0, vector_used_ = 0;
  double array_free_ = 0, array_issue_ = 0, shadow_free_ = 0, weights_ready_ = 0;
  double vector_free_ = 0, vector_end_ = 0, sequencer_ = 0, last_ = 0;
  std::array<Taken, 2> taken_{};  ///< The last stripes, the latest first.
  double last_read_ = 0;          ///< End of the last load's data.
  Bookings dram_;
  Traffic traffic_;
  Memory scratchpad_, accumulator_;
  std::vector<std::vector<Slot>> slots_;
  std::uint64_t uses_ = 0;
  int periods_ = 3;
};

}  // namespace npu::cost
