#include <algorithm>

#include "sim/base/error.h"
#include "sim/stats/path_causes.h"
#include "sim/stats/path_walker.h"

namespace npu {
namespace {

void add(CauseCycles& cycles, Cause cause, std::uint64_t count) {
  cycles[static_cast<std::size_t>(cause)] += count;
}

}  // namespace

void PathWalker::stripes_before(std::size_t stripe, std::uint64_t cycle, CauseCycles cycles) {
  const std::vector<Schedule::Stripe>& all = engine().stripes;
  const Schedule::Instruction& tile = instruction();
  const std::size_t first = tile.first_part;
  for (std::size_t i = stripe;; --i) {
    const Schedule::Stripe& s = all[i];
    const std::uint64_t past = cycle - s.last_fold_cycle;
    const std::uint64_t busy = std::min(past, s.streamed_cycles);
    add(cycles, Cause::kBusy, busy);
    // Behind the operands of a tile's last fold only its banks keep it.
    const bool ends_tile = i + 1 == first + tile.parts;
    add(cycles, ends_tile ? Cause::kBankConflict : Cause::kFillDrain, past - busy);
    if (s.waited_cycles > 0) return place_waited_for(i, cycles);
    add(cycles, Cause::kBusy, (s.passes - 1) * s.streamed_cycles);
    add(cycles, Cause::kFillDrain, (s.passes - 1) * (s.fold_cycles - s.streamed_cycles));
    cycle = s.ready_cycle;
    if (i == first) break;
  }
  add(cycles, Cause::kFillDrain, cycle - tile.begin_cycle);
  emit_work(tile.begin_cycle, cycles);
  begun();
}

void PathWalker::place_waited_for(std::size_t stripe, CauseCycles cycles) {
  const Schedule::Stripe& s = engine().stripes[stripe];
  const std::uint64_t credit = s_.stream.credit_latency_cycles;
  const std::int64_t entry = pushed_before_[stripe] + s.entries - s_.stream.places - 1;
  if (entry < 0) {
    // Of the run before.
    add(cycles, Cause::kStreamLatency, s.last_fold_cycle - s_.begin_cycle);
    emit_work(s_.begin_cycle, cycles);
    return end_walk();
  }
  const auto after = std::upper_bound(taken_before_.begin(), taken_before_.end(), entry);
  NPU_CHECK(after != taken_before_.begin(), "a place was free that nobody freed");
  const auto take = static_cast<std::size_t>(after - taken_before_.begin()) - 1;
  const Schedule::Take& t = s_.engines[consumer_].takes[take];
  const std::uint64_t freed =
      t.start_cycle + static_cast<std::uint64_t>(entry + 1 - taken_before_[take]) * t.cost_cycles;
  NPU_CHECK(freed + credit == s.last_fold_cycle, "a stripe waited for another place");
  add(cycles, Cause::kStreamLatency, credit);
  emit_work(freed, cycles);
  note(Handover::kStream);
  part_ = take;
  go(Point::kTake, consumer_, t.instruction);
}

void PathWalker::takes_before(std::size_t take, std::uint64_t cycle, CauseCycles cycles) {
  const Schedule::Take& t = engine().takes[take];
  const Schedule::Instruction& in = instruction();
  const std::uint64_t end = t.start_cycle + static_cast<std::uint64_t>(t.entries) * t.cost_cycles;
  if (cycle > end) {
    add(cycles, Cause::kBankConflict, cycle - end);
    cycle = end;
  }
  add(cycles, Cause::kBusy, cycle - t.start_cycle);
  // Takes of one instruction lie apart: the unit waited between them.
  if (take > in.first_part || t.start_cycle > in.begin_cycle) return sums_waited_for(take, cycles);
  emit_work(in.begin_cycle, cycles);
  begun();
}

void PathWalker::sums_waited_for(std::size_t take, CauseCycles cycles) {
  const Schedule::Take& t = engine().takes[take];
  const auto after =
      std::upper_bound(pushed_before_.begin(), pushed_before_.end(), taken_before_[take]);
  NPU_CHECK(after != pushed_before_.begin(), "sums were taken that nobody pushed");
  const auto stripe = static_cast<std::size_t>(after - pushed_before_.begin()) - 1;
  const Schedule::Stripe& s = s_.engines[producer_].stripes[stripe];
  const std::uint64_t last_mac = s.last_fold_cycle + s.streamed_cycles - 1;
  NPU_CHECK(last_mac + s_.stream.latency_cycles == t.start_cycle,
            "the vector unit waited for other sums");
  add(cycles, Cause::kStreamLatency, s_.stream.latency_cycles);
  emit_work(last_mac, cycles);
  note(Handover::kStream);
  part_ = stripe;
  go(Point::kStripe, producer_, s.instruction);
}

void PathWalker::milestones_before(std::int32_t milestone, std::uint64_t cycle,
                                   CauseCycles cycles) {
  const Schedule::ChannelLog& log = engine().channel;
  for (;;) {
    const bool is_taken = milestone == Schedule::kNone;
    const Schedule::Milestone from = is_taken
                                         ? Schedule::Milestone{.cycle = instruction().taken_cycle}
                                         : log.milestones[static_cast<std::size_t>(milestone)];
    NPU_CHECK(from.cycle <= cycle, "a milestone lies before its cause");
    if (from.cycle < cycle) {
      add_unit_phases(engine().phases, s_.dram, from.cycle, cycle, cycles);
      cycle = from.cycle;
    }
    if (is_taken) {
      emit_work(cycle, cycles);
      return go(Point::kTaken, engine_, position_);
    }
    if (const std::uint32_t position = log.descriptors[from.descriptor].instruction;
        position != position_) {
      emit_work(cycle, cycles);
      note(Handover::kOrder);
      position_ = position;
      cycles = {};
    }
    milestone = from.before;
  }
}

}  // namespace npu
