#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <systemc>
#include <vector>

#include "isa/program.h"
#include "isa/unroll.h"
#include "sim/config/npu_config.h"
#include "sim/core/execution_engine.h"
#include "sim/core/fault_slot.h"
#include "sim/core/instruction_fetch.h"
#include "sim/core/program_walk.h"
#include "sim/memory/core_clock.h"
#include "sim/stats/recorder.h"
#include "sim/stats/timeline.h"

namespace npu {

/// When the sequencer worked on a word.
struct SequencedWord {
  std::int32_t index = -1;  ///< Static.
  std::int32_t layer = -1;
  std::uint64_t fetched_cycle = 0;  ///< It was in the fetch buffer, and the sequencer there for it.
  std::uint64_t decoded_cycle = 0;
  std::uint64_t left_cycle = 0;       ///< It was in its engine's queue.
  std::optional<isa::Engine> engine;  ///< None for control words.
};

/// Fetches, unrolls hardware loops and dispatches in program order to the engines' queues.
///
/// Timing: each word, loop and halt included, takes dispatch_cycles once it is in the fetch buffer;
/// then an instruction waits for room in its engine's queue. Buckets: busy (dispatch), wait_dram
/// (word not there yet), stall_full (queue full), idle. Every word dispatched counts one
/// Event::kInstruction.
class Sequencer final : public sc_core::sc_module {
 public:
  struct Hooks {
    std::function<void()> on_dispatch;  ///< An instruction entered a queue.
    std::function<void()> on_halt;      ///< Nothing more will be dispatched.
    /// A word is done with, control words included; may be empty.
    std::function<void(const SequencedWord&)> on_word = {};
  };

  /// @param engines  one per engine the configuration has, indexed by isa::Engine.
  Sequencer(const sc_core::sc_module_name& name, const SequencerConfig& config,
            const isa::Program& program, const CoreClock& clock, InstructionFetch& fetch,
            std::vector<ExecutionEngine*> engines, Recorder& recorder, FaultSlot& fault,
            Hooks hooks);

  /// Starts the program at its first word when the simulation goes on.
  void start();

  [[nodiscard]] bool halted() const { return !running_; }
  [[nodiscard]] std::int32_t index() const { return index_; }  ///< Word being dispatched.
  /// The engine whose full queue holds dispatch up.
  [[nodiscard]] std::optional<isa::Engine> stalled_on() const { return stalled_on_; }
  [[nodiscard]] Timeline& timeline() { return timeline_; }

 private:
  void run();
  void run_program();
  void dispatch(const isa::Instruction& instruction, SequencedWord& word);

  const SequencerConfig config_;
  const isa::Program& program_;
  const CoreClock& clock_;
  InstructionFetch& fetch_;
  const std::vector<ExecutionEngine*> engines_;
  Recorder& recorder_;
  FaultSlot& fault_;
  const Hooks hooks_;
  // Members, not locals of the thread: a parked thread runs no destructors.
  std::optional<isa::Unroller> unroller_;
  std::optional<ProgramWalk> walk_;
  bool running_ = false;
  std::int32_t index_ = -1;
  std::optional<isa::Engine> stalled_on_;
  Timeline timeline_;
  sc_core::sc_event start_;
};

}  // namespace npu
