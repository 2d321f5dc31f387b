#pragma once

#include <cstdint>
#include <vector>

#include "isa/instructions.h"
#include "sim/core/execution_engine.h"
#include "sim/stats/run_stats.h"

namespace npu {

/// Divides a run among its layers.
///
/// A layer ends when the last of its instructions completes; sorted by their ends, each layer's
/// span reaches from the end before to its own, the last one to the end of the run, so the spans
/// sum to the run. A layer without instructions has an empty span where the layer before it ends.
/// Busy cycles and events are those of its own instructions, whenever they ran.
class LayerAccounting {
 public:
  explicit LayerAccounting(std::size_t layer_count);

  /// @param events  Recorder::per_layer() at the start of the run.
  void begin_run(std::uint64_t cycle, const std::vector<EventCounts>& events);
  void on_complete(isa::Engine engine, const Completion& completion);
  /// @param events  Recorder::per_layer() at the end.  @param burst_bytes  of the DRAM.
  void end_run(std::uint64_t cycle, const std::vector<EventCounts>& events,
               std::uint64_t burst_bytes);

  /// Of the run that ended last.
  [[nodiscard]] const std::vector<LayerStats>& layers() const { return layers_; }

 private:
  void place_spans(std::uint64_t end_cycle);

  std::uint64_t begin_cycle_ = 0;
  std::vector<EventCounts> events_before_;
  std::vector<LayerStats> running_, layers_;
  std::vector<bool> has_instructions_;
};

}  // namespace npu
