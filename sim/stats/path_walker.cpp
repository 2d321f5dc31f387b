#include "sim/stats/path_walker.h"

#include <algorithm>
#include <utility>

#include "sim/base/error.h"
#include "sim/stats/path_causes.h"

namespace npu {
namespace {

/// Entries before each part.
template <typename Part>
std::vector<std::int64_t> entries_before(const std::vector<Part>& parts) {
  std::vector<std::int64_t> before;
  before.reserve(parts.size());
  std::int64_t sum = 0;
  for (const Part& part : parts) {
    before.push_back(sum);
    sum += part.entries;
  }
  return before;
}

}  // namespace

PathWalker::PathWalker(const Schedule& schedule) : s_(schedule), givers_(match_tokens(schedule)) {
  for (std::size_t e = 0; e < s_.engines.size(); ++e) {
    const Schedule::Engine& engine = s_.engines[e];
    path_.units.push_back(engine.name);
    if (!engine.stripes.empty()) {
      producer_ = e;
      pushed_before_ = entries_before(engine.stripes);
    }
    if (!engine.takes.empty()) {
      consumer_ = e;
      taken_before_ = entries_before(engine.takes);
    }
  }
  path_.units.emplace_back("sequencer");
  path_.begin_cycle = s_.begin_cycle;
  path_.end_cycle = cursor_ = s_.end_cycle;
}

CriticalPath PathWalker::walk() {
  start_at_the_end();
  while (cursor_ > s_.begin_cycle || !at_start_) step();
  std::reverse(path_.steps.begin(), path_.steps.end());
  path_.check();
  return std::move(path_);
}

void PathWalker::start_at_the_end() {
  NPU_CHECK(!s_.words.empty(), "a run has at least its halt");
  std::uint64_t last = s_.words.back().left_cycle;
  go(Point::kWordLeft, 0, s_.words.size() - 1);
  for (std::size_t e = 0; e < s_.engines.size(); ++e) {
    const auto& instructions = s_.engines[e].instructions;
    if (instructions.empty() || instructions.back().completed_cycle < last) continue;
    last = instructions.back().completed_cycle;
    go(Point::kCompleted, e, instructions.size() - 1);
  }
  if (last < cursor_) {
    PathStep tail = step_of(sequencer(), last, -1, -1);
    tail.cycles[static_cast<std::size_t>(Cause::kTail)] = cursor_ - last;
    emit(tail);
  }
  handover_ = Handover::kOrder;
}

void PathWalker::step() {
  switch (point_) {
    case Point::kCompleted:
      return completed();
    case Point::kReleased:
      return released();
    case Point::kWorked:
      return worked();
    case Point::kTaken:
      return taken();
    case Point::kWordLeft:
      return word_left();
    case Point::kStripe:
      return stripes_before(part_, cursor_, {});
    case Point::kTake:
      return takes_before(part_, cursor_, {});
  }
}

void PathWalker::completed() {
  const Schedule::Instruction& i = instruction();
  NPU_CHECK(i.completed_cycle == cursor_, "a step of the path ends elsewhere");
  if (i.end_cycle == i.completed_cycle) return worked();
  // Complete with the one before it.
  NPU_CHECK(position_ > 0, "an instruction that completes after its end has one before it");
  go(Point::kCompleted, engine_, position_ - 1);
}

void PathWalker::released() {
  const Schedule::Instruction& i = instruction();
  NPU_CHECK(i.released_cycle == cursor_, "a step of the path ends elsewhere");
  const auto& descriptors = engine().channel.descriptors;
  worked(i.parts > 0 && !descriptors.empty() ? descriptors[i.first_part].released_by
                                             : Schedule::kNone);
}

void PathWalker::worked() {
  const Schedule::Instruction& i = instruction();
  const auto& descriptors = engine().channel.descriptors;
  worked(i.parts > 0 && !descriptors.empty() ? descriptors[i.first_part].in_place_by
                                             : Schedule::kNone);
}

void PathWalker::worked(std::int32_t milestone) {
  const Schedule::Instruction& i = instruction();
  CauseCycles cycles{};
  std::uint64_t cycle = cursor_;
  const std::uint64_t own_end = std::max(i.end_cycle - i.drain_cycles, i.begin_cycle);
  if (cycle > own_end) {
    cycles[static_cast<std::size_t>(Cause::kFillDrain)] = cycle - own_end;
    cycle = own_end;
  }
  if (i.parts > 0) {
    const std::size_t last = std::size_t{i.first_part} + i.parts - 1;
    if (!engine().stripes.empty()) return stripes_before(last, cycle, cycles);
    if (!engine().takes.empty()) return takes_before(last, cycle, cycles);
    return milestones_before(milestone, cycle, cycles);
  }
  if (i.begin_cycle < cycle) {
    add_unit_phases(engine().phases, s_.dram, i.begin_cycle, cycle, cycles);
  }
  emit_work(i.begin_cycle, cycles);
  begun();
}

void PathWalker::begun() {
  const Schedule::Instruction& i = instruction();
  NPU_CHECK(i.begin_cycle == cursor_, "a step of the path begins elsewhere");
  if (i.begin_cycle == i.taken_cycle) return go(Point::kTaken, engine_, position_);
  // Taken, but the unit was still with an instruction before it.
  for (std::size_t k = position_; k-- > 0;) {
    if (engine().instructions[k].end_cycle != cursor_) continue;
    note(Handover::kOrder);
    return go(Point::kWorked, engine_, k);
  }
  NPU_CHECK(false, "an instruction began when nothing let it");
}

void PathWalker::taken() {
  const Schedule::Instruction& i = instruction();
  NPU_CHECK(i.taken_cycle == cursor_, "a step of the path ends elsewhere");
  if (position_ > 0 && engine().instructions[position_ - 1].released_cycle == cursor_) {
    note(Handover::kOrder);
    return go(Point::kReleased, engine_, position_ - 1);
  }
  const TokenGiver& giver = givers_[engine_][position_];
  if (giver.engine != Schedule::kNone) {
    const auto from = static_cast<std::size_t>(giver.engine);
    if (s_.engines[from].instructions[giver.position].completed_cycle == cursor_) {
      note(Handover::kToken);
      return go(Point::kCompleted, from, giver.position);
    }
  }
  NPU_CHECK(word_of(i).left_cycle == cursor_, "an instruction was taken when nothing let it");
  note(Handover::kDispatch);
  go(Point::kWordLeft, 0, i.word);
}

void PathWalker::word_left() {
  const Schedule::Word& word = s_.words[position_];
  NPU_CHECK(word.left_cycle == cursor_, "a step of the path ends elsewhere");
  if (word.left_cycle > word.decoded_cycle) {
    const auto engine = static_cast<std::size_t>(word.engine);
    const std::uint32_t depth = s_.engines.at(engine).queue_depth;
    NPU_CHECK(word.position >= depth, "a queue was full before it was filled");
    note(Handover::kQueueFull);
    return go(Point::kTaken, engine, word.position - depth);
  }
  const std::uint64_t before = position_ == 0 ? s_.begin_cycle : s_.words[position_ - 1].left_cycle;
  if (before < cursor_) {
    PathStep step = step_of(sequencer(), before, word.layer, word.index);
    step.cycles[static_cast<std::size_t>(Cause::kFetch)] = word.fetched_cycle - before;
    step.cycles[static_cast<std::size_t>(Cause::kDispatch)] = cursor_ - word.fetched_cycle;
    emit(step);
  }
  if (position_ == 0) return end_walk();
  note(Handover::kOrder);
  go(Point::kWordLeft, 0, position_ - 1);
}

void PathWalker::end_walk() {
  at_start_ = true;
  if (!path_.steps.empty()) path_.steps.back().handover = Handover::kStart;
}

PathStep PathWalker::step_of(std::uint32_t unit, std::uint64_t begin, std::int32_t layer,
                             std::int32_t instruction) const {
  return {.begin_cycle = begin,
          .end_cycle = cursor_,
          .unit = unit,
          .layer = layer,
          .instruction = instruction};
}

void PathWalker::emit_work(std::uint64_t begin, const CauseCycles& cycles) {
  if (begin == cursor_) return;
  const Schedule::Word& word = word_of(instruction());
  PathStep step = step_of(static_cast<std::uint32_t>(engine_), begin, word.layer, word.index);
  step.cycles = cycles;
  emit(step);
}

void PathWalker::emit(const PathStep& step) {
  const auto tail = static_cast<std::size_t>(Cause::kTail);
  PathStep* next = path_.steps.empty() ? nullptr : &path_.steps.back();
  if (next != nullptr && next->unit == sequencer() && step.unit == sequencer() &&
      next->layer == step.layer && next->cycles[tail] == 0) {
    // One step for all words in a row.
    next->begin_cycle = step.begin_cycle;
    next->instruction = step.instruction;
    for (std::size_t c = 0; c < kCauseCount; ++c) next->cycles[c] += step.cycles[c];
  } else {
    path_.steps.push_back(step);
  }
  cursor_ = step.begin_cycle;
  handover_ = Handover::kOrder;
}

void PathWalker::note(Handover handover) {
  if (path_.steps.empty()) return;
  if (handover_ == Handover::kOrder) handover_ = handover;
  path_.steps.back().handover = handover_;
}

void PathWalker::go(Point point, std::size_t engine, std::size_t position) {
  point_ = point;
  engine_ = engine;
  position_ = position;
}

}  // namespace npu
