#include "sim/stats/critical_path.h"

#include <algorithm>
#include <deque>
#include <limits>
#include <utility>

#include "sim/base/error.h"

namespace npu {
namespace {

constexpr std::array<std::string_view, kCauseCount> kCauseNames = {
    "busy",    "fill_drain", "bank_conflict", "dram_bandwidth", "dram_latency", "row_miss",
    "refresh", "queue_full", "dispatch",      "fetch",          "tail"};
constexpr std::array<std::string_view, kHandoverCount> kHandoverNames = {"start", "order", "token",
                                                                         "dispatch", "queue_full"};

/// The first phase that reaches beyond `cycle`.
std::size_t phase_at(const PhaseLog& log, std::uint64_t cycle) {
  const auto at = std::upper_bound(
      log.phases.begin(), log.phases.end(), cycle,
      [](std::uint64_t c, const PhaseLog::Phase& phase) { return c < phase.until_cycle; });
  return static_cast<std::size_t>(at - log.phases.begin());
}

/// What a channel waits for while DRAM is in this phase; `otherwise` where DRAM does none of it.
Cause cause_in_dram(Bucket bucket, Cause otherwise) {
  switch (bucket) {
    case Bucket::kBusy:
      return Cause::kDramBandwidth;
    case Bucket::kRefresh:
      return Cause::kRefresh;
    case Bucket::kRowMiss:
      return Cause::kRowMiss;
    default:
      return otherwise;
  }
}

/// Which of the DRAM channels' causes counts where they differ.
int rank_of(Cause cause) {
  switch (cause) {
    case Cause::kDramBandwidth:
      return 3;
    case Cause::kRefresh:
      return 2;
    case Cause::kRowMiss:
      return 1;
    default:
      return 0;
  }
}

/// Splits [begin, end) by what the DRAM does in it.
void add_dram(const std::vector<PhaseLog>& channels, Cause otherwise, std::uint64_t begin,
              std::uint64_t end, CauseCycles& cycles) {
  for (std::uint64_t at = begin; at < end;) {
    std::uint64_t until = end;
    Cause cause = otherwise;
    for (const PhaseLog& log : channels) {
      const std::size_t i = phase_at(log, at);
      if (i == log.phases.size()) continue;
      until = std::min(until, log.phases[i].until_cycle);
      const Cause here = cause_in_dram(log.phases[i].bucket, otherwise);
      if (rank_of(here) > rank_of(cause)) cause = here;
    }
    cycles[static_cast<std::size_t>(cause)] += until - at;
    at = until;
  }
}

/// Where an instruction's tokens were from.
struct TokenGiver {
  std::int32_t engine = Schedule::kNone;
  std::size_t position = 0;
};

class Walker {
 public:
  explicit Walker(const Schedule& schedule) : s_(schedule) {
    for (const Schedule::Engine& engine : s_.engines) path_.units.push_back(engine.name);
    path_.units.emplace_back("sequencer");
    path_.begin_cycle = s_.begin_cycle;
    path_.end_cycle = cursor_ = s_.end_cycle;
    match_tokens();
  }

  CriticalPath walk() {
    start_at_the_end();
    while (cursor_ > s_.begin_cycle || !at_start_) step();
    std::reverse(path_.steps.begin(), path_.steps.end());
    path_.check();
    return std::move(path_);
  }

 private:
  /// A point of the walk; its cycle is the cursor.
  enum class Point : std::uint8_t { kCompleted, kReleased, kTaken, kWordLeft };

  /// The n-th token from one engine to another is the n-th that the other takes of it.
  void match_tokens() {
    const std::size_t n = s_.engines.size();
    std::vector<std::deque<std::uint32_t>> given(n * n);
    for (std::size_t from = 0; from < n; ++from) {
      const auto& instructions = s_.engines[from].instructions;
      for (std::uint32_t k = 0; k < instructions.size(); ++k) {
        for (std::size_t to = 0; to < n; ++to) {
          if ((instructions[k].signal >> to & 1U) != 0) given[from * n + to].push_back(k);
        }
      }
    }
    givers_.resize(n);
    for (std::size_t to = 0; to < n; ++to) {
      const auto& instructions = s_.engines[to].instructions;
      givers_[to].resize(instructions.size());
      for (std::size_t k = 0; k < instructions.size(); ++k) {
        std::uint64_t latest = 0;
        for (std::size_t from = 0; from < n; ++from) {
          if ((instructions[k].wait >> from & 1U) == 0) continue;
          std::deque<std::uint32_t>& tokens = given[from * n + to];
          NPU_CHECK(!tokens.empty(), "a token was taken that nobody gave");
          const std::uint32_t giver = tokens.front();
          tokens.pop_front();
          const std::uint64_t cycle = s_.engines[from].instructions[giver].completed_cycle;
          if (givers_[to][k].engine == Schedule::kNone || cycle > latest) {
            latest = cycle;
            givers_[to][k] = {static_cast<std::int32_t>(from), giver};
          }
        }
      }
    }
  }

  void start_at_the_end() {
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

  void step() {
    switch (point_) {
      case Point::kCompleted:
        return completed();
      case Point::kReleased:
        return released();
      case Point::kTaken:
        return taken();
      case Point::kWordLeft:
        return word_left();
    }
  }

  void completed() {
    const Schedule::Instruction& i = instruction();
    NPU_CHECK(i.completed_cycle == cursor_, "a step of the path ends elsewhere");
    if (i.end_cycle == i.completed_cycle) return worked();
    // Complete with the one before it.
    NPU_CHECK(position_ > 0, "an instruction that completes after its end has one before it");
    go(Point::kCompleted, engine_, position_ - 1);
  }

  void released() {
    NPU_CHECK(instruction().released_cycle == cursor_, "a step of the path ends elsewhere");
    worked();
  }

  /// The unit's work on the instruction up to the cursor, then what its begin waited for.
  void worked() {
    const Schedule::Instruction& i = instruction();
    if (i.begin_cycle < cursor_) {
      PathStep step = step_of(static_cast<std::uint32_t>(engine_), i.begin_cycle, word_of(i).layer,
                              word_of(i).index);
      add_unit_phases(s_.engines[engine_].phases, i.begin_cycle, cursor_, step.cycles);
      emit(step);
    }
    if (i.begin_cycle == i.taken_cycle) return go(Point::kTaken, engine_, position_);
    // Taken, but the unit was still with an instruction before it.
    for (std::size_t k = position_; k-- > 0;) {
      if (s_.engines[engine_].instructions[k].end_cycle != cursor_) continue;
      note(Handover::kOrder);
      position_ = k;
      return worked();
    }
    NPU_CHECK(false, "an instruction began when nothing let it");
  }

  void taken() {
    const Schedule::Instruction& i = instruction();
    NPU_CHECK(i.taken_cycle == cursor_, "a step of the path ends elsewhere");
    if (position_ > 0 &&
        s_.engines[engine_].instructions[position_ - 1].released_cycle == cursor_) {
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

  void word_left() {
    const Schedule::Word& word = s_.words[position_];
    NPU_CHECK(word.left_cycle == cursor_, "a step of the path ends elsewhere");
    if (word.left_cycle > word.decoded_cycle) {
      const auto engine = static_cast<std::size_t>(word.engine);
      const std::uint32_t depth = s_.engines.at(engine).queue_depth;
      NPU_CHECK(word.position >= depth, "a queue was full before it was filled");
      note(Handover::kQueueFull);
      return go(Point::kTaken, engine, word.position - depth);
    }
    const std::uint64_t before =
        position_ == 0 ? s_.begin_cycle : s_.words[position_ - 1].left_cycle;
    if (before < cursor_) {
      PathStep step = step_of(sequencer(), before, word.layer, word.index);
      step.cycles[static_cast<std::size_t>(Cause::kFetch)] = word.fetched_cycle - before;
      step.cycles[static_cast<std::size_t>(Cause::kDispatch)] = cursor_ - word.fetched_cycle;
      emit(step);
    }
    if (position_ == 0) {
      at_start_ = true;
      if (!path_.steps.empty()) path_.steps.back().handover = Handover::kStart;
      return;
    }
    note(Handover::kOrder);
    go(Point::kWordLeft, 0, position_ - 1);
  }

  void add_unit_phases(const PhaseLog& log, std::uint64_t begin, std::uint64_t end,
                       CauseCycles& cycles) const {
    std::uint64_t at = begin;
    for (std::size_t i = phase_at(log, at); at < end; ++i) {
      NPU_CHECK(i < log.phases.size(), "a unit worked without accounting it");
      const std::uint64_t until = std::min(end, log.phases[i].until_cycle);
      const auto add = [&](Cause cause) { cycles[static_cast<std::size_t>(cause)] += until - at; };
      switch (log.phases[i].bucket) {
        case Bucket::kBusy:
          add(Cause::kBusy);
          break;
        case Bucket::kFillDrain:
          add(Cause::kFillDrain);
          break;
        case Bucket::kWaitBank:
          add(Cause::kBankConflict);
          break;
        case Bucket::kStallFull:
          add_dram(s_.dram, Cause::kQueueFull, at, until, cycles);
          break;
        case Bucket::kWaitDram:
          add_dram(s_.dram, Cause::kDramLatency, at, until, cycles);
          break;
        default:
          fail(
              "the critical path of this run is not modelled: its units overlap without tokens "
              "(result stream, pipelined descriptors or vector unit)");
      }
      at = until;
    }
  }

  [[nodiscard]] std::uint32_t sequencer() const {
    return static_cast<std::uint32_t>(s_.engines.size());
  }
  [[nodiscard]] const Schedule::Instruction& instruction() const {
    return s_.engines[engine_].instructions[position_];
  }
  [[nodiscard]] const Schedule::Word& word_of(const Schedule::Instruction& i) const {
    return s_.words[i.word];
  }
  [[nodiscard]] PathStep step_of(std::uint32_t unit, std::uint64_t begin, std::int32_t layer,
                                 std::int32_t instruction) const {
    return {.begin_cycle = begin,
            .end_cycle = cursor_,
            .unit = unit,
            .layer = layer,
            .instruction = instruction};
  }
  void emit(const PathStep& step) {
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
  /// How the step that was emitted last got its go. Of several at one instant the one that is not
  /// mere order counts, the first of these.
  void note(Handover handover) {
    if (path_.steps.empty()) return;
    if (handover_ == Handover::kOrder) handover_ = handover;
    path_.steps.back().handover = handover_;
  }
  void go(Point point, std::size_t engine, std::size_t position) {
    point_ = point;
    engine_ = engine;
    position_ = position;
  }

  const Schedule& s_;
  CriticalPath path_;
  std::uint64_t cursor_ = 0;
  bool at_start_ = false;
  Point point_ = Point::kWordLeft;
  std::size_t engine_ = 0;    ///< Of an instruction.
  std::size_t position_ = 0;  ///< Of an instruction in its engine, or of a word.
  Handover handover_ = Handover::kOrder;
  std::vector<std::vector<TokenGiver>> givers_;  ///< [engine][position]: the last token's.
};

}  // namespace

std::string_view name_of(Cause cause) { return kCauseNames[static_cast<std::size_t>(cause)]; }

std::string_view name_of(Handover handover) {
  return kHandoverNames[static_cast<std::size_t>(handover)];
}

void CriticalPath::check() const {
  std::uint64_t at = begin_cycle;
  for (const PathStep& step : steps) {
    NPU_CHECK(step.begin_cycle == at && step.end_cycle > at, "the critical path has a gap");
    std::uint64_t sum = 0;
    for (const std::uint64_t cycles : step.cycles) sum += cycles;
    NPU_CHECK(sum == step.end_cycle - step.begin_cycle, "causes do not sum to their step");
    at = step.end_cycle;
  }
  NPU_CHECK(at == end_cycle, "the critical path does not reach the end");
}

CriticalPath find_critical_path(const Schedule& schedule) { return Walker(schedule).walk(); }

std::string_view unit_of(const CriticalPath& path, const PathStep& step, Cause cause) {
  switch (cause) {
    case Cause::kDramBandwidth:
    case Cause::kDramLatency:
    case Cause::kRowMiss:
    case Cause::kRefresh:
    case Cause::kTail:
      return "dram";
    default:
      return path.units.at(step.unit);
  }
}

}  // namespace npu
