#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/compute/mac_array.h"
#include "sim/compute/vector_unit.h"
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
  void set_stream(const MacArrayConfig& config);
  /// The unit worked from when it took the instruction until its completion; a channel with
  /// pipelined descriptors, until what its log says.
  void on_executed(isa::Engine engine, const Execution& execution);
  void on_executed(isa::Engine engine, const Execution& execution, const MacArray::Work& work);
  void on_executed(isa::Engine engine, const Execution& execution, const VectorUnit::Work& work);
  void end_run(std::uint64_t cycle) { schedule_.end_cycle = cycle; }

  [[nodiscard]] const Schedule& schedule() const { return schedule_; }

 private:
  Schedule::Instruction& add(isa::Engine engine, const Execution& execution,
                             std::uint64_t begin_cycle, std::uint64_t end_cycle);
  [[nodiscard]] std::uint32_t executed(isa::Engine engine) const {
    return static_cast<std::uint32_t>(executed_[static_cast<std::size_t>(engine)].instructions);
  }

  struct Executed {
    std::size_t instructions = 0, descriptors = 0;
  };
  Schedule schedule_;
  std::vector<Executed> executed_;  ///< Per engine, so far.
};

}  // namespace npu
