#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/core/execution_engine.h"
#include "sim/core/sequencer.h"
#include "sim/stats/schedule.h"

namespace npu {

/// Puts together the Schedule of a run from what the sequencer and the engines report.
class ScheduleRecorder {
 public:
  /// Engines in the order of isa::Engine.
  void add_engine(std::string name, int queue_depth);

  /// Forgets the run before. @return the schedule, for the units to log their phases into.
  Schedule& begin_run(std::uint64_t cycle);
  void on_word(const SequencedWord& word);
  /// The unit worked from when it took the instruction until its completion.
  void on_executed(isa::Engine engine, const Execution& execution);
  /// The unit worked from begin_cycle to end_cycle.
  void on_executed(isa::Engine engine, const Execution& execution, std::uint64_t begin_cycle,
                   std::uint64_t end_cycle);
  void end_run(std::uint64_t cycle) { schedule_.end_cycle = cycle; }

  [[nodiscard]] const Schedule& schedule() const { return schedule_; }

 private:
  Schedule schedule_;
  std::vector<std::size_t> executed_;  ///< Per engine: instructions so far.
};

}  // namespace npu
