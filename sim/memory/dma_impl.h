#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <queue>
#include <systemc>
#include <utility>
#include <vector>

#include "sim/memory/bus_timeline.h"
#include "sim/memory/dma.h"
#include "sim/memory/dma_descriptor.h"
#include "sim/memory/milestone_log.h"

namespace npu {

/// Inside of DmaChannel (dma.h): dma.cpp runs descriptors, dma_requests.cpp their requests.
struct DmaChannel::Impl {
  static constexpr std::uint64_t kCostUnit = 1024;  ///< Bus cycles per beat count in 1 / kCostUnit.

  Impl(const DmaConfig& dma, const CoreClock& core, Sram& sram, Dram& memory, Recorder& counters,
       DramClient* self, std::uint32_t own_track);

  /// A load or store of which requests are to be issued or under way.
  struct Open {
    DmaDescriptor descriptor;
    std::int32_t index, layer;
    std::uint64_t begin = 0, end = 0;  ///< Start, and last byte so far.
    std::uint64_t busy_cycles = 0;
    std::size_t requests = 0;  ///< Under way.
    bool is_issued = false, is_long_run = false;
    std::uint32_t number = 0;  ///< In the log.
    MilestoneLog::Index in_place_by = MilestoneLog::kNone;
    [[nodiscard]] bool is_load() const { return descriptor.kind == DmaDescriptor::Kind::kLoad; }
  };

  /// A request under way.
  struct Piece {
    DmaPiece piece;
    std::uint64_t descriptor = 0;  ///< Counted from the first of the run.
    std::uint64_t first_data = 0;  ///< When the first byte of a read is here.
    MilestoneLog::Index before = MilestoneLog::kNone;
    std::uint64_t offered = 0;      ///< Cycle.
    std::uint64_t held_cycles = 0;  ///< For want of a slot.
    DramDelays delays;
  };

  void check_bounds(const DmaDescriptor& d);
  void load(const DmaDescriptor& d);
  void store(const DmaDescriptor& d);
  void local(const DmaDescriptor& d);
  void count(const DmaDescriptor& d, std::int32_t of_layer, std::uint64_t begin,
             std::uint64_t end) const;
  /// @param run_bytes  of the instruction, before its dimensions are merged.
  /// @return the cycle of completion, if it is known.
  std::optional<std::uint64_t> execute(const DmaDescriptor& d, std::int64_t run_bytes,
                                       std::int32_t index, std::int32_t of_layer);
  /// Runs a load or store until all its requests are issued; not pipelined: to its end.
  std::optional<std::uint64_t> issue(const DmaDescriptor& d, bool is_long_run, std::int32_t index,
                                     std::int32_t of_layer, std::uint64_t begin,
                                     std::uint32_t number);
  /// Takes the oldest descriptor out. @return the cycle of its completion.
  std::uint64_t end_oldest();
  /// Ends the oldest descriptors that have nothing under way any more.
  void end_descriptors();
  void answered(std::uint64_t tag, std::uint64_t cycle);

  [[nodiscard]] bool offer(const DmaPiece& piece, bool is_write);
  /// @return what released the last one of those that became free, if anything is logged.
  MilestoneLog::Index release_slots();
  /// Accounts the cycles up to `until`, in which the channel had no instruction.
  void account(Bucket gap, std::uint64_t until);
  MilestoneLog::Index wait_for_progress();
  /// Waits until a slot is free for the next request.
  void wait_for_slot();
  /// Waits after a refusal until the DRAM may have room.
  void wait_for_space(bool is_write);
  /// Wakes the thread when the next slot is released, if that is known.
  void arm();
  /// Books the bus, then the scratchpad, for data of which the first byte is there in cycle `first`
  /// and the last one by `last`, as `before` let them. @return the end.
  std::uint64_t transfer(const DmaPiece& piece, bool is_write, std::uint64_t first,
                         std::uint64_t last, Open& owner, MilestoneLog::Index before,
                         const BusTimeline::Waits& waits);
  /// What held up the data of a read.
  [[nodiscard]] BusTimeline::Waits waits_of(const Piece& read);

  const CoreClock& clock;
  Sram& scratchpad;
  Dram& dram;
  Recorder& recorder;
  DramClient* const client;
  const std::uint32_t track;
  const std::uint64_t setup_cycles, read_latency, completion_cycles;
  const bool pipelined;
  const std::int64_t full_rate_run_bytes;
  const std::uint64_t long_run_beat_cost;  ///< [cycle / kCostUnit]
  const std::size_t max_outstanding;
  const RequestCutter::Widths widths;

  BusTimeline bus;
  std::uint64_t held_cycles = 0;         ///< Of the next request, for want of a slot.
  std::uint64_t interconnect_delay = 0;  ///< Of the last answer.
  std::deque<Open> open;                 ///< In order; the last one issues.
  std::uint64_t ended = 0;               ///< Descriptors taken from the front of `open`.
  std::uint64_t extra_cost = 0;          ///< Of long runs, below a cycle [cycle / kCostUnit].
  std::uint64_t last_end = 0;            ///< Latest completion that is known.
  OnComplete on_complete;
  std::uint64_t bus_free = 0;  ///< Cycle at which the last booked data has passed.
  std::size_t in_flight = 0;   ///< Requests whose slot is taken.
  /// An answered request frees its slot.
  struct Release {
    std::uint64_t cycle;
    MilestoneLog::Index milestone;
    bool operator>(const Release& other) const { return cycle > other.cycle; }
  };
  std::vector<Piece> pieces;        ///< By tag.
  std::vector<std::uint64_t> tags;  ///< Free ones.
  /// When slots of answered requests become free.
  std::priority_queue<Release, std::vector<Release>, std::greater<>> releases;
  MilestoneLog log;
  CountLog* request_log = nullptr;
  sc_core::sc_event progress;
};

}  // namespace npu
