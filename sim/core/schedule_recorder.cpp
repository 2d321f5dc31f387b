#include "sim/core/schedule_recorder.h"

#include <utility>

namespace npu {

void ScheduleRecorder::add_engine(std::string name, int queue_depth) {
  schedule_.engines.push_back({.name = std::move(name),
                               .queue_depth = static_cast<std::uint32_t>(queue_depth),
                               .instructions = {},
                               .phases = {},
                               .stripes = {},
                               .takes = {},
                               .channel = {}});
  executed_.emplace_back();
}

void ScheduleRecorder::set_stream(const MacArrayConfig& config) {
  schedule_.stream = {
      .places = config.result_stream_entries,
      .latency_cycles = static_cast<std::uint64_t>(config.result_stream_latency_cycles),
      .credit_latency_cycles = static_cast<std::uint64_t>(config.result_credit_latency_cycles)};
}

Schedule& ScheduleRecorder::begin_run(std::uint64_t cycle) {
  schedule_.begin_cycle = cycle;
  schedule_.words.clear();
  for (Schedule::Engine& engine : schedule_.engines) {
    engine.instructions.clear();
    engine.stripes.clear();
    engine.takes.clear();
  }
  executed_.assign(executed_.size(), {});
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

Schedule::Instruction& ScheduleRecorder::add(isa::Engine engine, const Execution& execution,
                                             std::uint64_t begin_cycle, std::uint64_t end_cycle) {
  const auto e = static_cast<std::size_t>(engine);
  Schedule::Instruction& i = schedule_.engines[e].instructions[executed_[e].instructions++];
  i.wait = execution.wait;
  i.signal = execution.signal;
  i.taken_cycle = execution.taken_cycle;
  i.begin_cycle = begin_cycle;
  i.end_cycle = end_cycle;
  i.released_cycle = execution.released_cycle;
  i.completed_cycle = execution.completed_cycle;
  return i;
}

void ScheduleRecorder::on_executed(isa::Engine engine, const Execution& execution) {
  Schedule::Engine& of = schedule_.engines[static_cast<std::size_t>(engine)];
  if (execution.is_sync || of.channel.descriptors.empty()) {
    add(engine, execution, execution.taken_cycle,
        execution.is_sync ? execution.taken_cycle : execution.completed_cycle);
    return;
  }
  const std::size_t number = executed_[static_cast<std::size_t>(engine)].descriptors++;
  Schedule::Descriptor& descriptor = of.channel.descriptors.at(number);
  descriptor.instruction = executed(engine);
  Schedule::Instruction& i = add(engine, execution, execution.taken_cycle, descriptor.end_cycle);
  i.drain_cycles = descriptor.completion_cycles;
  i.first_part = static_cast<std::uint32_t>(number);
  i.parts = 1;
}

void ScheduleRecorder::on_executed(isa::Engine engine, const Execution& execution,
                                   const MacArray::Work& work) {
  std::vector<Schedule::Stripe>& all = schedule_.engines[static_cast<std::size_t>(engine)].stripes;
  const std::uint32_t position = executed(engine);
  Schedule::Instruction& i = add(engine, execution, work.begin_cycle, work.end_cycle);
  i.first_part = static_cast<std::uint32_t>(all.size());
  i.parts = static_cast<std::uint32_t>(work.stripes.size());
  for (Schedule::Stripe stripe : work.stripes) {
    stripe.instruction = position;
    all.push_back(stripe);
  }
}

void ScheduleRecorder::on_executed(isa::Engine engine, const Execution& execution,
                                   const VectorUnit::Work& work) {
  std::vector<Schedule::Take>& all = schedule_.engines[static_cast<std::size_t>(engine)].takes;
  const std::uint32_t position = executed(engine);
  Schedule::Instruction& i = add(engine, execution, execution.taken_cycle, work.end_cycle);
  i.drain_cycles = work.drain_cycles;
  i.first_part = static_cast<std::uint32_t>(all.size());
  i.parts = static_cast<std::uint32_t>(work.takes.size());
  for (Schedule::Take take : work.takes) {
    take.instruction = position;
    all.push_back(take);
  }
}

}  // namespace npu
