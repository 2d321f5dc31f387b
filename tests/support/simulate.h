#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "isa/program.h"
#include "sim/config/npu_config.h"
#include "sim/stats/timeline.h"
#include "workloads/graph/graph.h"

namespace npu::test {

/// How a simulation ended.
enum class Outcome : std::uint8_t { kDone, kError, kRunFault, kInternal, kCrash };

/// What one simulation in a process of its own gave back.
struct Simulation {
  Outcome outcome = Outcome::kCrash;
  std::string message;  ///< Of the exception.
  std::uint64_t total_cycles = 0;
  std::uint64_t dram_bytes = 0;
  std::uint64_t macs = 0;      ///< As the array counted them.
  bool buckets_close = false;  ///< Every unit's buckets sum to total_cycles.
  std::map<std::string, std::array<std::uint64_t, kBucketCount>> buckets;  ///< By unit.
  double ledger_pj = 0, power_pj = 0;  ///< Sum of the ledger, integral of the power trace.
  std::map<std::int32_t, std::vector<std::byte>>
      tensors;  ///< Captured, by TensorId; empty when timing-only.
  std::map<std::int32_t, std::vector<std::byte>>
      outputs;  ///< What the DRAM holds of the outputs when the program has ended.
};

struct SimulateOptions {
  bool timing_only = false;
  int runs = 1;
  bool check_hazards = true;
  bool allow_other_config = false;  ///< Than the one that the program was made for.
};

/// Runs `program` on the machine in a child process: SystemC allows one simulation per process.
/// `inputs` by TensorId.
[[nodiscard]] Simulation simulate(const NpuConfig& config, const isa::Program& program,
                                  const std::map<std::int32_t, TensorData>& inputs,
                                  const SimulateOptions& options);

/// Runs `body` in a child process with its bytes as result; a crash or a time above `seconds` gives
/// Outcome::kCrash.
[[nodiscard]] Simulation in_child(const std::function<Simulation()>& body, unsigned seconds);

}  // namespace npu::test
