#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/stats/critical_path.h"
#include "sim/stats/path_tokens.h"
#include "sim/stats/schedule.h"

namespace npu {

/// Finds the critical path of a schedule (critical_path.h), from the end to the begin.
///
/// path_walker.cpp goes over instructions and words, path_overlap.cpp inside instructions of units
/// that overlap.
class PathWalker {
 public:
  explicit PathWalker(const Schedule& schedule);
  [[nodiscard]] CriticalPath walk();

 private:
  /// A point of the walk; its cycle is the cursor.
  enum class Point : std::uint8_t {
    kCompleted,
    kReleased,
    kWorked,  ///< The unit's work on an instruction lies before the cursor.
    kTaken,
    kWordLeft,
    kStripe,  ///< The array is in the last fold of a stripe.
    kTake,    ///< The vector unit takes entries.
  };

  void start_at_the_end();
  void step();
  void completed();
  void released();
  void worked();
  /// The unit's work on the instruction up to the cursor, from `milestone` of a channel on.
  void worked(std::int32_t milestone);
  /// What the begin of the instruction waited for.
  void begun();
  void taken();
  void word_left();

  /// The array's work on a streamed tile before `cycle`, at which it is in the last fold of
  /// `stripe` or behind it.
  void stripes_before(std::size_t stripe, std::uint64_t cycle, CauseCycles cycles);
  /// The last fold of `stripe` waited for places.
  void place_waited_for(std::size_t stripe, CauseCycles cycles);
  /// The vector unit's work on a streamed instruction before `cycle`, within or behind `take`.
  void takes_before(std::size_t take, std::uint64_t cycle, CauseCycles cycles);
  /// The first entry of `take` was waited for.
  void sums_waited_for(std::size_t take, CauseCycles cycles);
  /// The channel's work before `cycle`, from `milestone` on.
  void milestones_before(std::int32_t milestone, std::uint64_t cycle, CauseCycles cycles);

  [[nodiscard]] std::uint32_t sequencer() const {
    return static_cast<std::uint32_t>(s_.engines.size());
  }
  [[nodiscard]] const Schedule::Engine& engine() const { return s_.engines[engine_]; }
  [[nodiscard]] const Schedule::Instruction& instruction() const {
    return engine().instructions[position_];
  }
  [[nodiscard]] const Schedule::Word& word_of(const Schedule::Instruction& i) const {
    return s_.words[i.word];
  }
  [[nodiscard]] PathStep step_of(std::uint32_t unit, std::uint64_t begin, std::int32_t layer,
                                 std::int32_t instruction) const;
  /// The engine's work on the instruction from `begin` to the cursor; nothing if that is empty.
  void emit_work(std::uint64_t begin, const CauseCycles& cycles);
  void emit(const PathStep& step);
  /// How the step that was emitted last got its go. Of several at one instant the one that is not
  /// mere order counts, the first of these.
  void note(Handover handover);
  void end_walk();
  void go(Point point, std::size_t engine, std::size_t position);

  const Schedule& s_;
  CriticalPath path_;
  std::uint64_t cursor_ = 0;
  bool at_start_ = false;
  Point point_ = Point::kWordLeft;
  std::size_t engine_ = 0;    ///< Of an instruction.
  std::size_t position_ = 0;  ///< Of an instruction in its engine, or of a word.
  std::size_t part_ = 0;      ///< The stripe or take.
  Handover handover_ = Handover::kOrder;
  std::vector<std::vector<TokenGiver>> givers_;
  // The result stream: engines, and the first entry of each stripe and of each take.
  std::size_t producer_ = 0, consumer_ = 0;
  std::vector<std::int64_t> pushed_before_, taken_before_;
};

}  // namespace npu
