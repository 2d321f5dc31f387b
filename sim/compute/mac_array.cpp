#include "sim/compute/mac_array.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "sim/base/error.h"
#include "sim/compute/mac_operation.h"
#include "sim/compute/matrix_executor.h"
#include "sim/timing/mac_timing.h"
#include "sim/timing/stripe_timing.h"

namespace npu {

using compute::MacOperands;
using compute::MacOperation;
using isa::Opd;

namespace {

Event mac_event(compute::Element type) {
  switch (type) {
    case compute::Element::kInt16:
      return Event::kMacInt16;
    case compute::Element::kFloat16:
      return Event::kMacFloat16;
    case compute::Element::kBfloat16:
      return Event::kMacBfloat16;
    case compute::Element::kFloat32:
      return Event::kMacFloat32;
    default:
      return Event::kMacInt8;
  }
}

}  // namespace

struct MacArray::Impl {
  Impl(const MacArrayConfig& array_config, const CoreClock& core_clock, Sram& scratchpad_memory,
       Sram& accumulator_memory, Recorder& event_recorder, ResultStream* result_stream)
      : config(array_config),
        clock(core_clock),
        scratchpad(scratchpad_memory),
        accumulator(accumulator_memory),
        results(result_stream),
        recorder(event_recorder),
        tile_track(recorder.add_track("mac_array")),
        weight_track(recorder.add_track("mac_array_weights")) {}

  std::uint64_t load_weights(const isa::Instruction& instruction, std::int32_t index,
                             std::int32_t layer);
  std::uint64_t run_tile(const isa::Instruction& instruction, std::int32_t index,
                         std::int32_t layer);
  std::uint64_t run_streamed(const MacOperation& op, const MacOperands& operands,
                             std::int32_t index, std::int32_t layer);
  void copy_weights(const std::byte* from);
  void check_loaded(const isa::Instruction& instruction, std::int32_t index, const MacOperation& op,
                    const timing::Fold& fold) const;
  [[nodiscard]] std::uint64_t book(Sram& memory, bool is_write, compute::Extent extent,
                                   std::int64_t bytes, std::uint64_t start,
                                   std::uint64_t cycles) const {
    return bytes == 0 ? start
                      : memory.book(is_write, extent.low, extent.high, bytes, start, cycles);
  }
  static SramStream stream(bool is_write, compute::Extent extent, std::int64_t bytes) {
    if (bytes == 0) return {};
    return {.is_write = is_write, .low = extent.low, .high = extent.high, .bytes = bytes};
  }
  void count(Event event, std::int64_t n, std::int32_t layer, std::uint64_t begin,
             std::uint64_t end) const {
    if (n > 0) recorder.count(event, static_cast<std::uint64_t>(n), layer, begin, end);
  }
  [[nodiscard]] bool weight_stationary() const {
    return config.dataflow == Dataflow::kWeightStationary;
  }

  const MacArrayConfig config;
  const CoreClock& clock;
  Sram& scratchpad;
  Sram& accumulator;
  ResultStream* const results;
  Recorder& recorder;
  const std::uint32_t tile_track, weight_track;
  Timeline timeline;
  compute::MatrixExecutor executor;
  compute::ShadowWeights shadow;
  std::uint64_t array_free = 0;     ///< The last tile's results are out.
  std::uint64_t shadow_free = 0;    ///< The last tile needs the shadow registers no more.
  std::uint64_t weights_ready = 0;  ///< The last mac.load_weights is done.
  std::uint64_t completed = 0;      ///< Completion of the last instruction.
  Work last_work;
};

MacArray::MacArray(const sc_core::sc_module_name& name, const MacArrayConfig& config,
                   const CoreClock& clock, Sram& scratchpad, Sram& accumulator, Recorder& recorder,
                   ResultStream* stream)
    : sc_module(name),
      impl_(std::make_unique<Impl>(config, clock, scratchpad, accumulator, recorder, stream)) {}

MacArray::~MacArray() = default;

Timeline& MacArray::timeline() { return impl_->timeline; }

const MacArray::Work& MacArray::last_work() const { return impl_->last_work; }

std::uint64_t MacArray::execute(const isa::Instruction& instruction, std::int32_t index,
                                std::int32_t layer) {
  impl_->completed = std::max(impl_->completed, instruction.opcode == isa::Opcode::kLoadWeights
                                                    ? impl_->load_weights(instruction, index, layer)
                                                    : impl_->run_tile(instruction, index, layer));
  return impl_->completed;
}

std::uint64_t MacArray::Impl::load_weights(const isa::Instruction& instruction, std::int32_t index,
                                           std::int32_t layer) {
  const std::int64_t n = instruction[Opd::kN];
  const std::int64_t k = instruction[Opd::kK];
  const auto type = static_cast<compute::Element>(instruction[Opd::kWType]);
  if (!weight_stationary()) {
    throw RunFault(fmt::format(
        "instruction {}: mac.load_weights: this array keeps no weights (dataflow is not "
        "weight_stationary)",
        index));
  }
  if (n < 1 || k < 1 || n > config.cols || k > config.rows) {
    throw RunFault(fmt::format(
        "instruction {}: mac.load_weights: {} x {} weights (k x n) do not fit the {} x {} array",
        index, k, n, config.rows, config.cols));
  }
  const std::int64_t size = compute::size_of(type);
  if (type == compute::Element::kInt32 || size == 0) {
    throw RunFault(fmt::format(
        "instruction {}: mac.load_weights: w_type must be int8, uint8, int16 or a float", index));
  }
  const std::int64_t bytes = n * k * size;
  const std::int64_t stride = instruction[Opd::kWStride];
  const bool transposed = instruction[Opd::kWTransposed] != 0;
  const std::int64_t rows = transposed ? k : n;
  const compute::Extent extent{instruction[Opd::kW],
                               instruction[Opd::kW] + (rows - 1) * stride + bytes / rows};
  compute::check_extent(instruction, index, "w", extent, scratchpad.config().capacity_bytes);

  const std::uint64_t asked = clock.now();
  const std::uint64_t start = std::max({asked, shadow_free, weights_ready});
  clock.wait_until(start);
  const auto cycles = static_cast<std::uint64_t>(timing::weight_load_cycles(config, k, n * size));
  const std::uint64_t alone = start + cycles;
  const std::uint64_t end = std::max(alone, book(scratchpad, false, extent, bytes, start, cycles));

  shadow = {true, extent.low, stride, n, k, type, transposed, std::move(shadow.bytes)};
  shadow.bytes.clear();
  if (const auto data = scratchpad.data(); !data.empty()) {
    shadow.bytes.resize(static_cast<std::size_t>(bytes));
    copy_weights(data.data() + extent.low);
  }
  weights_ready = end;
  last_work = {start, end, {}};

  // What a tile before hides is accounted already; only the rest lands here.
  timeline.advance(Bucket::kIdle, asked);
  timeline.advance(Bucket::kFillDrain, alone);
  timeline.advance(Bucket::kWaitBank, end);
  count(Event::kScratchpadRead, bytes, layer, start, end);
  count(Event::kWeightRegisterWrite, bytes, layer, start, end);
  recorder.span({weight_track, index, start, end});
  return end;
}

/// The bytes of the shadow registers, row by row of k, from where w[0][0] is.
void MacArray::Impl::copy_weights(const std::byte* from) {
  const std::int64_t size = compute::size_of(shadow.type);
  std::byte* to = shadow.bytes.data();
  for (std::int64_t o = 0; o < shadow.n; ++o) {
    if (!shadow.transposed) {
      const std::int64_t row_bytes = shadow.k * size;
      std::memcpy(to + o * row_bytes, from + o * shadow.stride,
                  static_cast<std::size_t>(row_bytes));
      continue;
    }
    for (std::int64_t k = 0; k < shadow.k; ++k) {
      std::memcpy(to + (o * shadow.k + k) * size, from + k * shadow.stride + o * size,
                  static_cast<std::size_t>(size));
    }
  }
}

void MacArray::Impl::check_loaded(const isa::Instruction& instruction, std::int32_t index,
                                  const MacOperation& op, const timing::Fold& fold) const {
  const std::string_view name = isa::spec_of(instruction.opcode).mnemonic;
  if (!weight_stationary()) {
    throw RunFault(
        fmt::format("instruction {}: {}: weights_loaded on an array that keeps no weights "
                    "(dataflow is not weight_stationary)",
                    index, name));
  }
  if (!shadow.valid) {
    throw RunFault(fmt::format(
        "instruction {}: {}: weights_loaded, but the shadow registers hold none", index, name));
  }
  if (shadow.address != op.w || shadow.stride != op.w_stride || shadow.n != fold.n ||
      shadow.k != fold.k || shadow.type != op.w_type || shadow.transposed != op.w_transposed) {
    throw RunFault(
        fmt::format("instruction {}: {}: the shadow registers hold {} x {} weights (k x n) of "
                    "address {} stride {}, the "
                    "tile needs {} x {} of address {} stride {} in its own type and order",
                    index, name, shadow.k, shadow.n, shadow.address, shadow.stride, fold.k, fold.n,
                    op.w, op.w_stride));
  }
}

std::uint64_t MacArray::Impl::run_tile(const isa::Instruction& instruction, std::int32_t index,
                                       std::int32_t layer) {
  const MacOperation op = compute::decode_mac(instruction, index);
  const MacOperands operands = operands_of(op);
  check_extent(instruction, index, "x", operands.x, scratchpad.config().capacity_bytes);
  check_extent(instruction, index, "w", operands.w, scratchpad.config().capacity_bytes);
  check_extent(instruction, index, "acc", operands.acc, accumulator.config().capacity_bytes);
  const timing::MacTile tile = op.tile();
  if (op.weights_loaded) check_loaded(instruction, index, op, first_fold(config, tile));
  if (op.stream) return run_streamed(op, operands, index, layer);

  const std::uint64_t asked = clock.now();
  const std::uint64_t start = std::max({asked, array_free, weights_ready});
  clock.wait_until(start);

  const timing::MacTiming t = mac_tile(config, tile);
  const auto total = static_cast<std::uint64_t>(t.total_cycles);
  // Padding is fed in without reading; int16 inputs need not have wide sums, nor wide sums int16
  // inputs.
  const std::int64_t input_bytes =
      t.input_read_bytes / (op.positions() * op.taps()) * operands.input_pairs;
  const std::int64_t sum_bytes = tile.sum_bytes();
  const std::int64_t sums_read = t.accumulator_read_bytes / sum_bytes * op.accumulator_bytes();
  const std::int64_t sums_written = t.accumulator_write_bytes / sum_bytes * op.accumulator_bytes();
  const std::uint64_t alone = start + total;
  const std::array reads = {stream(false, operands.x, input_bytes),
                            stream(false, operands.w, t.weight_read_bytes)};
  const std::array sums = {stream(false, operands.acc, sums_read),
                           stream(true, operands.acc, sums_written)};
  const std::uint64_t end =
      std::max({alone, scratchpad.book(reads, start, total), accumulator.book(sums, start, total)});

  if (const auto data = scratchpad.data(); !data.empty()) {
    executor.run(op, op.weights_loaded ? &shadow : nullptr, data, accumulator.data());
  }
  shadow.valid = false;
  array_free = end;
  last_work = {start, end, {}};
  // Bank waits stretch the tile evenly.
  const auto shadow_cycles = static_cast<std::uint64_t>(t.shadow_free_cycles);
  shadow_free =
      start + shadow_cycles + (end - alone) * shadow_cycles / std::max<std::uint64_t>(total, 1);

  timeline.advance(Bucket::kIdle, asked);
  timeline.advance(Bucket::kFillDrain, start + static_cast<std::uint64_t>(t.fill_drain_cycles));
  timeline.advance(Bucket::kBusy, alone);
  timeline.advance(Bucket::kWaitBank, end);
  count(mac_event(op.x_type), t.macs, layer, start, end);
  count(Event::kWeightRegisterWrite, t.register_write_bytes, layer, start, end);
  count(Event::kScratchpadRead, input_bytes + t.weight_read_bytes, layer, start, end);
  count(Event::kAccumulatorRead, sums_read, layer, start, end);
  count(Event::kAccumulatorWrite, sums_written, layer, start, end);
  recorder.span({tile_track, index, start, end});

  clock.wait_until(shadow_free);
  return end;
}

std::uint64_t MacArray::Impl::run_streamed(const MacOperation& op, const MacOperands& operands,
                                           std::int32_t index, std::int32_t layer) {
  const timing::MacTile tile = op.tile();
  NPU_CHECK(results != nullptr, "a streamed tile needs a result stream");
  const timing::StripedTile t = timing::striped_tile(config, tile);
  const std::uint64_t asked = clock.now();
  const std::uint64_t start = std::max({asked, array_free, weights_ready});
  clock.wait_until(start);

  std::vector<std::byte> sums;
  if (const auto data = scratchpad.data(); !data.empty()) {
    sums.resize(static_cast<std::size_t>(op.positions() * op.out_c * op.accumulator_bytes()));
    MacOperation to_stream = op;
    to_stream.acc = 0;
    to_stream.acc_pitch = op.out_c;
    executor.run(to_stream, op.weights_loaded ? &shadow : nullptr, data, sums);
  }
  results->push_tile(op.positions(), std::move(sums));
  shadow.valid = false;

  const std::uint64_t load = op.weights_loaded ? 0 : static_cast<std::uint64_t>(t.load_cycles);
  std::uint64_t at = start + load;  // When the next fold can start to stream.
  std::uint64_t busy = 0;
  std::uint64_t stalled = 0;
  std::vector<Schedule::Stripe> stripes;
  stripes.reserve(static_cast<std::size_t>(t.stripes.count()));
  for (std::int64_t i = 0; i < t.stripes.count(); ++i) {
    const std::int64_t positions = t.stripes.length(i);
    const auto streamed = static_cast<std::uint64_t>(positions * t.cycles_per_position);
    const auto fold = static_cast<std::uint64_t>(t.fold_cycles(positions));
    const std::uint64_t last_fold = at + static_cast<std::uint64_t>(t.passes - 1) * fold;
    shadow_free = std::max(last_fold, results->wait_for_places(positions));
    stalled += shadow_free - last_fold;
    array_free = shadow_free + streamed;
    results->push(positions, array_free - 1);
    stripes.push_back({.ready_cycle = at,
                       .last_fold_cycle = shadow_free,
                       .waited_cycles = shadow_free - last_fold,
                       .passes = static_cast<std::uint64_t>(t.passes),
                       .streamed_cycles = streamed,
                       .fold_cycles = fold,
                       .entries = positions});
    busy += static_cast<std::uint64_t>(t.passes) * streamed;
    at = shadow_free + fold;
  }
  const std::uint64_t alone = array_free;
  const std::uint64_t total = alone - start;
  const std::int64_t input_bytes = operands.input_pairs * op.in_c * compute::size_of(op.x_type);
  const timing::Fold first = op.weights_loaded ? first_fold(config, tile) : timing::Fold{};
  const std::int64_t weight_bytes =
      (op.depth() * op.out_c * t.stripes.count() - first.k * first.n) * compute::size_of(op.w_type);
  const std::int64_t sum_bytes = op.positions() * op.out_c * op.accumulator_bytes();
  const std::array reads = {stream(false, operands.x, input_bytes),
                            stream(false, operands.w, weight_bytes)};
  array_free = std::max(alone, scratchpad.book(reads, start, total));
  last_work = {start, array_free, std::move(stripes)};

  timeline.advance(Bucket::kIdle, asked);
  timeline.advance(Bucket::kStallFull, start + stalled);
  timeline.advance(Bucket::kFillDrain, alone - busy);
  timeline.advance(Bucket::kBusy, alone);
  timeline.advance(Bucket::kWaitBank, array_free);
  count(mac_event(op.x_type), op.positions() * op.out_c * op.depth(), layer, start, array_free);
  count(Event::kWeightRegisterWrite, weight_bytes, layer, start, array_free);
  count(Event::kScratchpadRead, input_bytes + weight_bytes, layer, start, array_free);
  count(Event::kAccumulatorRead, sum_bytes * (t.passes - 1), layer, start, array_free);
  count(Event::kAccumulatorWrite, sum_bytes * t.passes, layer, start, array_free);
  recorder.span({tile_track, index, start, array_free});

  clock.wait_until(shadow_free);
  return array_free;
}

}  // namespace npu
