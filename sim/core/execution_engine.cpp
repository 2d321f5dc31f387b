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
  if (queue_log_ != nullptr) queue_log_->add(clock_.now(), 1);
  arrived_.notify(sc_core::SC_ZERO_TIME);
}

void ExecutionEngine::run() {
  while (fault_.empty()) {
    if (queue_.empty()) {
      wait(arrived_);
      account(Bucket::kIdle);
      continue;
    }
    fault_.guard([this] { step(); });
  }
}

void ExecutionEngine::account(Bucket bucket) {
  if (hooks_.account) {
    hooks_.account(bucket, clock_.now());
  } else {
    timeline_.advance(bucket, clock_.now());
  }
}

void ExecutionEngine::step() {
  while (!tokens_.take(id_, queue_.front().instruction.wait)) {
    wait(tokens_.given(id_));
    account(Bucket::kWaitDependency);
  }
  const Dispatched current = queue_.front();
  queue_.pop_front();
  if (queue_log_ != nullptr) queue_log_->add(clock_.now(), -1);
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
    const Execution execution{.taken_cycle = taken,
                              .released_cycle = clock_.now(),
                              .completed_cycle = cycle,
                              .wait = current.instruction.wait,
                              .signal = current.instruction.signal,
                              .is_sync = current.instruction.opcode == isa::Opcode::kSync};
    // In order, so what follows a pending one waits for it.
    if (cycle == kPending || !untold_.empty()) {
      untold_.push_back(execution);
    } else {
      hooks_.on_executed(id_, execution);
    }
  }
  finish_at({.cycle = cycle,
             .index = current.index,
             .layer = current.layer,
             .busy_cycles = timeline_.cycles(Bucket::kBusy) - busy_before,
             .signal = current.instruction.signal});
  executing_ = false;
}

void ExecutionEngine::finish_at(const Completion& completion) {
  if (completion.cycle != kPending) last_completion_cycle_ = completion.cycle;
  completions_.push_back(completion);
  if (completions_.front().cycle <= clock_.now()) {
    complete_due();
  } else if (completions_.size() == 1) {
    arm();
  }
}

void ExecutionEngine::resolve(std::uint64_t cycle, std::uint64_t busy_cycles) {
  const auto pending = std::ranges::find(completions_, kPending, &Completion::cycle);
  NPU_CHECK(pending != completions_.end() && cycle != kPending, "nothing to resolve");
  pending->cycle = cycle;
  pending->busy_cycles = busy_cycles;
  last_completion_cycle_ = std::max(last_completion_cycle_, cycle);
  if (pending == completions_.begin()) arm();
}

void ExecutionEngine::arm() {
  if (completions_.empty() || completions_.front().cycle == kPending) return;
  const sc_core::sc_time at = clock_.at(completions_.front().cycle);
  const sc_core::sc_time& now = sc_core::sc_time_stamp();
  complete_event_.notify(at > now ? at - now : sc_core::SC_ZERO_TIME);
}

void ExecutionEngine::complete() {
  fault_.guard([this] { complete_due(); });
}

void ExecutionEngine::complete_due() {
  while (!completions_.empty() && completions_.front().cycle <= clock_.now()) {
    Completion done = completions_.front();
    completions_.pop_front();
    done.cycle = last_done_cycle_ = std::max(done.cycle, last_done_cycle_);
    if (untold_.size() > completions_.size()) {
      untold_.front().completed_cycle = done.cycle;
      hooks_.on_executed(id_, untold_.front());
      untold_.pop_front();
    }
    hooks_.on_complete(id_, done);
    tokens_.give(id_, done.signal);
  }
  arm();
}

}  // namespace npu
