#include "sim/compute/vector_unit.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "sim/base/error.h"
#include "sim/compute/vector_exec.h"
#include "sim/compute/vector_work.h"
#include "sim/timing/vector_timing.h"

namespace npu {

struct VectorUnit::Impl {
  Impl(const VectorConfig& unit_config, const CoreClock& core_clock, Sram& scratchpad_memory,
       Sram& accumulator_memory, Recorder& event_recorder, ResultStream* result_stream, int columns)
      : config(unit_config),
        clock(core_clock),
        scratchpad(scratchpad_memory),
        accumulator(accumulator_memory),
        recorder(event_recorder),
        stream(result_stream),
        stream_columns(columns),
        track(recorder.add_track("vector_unit")) {}

  /// The sums of a streamed instruction.
  [[nodiscard]] std::span<std::byte> sums(const isa::Instruction& in) const {
    return stream->take_sums(in[isa::Opd::kOutH] * in[isa::Opd::kOutW]);
  }

  const VectorConfig config;
  const CoreClock& clock;
  Sram& scratchpad;
  Sram& accumulator;
  Recorder& recorder;
  ResultStream* const stream;
  const int stream_columns;
  const std::uint32_t track;
  Timeline timeline;
  Work last_work;
};

VectorUnit::VectorUnit(const sc_core::sc_module_name& name, const VectorConfig& config,
                       const CoreClock& clock, Sram& scratchpad, Sram& accumulator,
                       Recorder& recorder, ResultStream* stream, int stream_columns)
    : sc_module(name),
      impl_(std::make_unique<Impl>(config, clock, scratchpad, accumulator, recorder, stream,
                                   stream_columns)) {}

VectorUnit::~VectorUnit() = default;

const VectorUnit::Work& VectorUnit::last_work() const { return impl_->last_work; }

Timeline& VectorUnit::timeline() { return impl_->timeline; }

std::uint64_t VectorUnit::execute(const isa::Instruction& instruction, std::int32_t index,
                                  std::int32_t layer) {
  Impl& u = *impl_;
  const compute::VectorWork work = compute::describe_vector(instruction, index);
  const auto memory_of = [&u](const compute::Stream& s) -> Sram& {
    return s.memory == isa::Memory::kAccumulator ? u.accumulator : u.scratchpad;
  };
  for (std::size_t i = 0; i < work.stream_count; ++i) {
    const compute::Stream& s = work.streams[i];
    compute::check_extent(instruction, index, s.operand, s.extent,
                          memory_of(s).config().capacity_bytes);
  }

  const bool streamed =
      instruction.opcode == isa::Opcode::kRequantize && instruction[isa::Opd::kStream] != 0;
  const std::uint64_t start = u.clock.now();
  timing::VectorTiming t = timing::vector_op(u.config, work.kind, work.elements, work.steps);
  const auto latency = static_cast<std::uint64_t>(t.fill_drain_cycles);
  auto waited = std::uint64_t{0};
  u.last_work.takes.clear();
  if (streamed) {
    NPU_CHECK(u.stream != nullptr, "a streamed instruction needs a result stream");
    const std::int64_t positions = instruction[isa::Opd::kOutH] * instruction[isa::Opd::kOutW];
    const timing::VectorTiming entry = timing::vector_op(u.config, work.kind, u.stream_columns, 1);
    ResultStream::Taken taken = u.stream->take(positions, start, entry.busy_cycles);
    waited = taken.end_cycle - start - taken.busy_cycles;
    t.busy_cycles = static_cast<std::int64_t>(taken.busy_cycles);
    t.lane_ops = positions * entry.lane_ops;
    t.total_cycles = static_cast<std::int64_t>(taken.end_cycle - start + latency);
    u.last_work.takes = std::move(taken.takes);
  }
  const std::uint64_t alone = start + static_cast<std::uint64_t>(t.total_cycles);
  std::uint64_t end = alone;
  for (Sram* memory : {&u.scratchpad, &u.accumulator}) {
    std::array<SramStream, std::tuple_size_v<decltype(work.streams)>> streams;
    std::size_t count = 0;
    for (std::size_t i = 0; i < work.stream_count; ++i) {
      const compute::Stream& s = work.streams[i];
      if (&memory_of(s) != memory) continue;
      streams[count++] = {
          .is_write = s.is_write, .low = s.extent.low, .high = s.extent.high, .bytes = s.bytes};
    }
    end = std::max(end, memory->book(std::span(streams).first(count), start,
                                     static_cast<std::uint64_t>(t.total_cycles)));
  }
  if (const auto data = u.scratchpad.data(); !data.empty()) {
    if (streamed) {
      isa::Instruction from_stream = instruction;
      from_stream.set(isa::Opd::kAcc, 0);
      from_stream.set(isa::Opd::kAccPitch, instruction[isa::Opd::kOutC]);
      compute::execute_vector(from_stream, index, u.config.rounding, data, u.sums(instruction));
    } else {
      compute::execute_vector(instruction, index, u.config.rounding, data, u.accumulator.data());
    }
  }

  u.timeline.advance(Bucket::kIdle, start);
  // A pipelined unit hands its latency over to what follows.
  const std::uint64_t hidden = u.config.pipelined ? latency : 0;
  u.last_work.end_cycle = end;
  u.last_work.drain_cycles = streamed ? latency : hidden;
  u.timeline.advance(Bucket::kWaitDependency, start + waited);
  u.timeline.advance(Bucket::kFillDrain, start + waited + latency - hidden);
  u.timeline.advance(Bucket::kBusy, alone - hidden);
  u.timeline.advance(Bucket::kWaitBank, end - hidden);
  for (std::size_t i = 0; i < work.stream_count; ++i) {
    const compute::Stream& s = work.streams[i];
    const bool scratchpad = s.memory == isa::Memory::kScratchpad;
    const Event event = scratchpad
                            ? (s.is_write ? Event::kScratchpadWrite : Event::kScratchpadRead)
                            : (s.is_write ? Event::kAccumulatorWrite : Event::kAccumulatorRead);
    u.recorder.count(event, static_cast<std::uint64_t>(s.bytes), layer, start, end);
  }
  if (streamed) {
    const std::int64_t sums = work.elements * (instruction[isa::Opd::kWide] != 0 ? 8 : 4);
    u.recorder.count(Event::kAccumulatorRead, static_cast<std::uint64_t>(sums), layer, start, end);
  }
  u.recorder.count(work.is_float ? Event::kVectorFloatOp : Event::kVectorOp,
                   static_cast<std::uint64_t>(t.lane_ops), layer, start, end);
  u.recorder.span({u.track, index, start, end});
  u.clock.wait_until(end - hidden);
  return end;
}

}  // namespace npu
