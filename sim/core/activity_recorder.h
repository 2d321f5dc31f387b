#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/core/execution_engine.h"
#include "sim/core/token_board.h"
#include "sim/memory/core_clock.h"
#include "sim/memory/dma.h"
#include "sim/memory/dram.h"
#include "sim/stats/activity_log.h"

namespace npu {

/// Records the ActivityLog of the last run: looks on, no event and no time of the simulation comes
/// from it.
class ActivityRecorder {
 public:
  struct Units {
    std::vector<std::pair<std::string, Timeline*>> timelines;  ///< But the DRAM's.
    const std::vector<std::unique_ptr<ExecutionEngine>>& engines;
    const std::vector<std::unique_ptr<DmaChannel>>& dma;
    TokenBoard& tokens;
    Dram& dram;
  };
  /// From now on; once, before the first run.
  void watch(const Units& units, const CoreClock& clock);
  void begin_run(std::uint64_t cycle);
  void end_run(std::uint64_t cycle) { log_.end_cycle = cycle; }

  /// Of the last run; without units if nothing is watched.
  [[nodiscard]] const ActivityLog& log() const { return log_; }

 private:
  ActivityLog log_;
  std::vector<Timeline*> timelines_;  ///< As log_.units.
};

}  // namespace npu
