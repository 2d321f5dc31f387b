#include "sim/core/schedule_recorder.h"

#include <utility>

namespace npu {

void ScheduleRecorder::add_engine(std::string name, int queue_depth) {
  schedule_.engines.push_back({.name = std::move(name),
                               .queue_depth = static_cast<std::uint32_t>(queue_depth),
                               .instructions = {},
                               .phases = {}});
  executed_.push_back(0);
}

Schedule& ScheduleRecorder::begin_run(std::uint64_t cycle) {
  schedule_.begin_cycle = cycle;
  schedule_.words.clear();
  for (Schedule::Engine& engine : schedule_.engines) engine.instructions.clear();
  executed_.assign(executed_.size(), 0);
  return schedule_;
}

void ScheduleRecorder::on_word(const SequencedWord& word) {
  Schedule::Word recorded{.index = word.index,
                          .layer = word.layer,
                          .fetched_cycle = word.fetched_cycle,
                          .decoded_cycle = word.decoded_cycle,
                          .left_cycle = word.left_cycle};
  if (word.engine) {
    recorded.engine = static_cast<std::int32_t>(*word.engine);
    auto& engine = schedule_.engines[static_cast<std::size_t>(*word.engine)];
    recorded.position = static_cast<std::uint32_t>(engine.instructions.size());
    engine.instructions.push_back({.word = static_cast<std::uint32_t>(schedule_.words.size())});
  }
  schedule_.words.push_back(recorded);
}

void ScheduleRecorder::on_executed(isa::Engine engine, const Execution& execution) {
  on_executed(engine, execution, execution.taken_cycle,
              execution.is_sync ? execution.taken_cycle : execution.completed_cycle);
}

void ScheduleRecorder::on_executed(isa::Engine engine, const Execution& execution,
                                   std::uint64_t begin_cycle, std::uint64_t end_cycle) {
  const auto e = static_cast<std::size_t>(engine);
  Schedule::Instruction& i = schedule_.engines[e].instructions[executed_[e]++];
  i.wait = execution.wait;
  i.signal = execution.signal;
  i.taken_cycle = execution.taken_cycle;
  i.begin_cycle = begin_cycle;
  i.end_cycle = end_cycle;
  i.released_cycle = execution.released_cycle;
  i.completed_cycle = execution.completed_cycle;
}

}  // namespace npu
