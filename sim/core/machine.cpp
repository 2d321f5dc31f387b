#include "sim/core/machine.h"

#include <algorithm>
#include <string>
#include <systemc>
#include <utility>

#include "isa/encoding.h"
#include "sim/base/error.h"
#include "sim/compute/mac_array.h"
#include "sim/compute/vector_unit.h"
#include "sim/core/activity_recorder.h"
#include "sim/core/deadlock.h"
#include "sim/core/host_access.h"
#include "sim/core/layer_accounting.h"
#include "sim/core/prepare_program.h"
#include "sim/core/repeat_accounting.h"
#include "sim/core/sanitizer_stack.h"
#include "sim/core/schedule_recorder.h"
#include "sim/core/sequencer.h"
#include "sim/memory/dma.h"
#include "sim/memory/dram.h"
#include "sim/memory/sram.h"
#include "sim/power/power_unit.h"

namespace npu {

struct Machine::Impl {
  Impl(const NpuConfig& npu_config, isa::Program checked_program, const MachineOptions& opts)
      : config(npu_config),
        program(std::move(checked_program)),
        options(opts),
        clock(config.clock.period_ps()),
        recorder(program.layers.size()),
        scratchpad("scratchpad", config.scratchpad, !options.timing_only),
        accumulator("accumulator", config.accumulator, !options.timing_only),
        dram("dram", config.dram, config.interconnect, clock, recorder, !options.timing_only),
        stream(config.mac_array),
        mac_array("mac_array", config.mac_array, clock, scratchpad, accumulator, recorder, &stream),
        vector_unit("vector_unit", config.vector_unit, clock, scratchpad, accumulator, recorder,
                    &stream, config.mac_array.cols),
        power("power_unit", config.energy, config.clock),
        layers(program.layers.size()),
        repeats(program),
        captured(program.tensors.size()),
        capturing(options.capture_tensors) {
    add_engine(
        isa::Engine::kMacArray, "mac_array", mac_array.timeline(),
        [this](const Dispatched& d) { return mac_array.execute(d.instruction, d.index, d.layer); });
    add_engine(isa::Engine::kVector, "vector_unit", vector_unit.timeline(),
               [this](const Dispatched& d) {
                 return vector_unit.execute(d.instruction, d.index, d.layer);
               });
    for (int c = 0; c < config.dma.channels; ++c) {
      DmaChannel& channel = *dma.emplace_back(std::make_unique<DmaChannel>(
          fmt::format("dma{}", c).c_str(), config.dma, clock, scratchpad, dram, recorder));
      add_engine(
          static_cast<isa::Engine>(static_cast<int>(isa::Engine::kDma0) + c),
          fmt::format("dma{}", c), channel.timeline(),
          [&channel](const Dispatched& d) {
            return channel.execute(d.instruction, d.index, d.layer)
                .value_or(ExecutionEngine::kPending);
          },
          [&channel](Bucket bucket, std::uint64_t cycle) { channel.account(bucket, cycle); });
      channel.on_complete([engine = engines.back().get()](std::uint64_t cycle, std::uint64_t busy) {
        engine->resolve(cycle, busy);
      });
    }
    add_sequencer();
    if (options.record_activity)
      activity.watch({named_timelines(), engines, dma, tokens, dram}, clock);
    recorder.trace_enabled = options.trace;
    recorder.keeps_without_layer = repeats.is_needed();
    recorder.on_activity = [this](Event event, std::uint64_t count, std::uint64_t begin_cycle,
                                  std::uint64_t end_cycle) {
      power.on_activity(event, count, begin_cycle, end_cycle);
    };
    load_image();
    ready_at = ready_tensors(program);
  }

  void load(isa::Program next) {
    NPU_CHECK(!failed, "the machine cannot run again after a fault");
    repeats.expect_alone(next);
    program = std::move(next);
    dram.forget_layers();
    recorder.begin_program(program.layers.size());
    layers = LayerAccounting(program.layers.size());
    captured.assign(program.tensors.size(), {});
    capturing = options.capture_tensors;
    fetch->load(program.code_address, isa::encode(program.code), program.layer_of);
    load_image();
    ready_at = ready_tensors(program);
  }

  void add_engine(isa::Engine id, std::string_view name, Timeline& timeline,
                  ExecutionEngine::Execute execute,
                  std::function<void(Bucket, std::uint64_t)> account = {}) {
    ExecutionEngine::Hooks hooks{
        std::move(execute),
        [this](isa::Engine engine, const Completion& done) { on_complete(engine, done); },
        {},
        std::move(account)};
    if (options.record_schedule) {
      schedule.add_engine(std::string(name), config.sequencer.queue_depth);
      hooks.on_executed = [this](isa::Engine engine, const Execution& execution) {
        if (engine == isa::Engine::kMacArray && !execution.is_sync) {
          schedule.on_executed(engine, execution, mac_array.last_work());
        } else if (engine == isa::Engine::kVector && !execution.is_sync) {
          schedule.on_executed(engine, execution, vector_unit.last_work());
        } else {
          schedule.on_executed(engine, execution);
        }
      };
    }
    engines.push_back(std::make_unique<ExecutionEngine>(
        fmt::format("engine_{}", isa::name_of(id)).c_str(), id, config.sequencer.queue_depth, clock,
        tokens, timeline, fault, std::move(hooks)));
  }

  void add_sequencer() {
    std::vector<ExecutionEngine*> pointers;
    for (const auto& engine : engines) pointers.push_back(engine.get());
    fetch = std::make_unique<InstructionFetch>("instruction_fetch", config.sequencer, clock, dram,
                                               program.code_address, isa::encode(program.code),
                                               program.layer_of, !options.timing_only, fault);
    Sequencer::Hooks hooks{.on_dispatch = [this] { ++outstanding; },
                           .on_halt =
                               [this] {
                                 last_activity_cycle = clock.now();
                                 stop_if_finished();
                               },
                           .on_word = {}};
    if (options.record_schedule) {
      hooks.on_word = [this](const SequencedWord& word) { schedule.on_word(word); };
    }
    sequencer = std::make_unique<Sequencer>("sequencer", config.sequencer, program, clock, *fetch,
                                            std::move(pointers), recorder, fault, std::move(hooks));
  }

  void load_image() {
    if (options.timing_only) return;
    for (const isa::ImageSegment& s : program.image) dram.write(s.address, s.bytes);
    const std::vector<isa::Word> words = isa::encode(program.code);
    dram.write(program.code_address, std::as_bytes(std::span(words)));
  }

  void on_complete(isa::Engine engine, const Completion& done) {
    layers.on_complete(engine, done);
    if (capturing) capture(ready_at[static_cast<std::size_t>(done.index)]);
    last_activity_cycle = done.cycle;
    NPU_CHECK(outstanding > 0, "completion without dispatch");
    --outstanding;
    stop_if_finished();
  }

  [[nodiscard]] bool finished() const { return sequencer->halted() && outstanding == 0; }
  void stop_if_finished() {
    if (finished()) power.stop();
  }

  void capture(const std::vector<std::size_t>& tensors) {
    for (const std::size_t t : tensors) {
      const isa::TensorRecord& record = program.tensors[t];
      captured[t].resize(static_cast<std::size_t>(record.bytes()));
      if (record.memory == isa::Memory::kDram) {
        dram.read(record.address, captured[t]);
      } else {
        std::ranges::copy(on_chip(record), captured[t].begin());
      }
    }
  }

  [[nodiscard]] std::span<std::byte> on_chip(const isa::TensorRecord& record) {
    Sram& sram = record.memory == isa::Memory::kScratchpad ? scratchpad : accumulator;
    return sram.data().subspan(static_cast<std::size_t>(record.address),
                               static_cast<std::size_t>(record.bytes()));
  }

  void reset_variables() {
    if (options.timing_only) return;
    for (const isa::TensorRecord& record : program.tensors) {
      if (record.role != isa::TensorRole::kVariable) continue;
      const auto fill = static_cast<std::byte>(record.reset_byte);
      if (record.memory == isa::Memory::kDram) {
        dram.write(record.address,
                   std::vector<std::byte>(static_cast<std::size_t>(record.bytes()), fill));
      } else {
        std::ranges::fill(on_chip(record), fill);
      }
    }
  }

  void capture_initial() {
    for (auto& bytes : captured) bytes.clear();
    std::vector<std::size_t> ready;
    for (std::size_t t = 0; t < program.tensors.size(); ++t) {
      if (program.tensors[t].ready_after < 0) ready.push_back(t);
    }
    capture(ready);
  }

  void run() {
    NPU_CHECK(!failed, "the machine cannot run again after a fault");
    failed = true;
    const std::uint64_t begin = clock.now();
    last_activity_cycle = begin;
    tokens.clear();
    reset_variables();
    if (capturing) capture_initial();
    layers.begin_run(begin, recorder.per_layer());
    if (options.record_schedule) begin_schedule(begin);
    activity.begin_run(begin);
    if (repeats.is_needed()) repeats.begin_run(timelines(), dram);
    sequencer->start();
    power.start();
    try {
      sc_core::sc_start();
    } catch (const sc_core::sc_report& report) {
      restore_sanitizer_stack();
      throw std::logic_error(fmt::format("internal error: {}", report.what()));
    }
    restore_sanitizer_stack();
    fault.rethrow();
    if (!finished()) throw RunFault(deadlock());
    close(begin);
    capturing = false;
    failed = false;
  }

  void begin_schedule(std::uint64_t begin) {
    Schedule& s = schedule.begin_run(begin);
    const std::vector<Timeline*> all = timelines();
    for (std::size_t e = 0; e < s.engines.size(); ++e) all[e]->log_into(&s.engines[e].phases);
    for (std::size_t c = 0; c < dma.size(); ++c) {
      dma[c]->log_into(&s.engines[static_cast<std::size_t>(isa::Engine::kDma0) + c].channel);
    }
    dram.log_into(s.dram);
    schedule.set_stream(config.mac_array);
  }

  /// Accounts everything up to the end of the run.
  void close(std::uint64_t begin) {
    const std::uint64_t end = clock.now();
    dram.close(end);
    for (const auto& channel : dma) channel->account(Bucket::kIdle, end);
    for (Timeline* timeline : timelines()) {
      timeline->advance(Bucket::kIdle, end);
      NPU_CHECK(timeline->accounted() == end, "a unit accounted cycles beyond the end of the run");
    }
    layers.end_run(end, recorder.per_layer(),
                   static_cast<std::uint64_t>(config.dram.burst_bytes()));
    schedule.end_run(end);
    activity.end_run(end);
    if (repeats.is_needed()) repeats.end_run(begin, end, layers.layers());
    run_cycles.push_back(end - begin);
    total_cycles = end;
    last_run = {.cycles = end - begin, .events = {}, .layers = layers.layers()};
    for (std::size_t e = 0; e < kEventCount; ++e) {
      last_run.events[e] = recorder.totals()[e] - counted[e];
    }
    counted = recorder.totals();
  }

  /// Of all units but the DRAM.
  [[nodiscard]] std::vector<std::pair<std::string, Timeline*>> named_timelines() {
    std::vector<std::pair<std::string, Timeline*>> result = {
        {"mac_array", &mac_array.timeline()}, {"vector_unit", &vector_unit.timeline()}};
    for (std::size_t c = 0; c < dma.size(); ++c) {
      result.emplace_back(fmt::format("dma{}", c), &dma[c]->timeline());
    }
    result.emplace_back("sequencer", &sequencer->timeline());
    return result;
  }
  [[nodiscard]] std::vector<Timeline*> timelines() {
    std::vector<Timeline*> result;
    for (const auto& [name, timeline] : named_timelines()) result.push_back(timeline);
    return result;
  }

  [[nodiscard]] std::string deadlock() const {
    std::vector<EngineState> states;
    for (const auto& engine : engines) {
      EngineState state{.engine = engine->id(), .executing = engine->executing()};
      if (const Dispatched* head = engine->head(); head != nullptr && !state.executing) {
        state.index = head->index;
        state.missing = tokens.missing(engine->id(), head->instruction.wait);
      }
      states.push_back(state);
    }
    return describe_deadlock(last_activity_cycle, program, states,
                             {.index = sequencer->index(),
                              .halted = sequencer->halted(),
                              .stalled_on = sequencer->stalled_on()});
  }

  [[nodiscard]] RunStats stats() {
    NPU_CHECK(!failed, "a run that ended in a fault has no statistics");
    RunStats s;
    s.total_cycles = s.simulated_cycles = total_cycles;
    s.run_cycles = run_cycles;
    const auto add = [&](std::string name, const Timeline& timeline) {
      NPU_CHECK(timeline.accounted() == total_cycles, "buckets do not close");
      s.units.push_back({std::move(name), timeline});
    };
    for (const auto& [name, timeline] : named_timelines()) add(name, *timeline);
    const std::vector<Timeline> channels = dram.timelines();
    for (std::size_t c = 0; c < channels.size(); ++c) add(fmt::format("dram{}", c), channels[c]);
    s.layers = layers.layers();
    s.events = recorder.totals();
    s.events_per_layer = recorder.per_layer();
    s.power_components = power.components();
    s.power = power.samples(total_cycles);
    s.tracks = recorder.tracks();
    s.spans = recorder.spans();
    s.kernel_events = sc_core::sc_delta_count();
    s.last_run_begin_cycle = total_cycles - last_run.cycles;
    if (repeats.is_needed()) repeats.apply(s, recorder, power);
    return s;
  }

  const NpuConfig config;
  isa::Program program;
  const MachineOptions options;
  const CoreClock clock;
  Recorder recorder;
  FaultSlot fault;
  TokenBoard tokens;
  Sram scratchpad, accumulator;
  Dram dram;
  ResultStream stream;
  MacArray mac_array;
  VectorUnit vector_unit;
  std::vector<std::unique_ptr<DmaChannel>> dma;
  std::vector<std::unique_ptr<ExecutionEngine>> engines;  ///< Indexed by isa::Engine.
  std::unique_ptr<InstructionFetch> fetch;
  std::unique_ptr<Sequencer> sequencer;
  PowerUnit power;
  LayerAccounting layers;
  RepeatAccounting repeats;
  ScheduleRecorder schedule;
  ActivityRecorder activity;
  std::vector<std::vector<std::byte>> captured;
  std::vector<std::vector<std::size_t>> ready_at;  ///< Tensors that are whole after instruction i.
  bool capturing;
  bool failed = false;
  std::uint64_t outstanding = 0;  ///< Dispatched, not complete.
  std::uint64_t last_activity_cycle = 0;
  std::uint64_t total_cycles = 0;
  std::vector<std::uint64_t> run_cycles;
  RunTotals last_run;
  EventCounts counted{};  ///< Events of all runs that have ended.
};

Machine::Machine(const NpuConfig& config, isa::Program program, const MachineOptions& options)
    : impl_(std::make_unique<Impl>(config, prepare_program(std::move(program), config, options),
                                   options)) {}

Machine::~Machine() = default;

void Machine::reset_kernel() { sc_core::sc_get_curr_simcontext()->reset(); }

void Machine::write_dram(std::int64_t address, std::span<const std::byte> bytes) {
  check_host_access(impl_->config.dram.capacity_bytes(), address, bytes.size());
  impl_->dram.write(address, bytes);
}

void Machine::read_dram(std::int64_t address, std::span<std::byte> bytes) const {
  check_host_access(impl_->config.dram.capacity_bytes(), address, bytes.size());
  impl_->dram.read(address, bytes);
}

void Machine::load(isa::Program program) {
  impl_->load(prepare_program(std::move(program), impl_->config, impl_->options));
}

void Machine::run() { impl_->run(); }

void Machine::capture_next_run() {
  if (impl_->options.timing_only) {
    fail("tensors cannot be captured in a timing-only run: it moves no data");
  }
  impl_->capturing = true;
}

const std::vector<std::vector<std::byte>>& Machine::captured() const { return impl_->captured; }
const isa::Program& Machine::program() const { return impl_->program; }

RunStats Machine::stats() const { return impl_->stats(); }

const RunTotals& Machine::last_run() const { return impl_->last_run; }

const Schedule& Machine::schedule() const { return impl_->schedule.schedule(); }

const ActivityLog& Machine::activity() const { return impl_->activity.log(); }

}  // namespace npu
