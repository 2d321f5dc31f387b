#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "sim/stats/timeline.h"

namespace npu {

/// How a count changed over one run: what a queue holds, requests under way.
class CountLog {
 public:
  struct Change {
    std::uint64_t cycle = 0;
    std::int64_t by = 0;
  };

  explicit CountLog(std::string name) : name_(std::move(name)) {}

  /// A run begins: what was left by the one before stays.
  void begin_run() {
    level_at_begin_ = level_;
    changes_.clear();
  }
  /// In any order of cycles; some lie ahead.
  void add(std::uint64_t cycle, std::int64_t by) {
    level_ += by;
    changes_.push_back({cycle, by});
  }

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::int64_t level_at_begin() const { return level_at_begin_; }
  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }

 private:
  std::string name_;
  std::int64_t level_ = 0, level_at_begin_ = 0;
  std::vector<Change> changes_;
};

/// Where what waits at a controller is counted, in core cycles; null: nowhere.
struct QueueWatch {
  CountLog* reads = nullptr;
  CountLog* writes = nullptr;

  void add(bool is_write, std::uint64_t cycle, std::int64_t by) const {
    CountLog* log = is_write ? writes : reads;
    if (log != nullptr) log->add(cycle, by);
  }
};

/// What the units of a machine did in one run, in absolute core cycles; recorded on request
/// (MachineOptions::record_activity).
struct ActivityLog {
  struct Unit {
    std::string name;
    PhaseLog phases;  ///< From begin_cycle to end_cycle.
  };
  std::uint64_t begin_cycle = 0, end_cycle = 0;
  std::vector<Unit> units;  ///< As in RunStats.
  /// "mac_array.queue": instructions in its queue; "tokens.mac.vec": given by the one to the other
  /// and not taken; "dma0.requests": under way; "dram0.reads", "dram0.writes": bursts that wait at
  /// the controller (of a memory of fixed latency: requests).
  std::vector<CountLog> counts;
};

}  // namespace npu
