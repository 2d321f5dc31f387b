#include "sim/core/execution_engine.h"

#include <algorithm>
#include <utility>

#include "sim/base/error.h"

namespace npu {

ExecutionEngine::ExecutionEngine(const sc_core::sc_module_name& name, isa::Engine id,
                                 int queue_depth, const CoreClock& clock, TokenBoard& tokens,
                                 Timeline& timeline, FaultSlot& fault, Hooks hooks)
    : sc_module(name),
      id_(id),
      depth_(static_cast<std::size_t>(queue_depth)),
      clock_(clock),
      tokens_(tokens),
      timeline_(timeline),
      fault_(fault),
      hooks_(std::move(hooks)) {
  NPU_CHECK(queue_depth > 0, "queue depth");
  SC_HAS_PROCESS(ExecutionEngine);
  SC_THREAD(run);
  SC_METHOD(complete);
  sensitive << complete_event_;
  dont_initialize();
}

void ExecutionEngine::push(const Dispatched& dispatched) {
  NPU_CHECK(!full(), "push into a full queue");
  queue_.push_back(dispatched);
  arrived_.notify(sc_core::SC_ZERO_TIME);
}

void ExecutionEngine::run() {
  while (fault_.empty()) {
    if (queue_.empty()) {
      wait(arrived_);
      timeline_.advance(Bucket::kIdle, clock_.now());
      continue;
    }
    fault_.guard([this] { step(); });
  }
}

void ExecutionEngine::step() {
  while (!tokens_.take(id_, queue_.front().instruction.wait)) {
    wait(tokens_.given(id_));
    timeline_.advance(Bucket::kWaitDependency, clock_.now());
  }
  const Dispatched current = queue_.front();
  queue_.pop_front();
  executing_ = true;
  space_.notify(sc_core::SC_ZERO_TIME);

  const std::uint64_t taken = clock_.now();
  const std::uint64_t busy_before = timeline_.cycles(Bucket::kBusy);
  std::uint64_t cycle = std::max(clock_.now(), last_completion_cycle_);
  if (current.instruction.opcode != isa::Opcode::kSync) {
    const std::uint64_t end = hooks_.execute(current);
    NPU_CHECK(end >= cycle, "completion out of order or in the past");
    cycle = end;
  }
  if (hooks_.on_executed) {
    hooks_.on_executed(id_, {.taken_cycle = taken,
                             .released_cycle = clock_.now(),
                             .completed_cycle = cycle,
                             .wait = current.instruction.wait,
                             .signal = current.instruction.signal,
                             .is_sync = current.instruction.opcode == isa::Opcode::kSync});
  }
  finish_at({.cycle = cycle,
             .index = current.index,
             .layer = current.layer,
             .busy_cycles = timeline_.cycles(Bucket::kBusy) - busy_before,
             .signal = current.instruction.signal});
  executing_ = false;
}

void ExecutionEngine::finish_at(const Completion& completion) {
  last_completion_cycle_ = completion.cycle;
  completions_.push_back(completion);
  if (completion.cycle <= clock_.now()) {
    complete_due();
  } else if (completions_.size() == 1) {
    complete_event_.notify(clock_.at(completion.cycle) - sc_core::sc_time_stamp());
  }
}

void ExecutionEngine::complete() {
  fault_.guard([this] { complete_due(); });
}

void ExecutionEngine::complete_due() {
  while (!completions_.empty() && completions_.front().cycle <= clock_.now()) {
    const Completion done = completions_.front();
    completions_.pop_front();
    hooks_.on_complete(id_, done);
    tokens_.give(id_, done.signal);
  }
  if (!completions_.empty()) {
    complete_event_.notify(clock_.at(completions_.front().cycle) - sc_core::sc_time_stamp());
  }
}

}  // namespace npu
