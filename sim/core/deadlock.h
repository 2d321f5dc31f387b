#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "isa/program.h"

namespace npu {

/// What an engine was doing when nothing could happen any more.
struct EngineState {
  isa::Engine engine = isa::Engine::kMacArray;
  std::int32_t index = -1;  ///< Static index of the instruction that waits; −1: the queue is empty.
  std::uint8_t missing = 0;  ///< Engines whose token it lacks.
  bool executing = false;    ///< An instruction never completed.
};

struct SequencerState {
  std::int32_t index = -1;  ///< Word being dispatched.
  bool halted = false;
  std::optional<isa::Engine> stalled_on;  ///< Its queue is full.
};

/// The message of a deadlock: first the wait-for cycle (or the chain that ends at somebody who will
/// never give the token), one clause per engine with instruction, mnemonic, layer and missing
/// token, then the other engines that wait.
///
/// An engine waits for the engines whose tokens it lacks; an engine with an empty queue for the
/// sequencer; the sequencer for the engine whose queue is full.
[[nodiscard]] std::string describe_deadlock(std::uint64_t cycle, const isa::Program& program,
                                            const std::vector<EngineState>& engines,
                                            const SequencerState& sequencer);

}  // namespace npu
