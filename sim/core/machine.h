#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "isa/program.h"
#include "sim/config/npu_config.h"
#include "sim/stats/recorder.h"
#include "sim/stats/timeline.h"

namespace npu {

struct MachineOptions {
  bool timing_only = false;     ///< Moves no data; the same cycles.
  bool check_hazards = true;    ///< Hazards and reads of unwritten bytes, before the run.
  bool trace = false;           ///< Record spans.
  bool capture_tensors = false;  ///< Snapshot every TensorRecord when it is ready (first run only unless asked again).
};

struct UnitStats {
  std::string name;  ///< "mac_array", "vector_unit", "dma0", "sequencer", "dram0"
  Timeline timeline;
};

/// Window of the power trace: average watts per component over [begin_cycle, end_cycle).
struct PowerSample {
  std::uint64_t begin_cycle = 0, end_cycle = 0;
  std::vector<double> watts;  ///< Indexed like RunStats::power_components.
};

struct LayerStats {
  std::uint64_t begin_cycle = 0, end_cycle = 0;  ///< Consecutive spans that sum to the total: a layer ends with its last instruction.
  std::uint64_t mac_busy_cycles = 0, vector_busy_cycles = 0, dma_busy_cycles = 0;  ///< Of its own instructions.
  std::uint64_t dram_read_bytes = 0, dram_write_bytes = 0;
  EventCounts events{};
};

struct RunStats {
  std::uint64_t total_cycles = 0;  ///< All runs so far together; a run starts when the one before has ended.
  std::vector<std::uint64_t> run_cycles;
  std::vector<UnitStats> units;    ///< Each timeline sums to total_cycles.
  std::vector<LayerStats> layers;  ///< Of the last run.
  EventCounts events{};            ///< All runs.
  std::vector<EventCounts> events_per_layer;  ///< All runs; last entry: no layer.
  std::vector<std::string> power_components;
  std::vector<PowerSample> power;
  std::vector<std::string> tracks;
  std::vector<Span> spans;
  std::uint64_t kernel_events = 0;  ///< Simulation events processed (for events per second).
};

/// The simulated NPU with a program in its DRAM. One per process (SystemC).
class Machine {
 public:
  /// Validates the program against the configuration and elaborates the SystemC model.
  /// @throws Error: program made for another configuration, operand out of range of its memory, engine or DMA
  /// channel that the configuration does not have, image beyond the DRAM.
  /// @throws RunFault: hazard or read of unwritten bytes, naming the instructions.
  Machine(const NpuConfig& config, isa::Program program, const MachineOptions& options);
  ~Machine();
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// Host access to the simulated DRAM between runs. No time passes.
  void write_dram(std::int64_t address, std::span<const std::byte> bytes);
  void read_dram(std::int64_t address, std::span<std::byte> bytes) const;

  /// Resets variables, runs the program once from the current time to its halt.
  /// @throws RunFault on deadlock, with the wait-for cycle: engine, instruction, token.
  void run();

  /// Tensors captured by the last run with capture_tensors, indexed like Program::tensors.
  [[nodiscard]] const std::vector<std::vector<std::byte>>& captured() const;

  [[nodiscard]] const isa::Program& program() const;
  [[nodiscard]] RunStats stats() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace npu
