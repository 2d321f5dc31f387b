#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace npu {

/// A countable event of the hardware; each has one row in the energy table.
enum class Event : std::uint8_t {
  kMacInt8,              ///< One int8 (or uint8) multiply-accumulate.
  kMacInt16,             ///< One int16×int8 multiply-accumulate.
  kWeightRegisterWrite,  ///< One byte into the array's weight registers.
  kScratchpadRead,       ///< One byte.
  kScratchpadWrite,      ///< One byte.
  kAccumulatorRead,      ///< One byte.
  kAccumulatorWrite,     ///< One byte.
  kVectorOp,  ///< One lane-operation of the vector unit (an element times its cycles), in integers.
  kDmaByte,   ///< One byte moved by a DMA channel.
  kInstruction,    ///< One instruction fetched, decoded and dispatched.
  kDramActivate,   ///< One activate + precharge pair.
  kDramRead,       ///< One read burst.
  kDramWrite,      ///< One write burst.
  kDramRefresh,    ///< One refresh command.
  kMacFloat16,     ///< One float16 multiply-accumulate, sum in float32.
  kMacBfloat16,    ///< The same of bfloat16.
  kMacFloat32,     ///< The same of float32.
  kVectorFloatOp,  ///< One lane-operation in float32.
};
inline constexpr std::size_t kEventCount = 18;
/// Those from here on have a row in the energy table only where it names them.
inline constexpr Event kFirstOptionalEvent = Event::kMacFloat16;

[[nodiscard]] std::string_view name_of(Event event);  ///< YAML key and ledger event: "mac_int8", …
[[nodiscard]] std::string_view component_of(Event event);  ///< "mac_array", "scratchpad", "dram", …

using EventCounts = std::array<std::uint64_t, kEventCount>;

/// One span on a track of the trace.
struct Span {
  std::uint32_t track;       ///< Index into Recorder::tracks.
  std::int32_t instruction;  ///< Static index in the program, −1 if none.
  std::uint64_t begin_cycle, end_cycle;
};

/// Collects counters, trace spans and activity over time. Owned by the NPU, passed by reference to
/// its units. Plain C++; deterministic: everything is recorded in simulation order.
class Recorder {
 public:
  explicit Recorder(std::size_t layer_count);

  /// The next program has this many layers: per_layer() starts anew and the spans are dropped,
  /// whose instructions are those of the program before; totals() goes on.
  void begin_program(std::size_t layer_count);

  /// Registers a track ("mac_array", "dma0", "dram0", …); call during elaboration.
  std::uint32_t add_track(std::string name);

  /// Counts `count` events for `layer` (−1: none), spread evenly over [begin_cycle, end_cycle] for
  /// the power trace.
  void count(Event event, std::uint64_t count, std::int32_t layer, std::uint64_t begin_cycle,
             std::uint64_t end_cycle);
  void span(const Span& s) {
    if (trace_enabled) spans_.push_back(s);
  }

  /// Called by count(); the power unit sets it to see the activity as it happens.
  using ActivityHook = std::function<void(Event, std::uint64_t count, std::uint64_t begin_cycle,
                                          std::uint64_t end_cycle)>;
  ActivityHook on_activity;
  bool trace_enabled = false;
  /// Whether to keep when events without a layer happened.
  bool keeps_without_layer = false;
  struct Activity {
    Event event;
    std::uint64_t count, begin_cycle, end_cycle;
  };
  [[nodiscard]] const std::vector<Activity>& without_layer() const { return without_layer_; }

  [[nodiscard]] const EventCounts& totals() const { return totals_; }
  [[nodiscard]] const std::vector<EventCounts>& per_layer() const {
    return per_layer_;
  }  ///< Last entry: no layer.
  [[nodiscard]] const std::vector<std::string>& tracks() const { return tracks_; }
  [[nodiscard]] const std::vector<Span>& spans() const { return spans_; }

 private:
  EventCounts totals_{};
  std::vector<EventCounts> per_layer_;
  std::vector<std::string> tracks_;
  std::vector<Span> spans_;
  std::vector<Activity> without_layer_;
};

}  // namespace npu
