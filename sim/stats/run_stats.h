#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/stats/recorder.h"
#include "sim/stats/timeline.h"

namespace npu {

struct UnitStats {
  std::string name;  ///< "mac_array", "vector_unit", "dma0", "sequencer", "dram0"
  Timeline timeline;
};

/// Window of the power trace: average watts per component over [begin_cycle, end_cycle), which
/// stands for `repeats` such stretches.
struct PowerSample {
  std::uint64_t begin_cycle = 0, end_cycle = 0;
  std::vector<double> watts;  ///< Indexed like RunStats::power_components.
  std::uint64_t repeats = 1;
};

struct LayerStats {
  /// Consecutive spans that sum to the run's cycles: a layer ends with its last instruction.
  /// Absolute cycles, as those of the trace and of the power samples.
  std::uint64_t begin_cycle = 0, end_cycle = 0;
  /// How many equal layers the figures are of, which it stood for in the simulation; its span, as
  /// often as that, is their time.
  std::uint64_t repeats = 1;
  /// Cycles of parts of the span that stand for several, beyond those of the span itself.
  std::uint64_t further_cycles = 0;
  /// Of its own instructions; summed over the DMA channels.
  std::uint64_t mac_busy_cycles = 0, vector_busy_cycles = 0, dma_busy_cycles = 0;
  std::uint64_t dram_read_bytes = 0, dram_write_bytes = 0;  ///< Whole bursts.
  EventCounts events{};

  [[nodiscard]] std::uint64_t cycles() const {
    return (end_cycle - begin_cycle) * repeats + further_cycles;
  }
};

/// One run: what a reader of many short runs needs of each.
struct RunTotals {
  std::uint64_t cycles = 0;
  EventCounts events{};            ///< Those of no layer included.
  std::vector<LayerStats> layers;  ///< Their spans sum to the cycles.
};

/// Figures are those of the whole network; where layers repeat that were simulated once, those say
/// so, and spans, trace and power samples lie in the simulated time.
struct RunStats {
  std::uint64_t simulated_cycles = 0;      ///< total_cycles, repeated layers once.
  std::uint64_t last_run_begin_cycle = 0;  ///< In simulated time.
  std::uint64_t total_cycles = 0;  ///< All runs together; a run starts when the one before ended.
  std::vector<std::uint64_t> run_cycles;
  std::vector<UnitStats> units;               ///< Each timeline sums to total_cycles.
  std::vector<LayerStats> layers;             ///< Of the last run.
  EventCounts events{};                       ///< All runs.
  std::vector<EventCounts> events_per_layer;  ///< All runs of the program; last entry: no layer.
  std::vector<std::string> power_components;
  std::vector<PowerSample> power;
  std::vector<std::string> tracks;
  std::vector<Span> spans;          ///< Of the program that ran last.
  std::uint64_t kernel_events = 0;  ///< Delta cycles of the SystemC kernel (for events per second).

  /// Length of each layer's span, once whatever it stands for.
  [[nodiscard]] std::vector<std::uint64_t> span_cycles() const {
    std::vector<std::uint64_t> cycles;
    cycles.reserve(layers.size());
    for (const LayerStats& l : layers) cycles.push_back(l.end_cycle - l.begin_cycle);
    return cycles;
  }
};

}  // namespace npu
