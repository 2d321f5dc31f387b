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
  };

  struct Engine {
    std::string name;
    std::uint32_t queue_depth = 0;
    std::vector<Instruction> instructions;  ///< In their order.
    PhaseLog phases;
  };

  std::uint64_t begin_cycle = 0, end_cycle = 0;
  std::vector<Word> words;
  std::vector<Engine> engines;  ///< Indexed as the bits of wait and signal.
  std::vector<PhaseLog> dram;   ///< Per channel.
};

}  // namespace npu
