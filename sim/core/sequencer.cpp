#include "sim/core/sequencer.h"

#include <utility>

#include "sim/base/error.h"

namespace npu {

Sequencer::Sequencer(const sc_core::sc_module_name& name, const SequencerConfig& config,
                     const isa::Program& program, const CoreClock& clock, InstructionFetch& fetch,
                     std::vector<ExecutionEngine*> engines, Recorder& recorder, FaultSlot& fault,
                     Hooks hooks)
    : sc_module(name),
      config_(config),
      program_(program),
      clock_(clock),
      fetch_(fetch),
      engines_(std::move(engines)),
      recorder_(recorder),
      fault_(fault),
      hooks_(std::move(hooks)) {
  SC_HAS_PROCESS(Sequencer);
  SC_THREAD(run);
}

void Sequencer::start() {
  NPU_CHECK(!running_, "the run before has not ended");
  running_ = true;
  unroller_.emplace(program_.code);
  walk_.emplace(program_.code);
  start_.notify(sc_core::SC_ZERO_TIME);
}

void Sequencer::run() {
  while (fault_.empty()) {
    if (!running_) {
      wait(start_);
      continue;
    }
    fault_.guard([this] { run_program(); });
  }
}

void Sequencer::run_program() {
  clock_.wait_until(clock_.now());
  timeline_.advance(Bucket::kIdle, clock_.now());
  fetch_.start();
  const auto capacity = static_cast<std::size_t>(config_.fetch_buffer_instructions);
  for (;; walk_->advance()) {
    const std::size_t pc = walk_->pc();
    index_ = static_cast<std::int32_t>(pc);
    fetch_.require(pc, walk_->keep_from(capacity));
    const std::uint64_t begin = clock_.now();
    timeline_.advance(Bucket::kWaitDram, begin);
    clock_.wait_until(begin + static_cast<std::uint64_t>(config_.dispatch_cycles));
    timeline_.advance(Bucket::kBusy, clock_.now());
    const std::int32_t layer = program_.layer_of[pc];
    recorder_.count(Event::kInstruction, 1, layer, begin, clock_.now());

    SequencedWord word{.index = index_,
                       .layer = layer,
                       .fetched_cycle = begin,
                       .decoded_cycle = clock_.now(),
                       .left_cycle = clock_.now(),
                       .engine = {}};
    const isa::Opcode opcode = program_.code[pc].opcode;
    if (opcode != isa::Opcode::kHalt && opcode != isa::Opcode::kLoop) {
      isa::Instruction instruction;
      std::int32_t static_index = -1;
      NPU_CHECK(unroller_->next(instruction, static_index) && static_index == index_,
                "the walk and the unroller disagree");
      dispatch(instruction, word);
    }
    if (hooks_.on_word) hooks_.on_word(word);
    if (opcode == isa::Opcode::kHalt) break;
  }
  fetch_.stop();
  running_ = false;
  hooks_.on_halt();
}

void Sequencer::dispatch(const isa::Instruction& instruction, SequencedWord& word) {
  const auto id = static_cast<std::size_t>(instruction.engine());
  NPU_CHECK(id < engines_.size(), "instruction of an engine that does not exist");
  ExecutionEngine& engine = *engines_[id];
  while (engine.full()) {
    stalled_on_ = engine.id();
    wait(engine.space_event());
    timeline_.advance(Bucket::kStallFull, clock_.now());
  }
  stalled_on_.reset();
  hooks_.on_dispatch();
  engine.push({instruction, index_, word.layer});
  word.engine = engine.id();
  word.left_cycle = clock_.now();
}

}  // namespace npu
