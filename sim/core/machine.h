#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "isa/program.h"
#include "sim/config/npu_config.h"
#include "sim/stats/activity_log.h"
#include "sim/stats/run_stats.h"
#include "sim/stats/schedule.h"

namespace npu {

struct MachineOptions {
  bool timing_only = false;      ///< Moves no data; the same cycles.
  bool check_hazards = true;     ///< Hazards and reads of unwritten bytes, before the run.
  bool trace = false;            ///< Record spans.
  bool record_schedule = false;  ///< Record what every instruction waited for: schedule().
  bool record_activity = false;  ///< Record what every unit and queue did: activity().
  bool capture_tensors = false;  ///< Snapshot every TensorRecord when it is ready, in the first
                                 ///< run; see capture_next_run().
  bool allow_other_config =
      false;  ///< Run a program whose config_fingerprint is another configuration's.
};

/// The simulated NPU with a program in its DRAM; programs may follow one another. One at a time in
/// a process (SystemC).
class Machine {
 public:
  /// Validates the program against the configuration and elaborates the SystemC model.
  /// @throws Error: program made for another configuration, operand out of range of its memory,
  /// engine or DMA channel that the configuration does not have, image beyond the DRAM.
  /// @throws RunFault: hazard or read of unwritten bytes, naming the instructions.
  Machine(const NpuConfig& config, isa::Program program, const MachineOptions& options);
  ~Machine();
  /// After the last Machine died: makes the SystemC kernel as new, so that another can be built.
  static void reset_kernel();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Puts another program in the place of the present one, between runs: checked as the first was,
  /// its image and code written to DRAM. No time passes, what else is in DRAM stays, and counters
  /// go on; those per layer, spans, schedule and captured tensors are the new program's.
  /// @throws Error, RunFault as the constructor; the machine keeps its program then.
  void load(isa::Program program);

  /// Host access to the simulated DRAM between runs. No time passes.
  void write_dram(std::int64_t address, std::span<const std::byte> bytes);
  void read_dram(std::int64_t address, std::span<std::byte> bytes) const;

  /// Resets variables, runs the program once from the current time to its halt.
  /// @throws RunFault on deadlock, with the wait-for cycle: engine, instruction, token.
  void run();

  /// Captures the tensors of the next run, too. @throws Error when timing-only.
  void capture_next_run();
  /// Tensors captured by the last run that did, indexed like Program::tensors; empty where none
  /// was.
  [[nodiscard]] const std::vector<std::vector<std::byte>>& captured() const;

  [[nodiscard]] const isa::Program& program() const;
  [[nodiscard]] RunStats stats() const;
  /// Of the last run.
  [[nodiscard]] const RunTotals& last_run() const;
  /// Of the last run; empty unless MachineOptions::record_schedule.
  [[nodiscard]] const Schedule& schedule() const;
  /// Of the last run; empty unless MachineOptions::record_activity.
  [[nodiscard]] const ActivityLog& activity() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace npu
