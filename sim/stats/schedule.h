#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/stats/timeline.h"

namespace npu {

/// When everything in one run of the machine happened, in absolute core cycles. Recorded on request
/// (MachineOptions::record_schedule); the critical path is found in it.
struct Schedule {
  static constexpr std::int32_t kNone = -1;

  /// A word that the sequencer worked on, control words included, in their order.
  struct Word {
    std::int32_t index = -1;  ///< Static, in the program.
    std::int32_t layer = -1;
    std::uint64_t fetched_cycle = 0;  ///< In the fetch buffer, and the sequencer there for it.
    std::uint64_t decoded_cycle = 0;
    std::uint64_t left_cycle = 0;  ///< In its engine's queue; decoded_cycle for control words.
    std::int32_t engine = kNone;   ///< Index into engines; kNone for control words.
    std::uint32_t position = 0;    ///< Index into the engine's instructions.
  };

  /// A stripe of a streamed tile. Its folds before the last one follow each other from ready_cycle
  /// on; the last one starts waited_cycles behind them, for want of places in the result stream.
  struct Stripe {
    std::uint32_t instruction = 0;  ///< Index into the engine's instructions.
    std::uint64_t ready_cycle = 0, last_fold_cycle = 0, waited_cycles = 0;
    std::uint64_t passes = 0;           ///< Folds.
    std::uint64_t streamed_cycles = 0;  ///< Of a fold, in which it multiplies.
    std::uint64_t fold_cycles = 0;      ///< Of a fold, until the next one can start.
    std::int64_t entries = 0;           ///< Of the result stream.
  };

  /// Entries of the result stream that the vector unit took one after another: entry i (from 0) at
  /// start_cycle + (i + 1) · cost_cycles.
  struct Take {
    std::uint32_t instruction = 0;
    std::int64_t entries = 0;
    std::uint64_t start_cycle = 0, cost_cycles = 0;
  };

  /// An instant in a DMA channel whose descriptors overlap: data has passed, a request is answered.
  struct Milestone {
    std::uint64_t cycle = 0;
    std::uint32_t descriptor = 0;
    /// The milestone from which on nothing held it up but its own work; kNone: its descriptor was
    /// taken then.
    std::int32_t before = kNone;
  };
  struct Descriptor {
    std::uint32_t instruction = 0;  ///< Index into the engine's instructions.
    std::uint64_t end_cycle = 0;    ///< Complete, were it alone: in_place_by and completion.
    std::uint64_t completion_cycles = 0;
    std::int32_t in_place_by = kNone;  ///< The milestone of its last byte; kNone: it has none.
    std::int32_t released_by = kNone;  ///< After which its last request could be issued.
  };
  struct ChannelLog {
    std::vector<Milestone> milestones;
    std::vector<Descriptor> descriptors;  ///< Of the engine's instructions that are not sync.
  };

  /// The result stream: places, last MAC to first entry, entry taken to place free.
  struct Stream {
    std::int64_t places = 0;
    std::uint64_t latency_cycles = 0, credit_latency_cycles = 0;
  };

  /// An instruction that an engine executed.
  struct Instruction {
    std::uint32_t word = 0;             ///< Index into words.
    std::uint8_t wait = 0, signal = 0;  ///< Engines whose token it took, and to which it gave one.
    std::uint64_t taken_cycle = 0;      ///< Left the queue: engine free and tokens there.
    std::uint64_t begin_cycle = 0;      ///< The unit works on it …
    std::uint64_t end_cycle = 0;        ///< … until here.
    std::uint64_t released_cycle = 0;   ///< The engine looks at the next one.
    std::uint64_t completed_cycle =
        0;  ///< Its tokens are given; not before those of the one before.
    /// At its end: its results are under way, and the unit's phases may be those of the next one.
    std::uint64_t drain_cycles = 0;
    std::uint32_t first_part = 0, parts = 0;  ///< Its stripes, takes or descriptor.
  };

  struct Engine {
    std::string name;
    std::uint32_t queue_depth = 0;
    std::vector<Instruction> instructions;  ///< In their order.
    PhaseLog phases;
    std::vector<Stripe> stripes;  ///< Of streamed tiles, in the order of the stream.
    std::vector<Take> takes;      ///< Of streamed instructions, in the order of the stream.
    ChannelLog channel;           ///< Of a channel with pipelined descriptors.
  };

  std::uint64_t begin_cycle = 0, end_cycle = 0;
  std::vector<Word> words;
  std::vector<Engine> engines;  ///< Indexed as the bits of wait and signal.
  std::vector<PhaseLog> dram;   ///< Per channel.
  Stream stream;
};

}  // namespace npu
