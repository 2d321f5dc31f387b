#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <systemc>

#include "isa/instructions.h"
#include "sim/core/fault_slot.h"
#include "sim/core/token_board.h"
#include "sim/memory/core_clock.h"
#include "sim/stats/activity_log.h"
#include "sim/stats/timeline.h"

namespace npu {

/// A dispatched dynamic instruction.
struct Dispatched {
  isa::Instruction instruction;
  std::int32_t index = -1;  ///< Static.
  std::int32_t layer = -1;
};

/// What a unit has done when an instruction completes.
struct Completion {
  std::uint64_t cycle = 0;
  std::int32_t index = -1, layer = -1;
  std::uint64_t busy_cycles = 0;  ///< Bucket::kBusy of the unit due to this instruction.
  std::uint8_t signal = 0;
};

/// When an engine worked on an instruction.
struct Execution {
  std::uint64_t taken_cycle = 0;      ///< Left the queue.
  std::uint64_t released_cycle = 0;   ///< The engine looks at the next one.
  std::uint64_t completed_cycle = 0;  ///< As Completion::cycle; may lie ahead.
  std::uint8_t wait = 0, signal = 0;
  bool is_sync = false;
};

/// The in-order queue of one unit (MAC array, vector unit, a DMA channel) and what takes from it.
///
/// The oldest instruction leaves the queue when it holds a token of every engine in its wait mask;
/// the unit then executes it. Its tokens are given in the cycle in which it completes, which for a
/// pipelined unit lies after the start of the next instruction; completions stay in order. `sync`
/// executes in no time and completes with the instruction before it. Taking from the queue costs no
/// cycle.
///
/// Accounts in the unit's timeline: no instruction: idle; missing token: wait_dependency.
class ExecutionEngine final : public sc_core::sc_module {
 public:
  /// An execution whose end is not known yet; resolve() will tell it.
  static constexpr std::uint64_t kPending = std::numeric_limits<std::uint64_t>::max();
  /// Executes in the unit and returns the completion cycle, ≥ now and never decreasing, or
  /// kPending.
  using Execute = std::function<std::uint64_t(const Dispatched&)>;
  /// Called in the completion cycle before the tokens are given.
  using OnComplete = std::function<void(isa::Engine, const Completion&)>;

  /// Called when the engine goes on to the next instruction; may be empty.
  using OnExecuted = std::function<void(isa::Engine, const Execution&)>;

  struct Hooks {
    Execute execute;
    OnComplete on_complete;
    OnExecuted on_executed = {};
    /// Accounts the unit's cycles up to one in which the engine waited; empty: in the timeline.
    std::function<void(Bucket, std::uint64_t)> account = {};
  };

  ExecutionEngine(const sc_core::sc_module_name& name, isa::Engine id, int queue_depth,
                  const CoreClock& clock, TokenBoard& tokens, Timeline& timeline, FaultSlot& fault,
                  Hooks hooks);

  [[nodiscard]] isa::Engine id() const { return id_; }
  [[nodiscard]] bool full() const { return queue_.size() >= depth_; }
  /// Queues an instruction; the queue must not be full.
  void push(const Dispatched& dispatched);
  /// The oldest execution that is pending completes at `cycle` after `busy_cycles` of work, or with
  /// the instruction before it if that is later.
  void resolve(std::uint64_t cycle, std::uint64_t busy_cycles);
  /// From now on the queue's changes go into `log`, which must outlive this.
  void watch_queue(CountLog* log) { queue_log_ = log; }
  /// Fires when an instruction leaves the queue.
  [[nodiscard]] const sc_core::sc_event& space_event() const { return space_; }

  /// Nothing queued, executing or yet to complete.
  [[nodiscard]] bool drained() const {
    return queue_.empty() && !executing_ && completions_.empty();
  }
  [[nodiscard]] bool executing() const { return executing_ || !completions_.empty(); }
  /// The oldest instruction in the queue; null when empty.
  [[nodiscard]] const Dispatched* head() const {
    return queue_.empty() ? nullptr : &queue_.front();
  }
  [[nodiscard]] std::size_t queued() const { return queue_.size(); }

 private:
  void run();
  void step();
  void complete();
  void complete_due();
  void finish_at(const Completion& completion);
  void arm();
  void account(Bucket bucket);

  const isa::Engine id_;
  const std::size_t depth_;
  const CoreClock& clock_;
  TokenBoard& tokens_;
  Timeline& timeline_;
  FaultSlot& fault_;
  const Hooks hooks_;
  std::deque<Dispatched> queue_;
  CountLog* queue_log_ = nullptr;
  std::deque<Completion> completions_;  ///< Executed, not complete yet.
  bool executing_ = false;
  /// Of the newest of completions_, as long as one of them is or was pending.
  std::deque<Execution> untold_;
  std::uint64_t last_completion_cycle_ = 0;  ///< Of those that are known.
  std::uint64_t last_done_cycle_ = 0;
  sc_core::sc_event arrived_, space_, complete_event_;
};

}  // namespace npu
