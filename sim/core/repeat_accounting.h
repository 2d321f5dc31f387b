#pragma once

#include <cstdint>
#include <vector>

#include "isa/program.h"
#include "sim/memory/dram.h"
#include "sim/power/power_unit.h"
#include "sim/stats/recorder.h"
#include "sim/stats/repeats.h"
#include "sim/stats/run_stats.h"

namespace npu {

/// @throws Error for a program in which layers stand for several, if it is to compute or to record
/// a schedule: it can only be timed.
void check_repeats(const isa::Program& program, bool timing_only, bool record_schedule);

/// Makes the statistics of a program in which layers stand for several equal ones
/// (isa::LayerRecord::repeats) those of the whole network.
///
/// The span of a layer (LayerAccounting) is taken as often as the layer repeats, with everything
/// that happens in it: the cycles of every unit's buckets, events that belong to no layer, the
/// power. The layer's own events and busy cycles are multiplied. So all that closes in the
/// simulated run closes in the whole one: layers' spans and each unit's buckets sum to the total,
/// events to their layers and to none. The windows of the power trace are cut at the spans' ends,
/// say how often they repeat, and are scaled by one factor per component to the energy of the
/// events, which follow their layers and not the windows.
class RepeatAccounting {
 public:
  explicit RepeatAccounting(const isa::Program& program);

  /// Whether any layer repeats; the other members are for that case.
  [[nodiscard]] bool is_needed() const { return is_needed_; }

  /// @throws Error if either this program or the next one has such layers: one machine runs no
  /// other beside it.
  void expect_alone(const isa::Program& next) const;

  void begin_run(const std::vector<Timeline*>& units, Dram& dram);
  /// All units are accounted up to `end_cycle`.
  void end_run(std::uint64_t begin_cycle, std::uint64_t end_cycle,
               const std::vector<LayerStats>& layers);
  /// Turns what was simulated into what it stands for.
  void apply(RunStats& stats, const Recorder& recorder, const PowerUnit& power) const;

 private:
  using Buckets = std::array<std::uint64_t, kBucketCount>;

  std::vector<std::uint64_t> repeats_;  ///< Per layer.
  bool is_needed_;
  std::vector<PhaseLog> unit_logs_, dram_logs_;  ///< Of the run.
  std::vector<Buckets> buckets_;                 ///< Per unit, of all runs, the DRAM's last.
  std::vector<Stretch> stretches_;               ///< Of all runs.
  std::vector<std::uint64_t> run_cycles_;
};

}  // namespace npu
