#include "sim/core/hazard_checker.h"

#include <algorithm>
#include <array>
#include <bit>
#include <deque>
#include <optional>
#include <vector>

#include "isa/footprint.h"
#include "isa/unroll.h"
#include "sim/base/error.h"
#include "sim/core/byte_map.h"
#include "sim/core/operand_checks.h"
#include "sim/core/program_layout.h"

namespace npu {
namespace {

using isa::Instruction;
using isa::Memory;

constexpr std::size_t kEngines = isa::kEngineCount;
/// Instructions of one engine that may stand before one that cannot start; beyond it the sequencer
/// has long stalled.
constexpr std::size_t kMaxPending = 4096;
/// Width of the token counters.
constexpr std::size_t kMaxTokens = 65535;

/// clock[f]: how many of engine f's instructions are known to have completed.
using Clock = std::array<std::uint32_t, kEngines>;

void join(Clock& into, const Clock& other) {
  for (std::size_t e = 0; e < kEngines; ++e) into[e] = std::max(into[e], other[e]);
}

/// One pass over the unrolled program.
class Checker {
 public:
  Checker(const isa::Program& program, const NpuConfig& config)
      : program_(program),
        config_(config),
        constants_(check_layout(program, config)),
        maps_{ByteMap(program.dram_bytes), ByteMap(config.scratchpad.capacity_bytes),
              ByteMap(config.accumulator.capacity_bytes)},
        max_pending_(std::max(kMaxPending, static_cast<std::size_t>(config.sequencer.queue_depth))),
        is_whole_(std::ranges::none_of(program.layers, &isa::LayerRecord::continues)) {
    if (!program.layer_of.empty() && program.layer_of.size() != program.code.size()) {
      fail("{} layer indices for {} instructions", program.layer_of.size(), program.code.size());
    }
    ByteState initial;
    initial.writer = ByteState::kInitial;
    for (const isa::TensorRecord& t : program.tensors) {
      if (t.memory != Memory::kDram) continue;
      if (t.role != isa::TensorRole::kInput && t.role != isa::TensorRole::kVariable) continue;
      set(t.address, t.address + t.bytes(), initial);
    }
    initial.writer = ByteState::kConstant;
    for (const ConstantRange& r : constants_) set(r.low, r.high, initial);
  }

  /// Instructions in program order, each as soon as its tokens are there; those that cannot start
  /// wait in their engine's queue.
  void run() {
    isa::Unroller unroller(program_.code);
    Instruction instruction;
    std::int32_t index = 0;
    while (unroller.next(instruction, index)) {
      if (const auto fault = operand_fault(instruction, config_)) {
        fail("{}: {}", text(index), *fault);
      }
      const auto engine = static_cast<std::size_t>(instruction.engine());
      Track& track = tracks_[engine];
      if (track.pending.empty() && can_start(engine, instruction)) {
        start(engine, instruction, index);
        if (pending_ > 0) start_pending(instruction.signal);
        continue;
      }
      if (track.pending.size() == max_pending_) return;
      track.pending.push_back({instruction, index});
      ++pending_;
    }
    if (pending_ == 0) check_outputs();
  }

 private:
  struct Pending {
    Instruction instruction;
    std::int32_t index;
  };
  struct Track {
    Clock clock{};                       ///< What the engine's next instruction comes after.
    std::vector<std::int32_t> index_of;  ///< Static index of its n-th instruction.
    std::deque<Pending> pending;
    std::array<std::deque<Clock>, kEngines> tokens;  ///< Given to this engine, by giver.
  };

  void set(std::int64_t low, std::int64_t high, const ByteState& state) {
    ByteMap& map = map_of(Memory::kDram);
    map.begin_access();
    map.replace({low, high - low}, state, [](const ByteState&, std::int64_t, std::int64_t) {});
  }

  ByteMap& map_of(Memory memory) { return maps_[static_cast<std::size_t>(memory)]; }

  [[nodiscard]] bool can_start(std::size_t engine, const Instruction& instruction) const {
    for (std::size_t e = 0; e < kEngines; ++e) {
      if ((instruction.wait >> e & 1) != 0 && tracks_[engine].tokens[e].empty()) return false;
    }
    return true;
  }

  void start(std::size_t engine, const Instruction& instruction, std::int32_t index) {
    Track& track = tracks_[engine];
    for (std::size_t e = 0; e < kEngines; ++e) {
      if ((instruction.wait >> e & 1) == 0) continue;
      join(track.clock, track.tokens[e].front());
      track.tokens[e].pop_front();
    }
    const auto number = static_cast<std::uint32_t>(track.index_of.size());
    track.index_of.push_back(index);
    isa::footprint(instruction, footprint_);
    for (const isa::Region& region : footprint_.reads) check_bounds(region, index, "reads");
    for (const isa::Region& region : footprint_.writes) check_bounds(region, index, "writes");
    for (const isa::Region& region : footprint_.reads) read(region, engine, number);
    for (const isa::Region& region : footprint_.writes) write(region, engine, number);
    track.clock[engine] = number + 1;
    for (std::size_t e = 0; e < kEngines; ++e) {
      if ((instruction.signal >> e & 1) == 0) continue;
      auto& tokens = tracks_[e].tokens[engine];
      if (tokens.size() == kMaxTokens) {
        fail("{}: more than {} tokens from {} to {} that nothing takes", text(index), kMaxTokens,
             name_of(static_cast<isa::Engine>(engine)), name_of(static_cast<isa::Engine>(e)));
      }
      tokens.push_back(track.clock);
    }
  }

  /// Starts queued instructions of the engines in `candidates`, and of those that they signal in
  /// turn.
  void start_pending(unsigned candidates) {
    while (candidates != 0) {
      const auto engine = static_cast<std::size_t>(std::countr_zero(candidates));
      candidates &= candidates - 1;
      auto& pending = tracks_[engine].pending;
      while (!pending.empty() && can_start(engine, pending.front().instruction)) {
        const Pending next = pending.front();
        pending.pop_front();
        --pending_;
        start(engine, next.instruction, next.index);
        candidates |= next.instruction.signal;
      }
    }
  }

  void check_bounds(const isa::Region& region, std::int32_t index, std::string_view verb) const {
    const std::int64_t capacity = maps_[static_cast<std::size_t>(region.memory)].capacity_bytes();
    if (region.low() >= 0 && region.high() <= capacity) return;
    fail("{}: {} {} [{:#x}, {:#x}), outside its {} bytes", text(index), verb,
         memory_name(region.memory), region.low(), region.high(), capacity);
  }

  /// Calls visit(runs) for each progression of the region's innermost dimension.
  template <typename Visit>
  static void for_each_row(const isa::Region& region, Visit&& visit) {
    // A stride below the run, or a negative one, goes run by run.
    const bool rows = region.stride[0] >= region.run;
    std::int64_t base2 = region.base;
    for (std::int64_t i2 = 0; i2 < region.count[2]; ++i2, base2 += region.stride[2]) {
      std::int64_t base1 = base2;
      for (std::int64_t i1 = 0; i1 < region.count[1]; ++i1, base1 += region.stride[1]) {
        if (rows) {
          visit(Runs{base1, region.run, region.count[0], region.stride[0]});
          continue;
        }
        for (std::int64_t i0 = 0; i0 < region.count[0]; ++i0)
          visit(Runs{base1 + i0 * region.stride[0], region.run});
      }
    }
  }

  [[nodiscard]] bool unordered(std::size_t engine, std::size_t other, std::uint32_t number) const {
    return other != engine && tracks_[engine].clock[other] <= number;
  }

  void read(const isa::Region& region, std::size_t engine, std::uint32_t number) {
    ByteMap& map = map_of(region.memory);
    const auto mark = [&](ByteState& state, std::int64_t low, std::int64_t high) {
      if (state.writer == ByteState::kNobody && is_whole_)
        unwritten(engine, region.memory, low, high);
      if (state.writer < kEngines && unordered(engine, state.writer, state.writer_number)) {
        conflict(engine, "reads", state.writer, state.writer_number, "writes", region.memory, low,
                 high);
      }
      state.readers |= static_cast<std::uint8_t>(1U << engine);
      state.reader_number[engine] = number;
    };
    map.begin_access();
    for_each_row(region, [&](const Runs& runs) { map.update(runs, mark); });
  }

  void write(const isa::Region& region, std::size_t engine, std::uint32_t number) {
    ByteMap& map = map_of(region.memory);
    ByteState written;
    written.writer = static_cast<std::uint8_t>(engine);
    written.writer_number = number;
    const auto check = [&](const ByteState& state, std::int64_t low, std::int64_t high) {
      if (state.writer == ByteState::kConstant) overwritten(engine, low, high);
      if (state.writer < kEngines && unordered(engine, state.writer, state.writer_number)) {
        conflict(engine, "writes", state.writer, state.writer_number, "writes", region.memory, low,
                 high);
      }
      for (unsigned readers = state.readers; readers != 0; readers &= readers - 1) {
        const auto r = static_cast<std::size_t>(std::countr_zero(readers));
        if (unordered(engine, r, state.reader_number[r])) {
          conflict(engine, "writes", r, state.reader_number[r], "reads", region.memory, low, high);
        }
      }
    };
    map.begin_access();
    for_each_row(region, [&](const Runs& runs) { map.replace(runs, written, check); });
  }

  void check_outputs() {
    if (!is_whole_) return;
    for (const isa::TensorRecord& t : program_.tensors) {
      if (t.role != isa::TensorRole::kOutput || t.memory != Memory::kDram) continue;
      map_of(Memory::kDram)
          .for_each(
              t.address, t.address + t.bytes(),
              [&](const ByteState& state, std::int64_t low, std::int64_t high) {
                if (state.writer != ByteState::kNobody) return;
                throw RunFault(fmt::format(
                    "unwritten output: tensor {} '{}': DRAM [{:#x}, {:#x}) is never written{}",
                    t.id, t.name, low, high, ends_with(t.ready_after)));
              });
    }
  }

  [[noreturn]] void unwritten(std::size_t engine, Memory memory, std::int64_t low,
                              std::int64_t high) const {
    throw RunFault(fmt::format(
        "unwritten read: {} reads {} [{:#x}, {:#x}), which nothing before it has written",
        text(tracks_[engine].index_of.back()), memory_name(memory), low, high));
  }

  [[noreturn]] void overwritten(std::size_t engine, std::int64_t low, std::int64_t high) const {
    const auto at = std::ranges::upper_bound(constants_, low, {}, &ConstantRange::high);
    throw RunFault(
        fmt::format("overwritten constant: {} writes DRAM [{:#x}, {:#x}), which holds {}",
                    text(tracks_[engine].index_of.back()), low, high, at->name));
  }

  [[noreturn]] void conflict(std::size_t engine, std::string_view verb, std::size_t other,
                             std::uint32_t number, std::string_view other_verb, Memory memory,
                             std::int64_t low, std::int64_t high) const {
    throw RunFault(fmt::format(
        "hazard: {} on {} {} {} [{:#x}, {:#x}), which {} on {} {}: no token orders them",
        text(tracks_[engine].index_of.back()), name_of(static_cast<isa::Engine>(engine)), verb,
        memory_name(memory), low, high, text(tracks_[other].index_of[number]),
        name_of(static_cast<isa::Engine>(other)), other_verb));
  }

  /// The instruction that ought to complete a tensor, if there is one.
  [[nodiscard]] std::string ends_with(std::int32_t index) const {
    if (index < 0 || index >= std::ssize(program_.code)) return "";
    return ", it should be whole after " + text(index);
  }

  /// "instruction 12 (mac.conv, layer 'CONV_2D #3')"
  [[nodiscard]] std::string text(std::int32_t index) const {
    const auto i = static_cast<std::size_t>(index);
    const std::string_view mnemonic = spec_of(program_.code[i].opcode).mnemonic;
    const std::int32_t layer = program_.layer_of.empty() ? -1 : program_.layer_of[i];
    if (layer < 0 || layer >= std::ssize(program_.layers))
      return fmt::format("instruction {} ({})", index, mnemonic);
    return fmt::format("instruction {} ({}, layer '{}')", index, mnemonic,
                       program_.layers[static_cast<std::size_t>(layer)].name);
  }

  const isa::Program& program_;
  const NpuConfig& config_;
  std::vector<ConstantRange> constants_;
  std::array<ByteMap, 3> maps_;  ///< Indexed by Memory.
  std::array<Track, kEngines> tracks_;
  std::size_t pending_ = 0;  ///< Over all tracks.
  const std::size_t max_pending_;
  const bool is_whole_;  ///< No parts of layers are left out.
  isa::Footprint footprint_;
};

}  // namespace

void check_program(const isa::Program& program, const NpuConfig& config) {
  Checker(program, config).run();
}

}  // namespace npu
