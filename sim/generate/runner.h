#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "kernels/llm/step.h"
#include "sim/config/npu_config.h"
#include "sim/core/machine.h"

namespace npu::generate {

/// Cycles, energy and traffic of a part of a step.
struct Cost {
  std::uint64_t cycles = 0;
  double energy_pj = 0;  ///< Events and the leakage of the cycles.
  std::uint64_t dram_read_bytes = 0, dram_write_bytes = 0;
  std::int64_t macs = 0;

  Cost& operator+=(const Cost& other);
};

/// What a step cost. The stages' cycles sum to the total's; events that belong to no layer (DRAM
/// refresh, …) are in the total alone.
struct StepCost {
  Cost total;
  std::array<Cost, llm_kernels::kStages> stages;
  std::int64_t rows = 0;  ///< Tokens that went through.

  StepCost& operator+=(const StepCost& other);
};

struct StepOutcome {
  std::vector<std::vector<float>> logits;  ///< In the order of the parts that want them.
  StepCost cost;
};

/// A model in the DRAM of a simulated NPU: weights are written once, each step is a program of its
/// own, KV caches stay between them. One per process (SystemC).
class Runner {
 public:
  /// @throws Error if the model does not fit the DRAM.
  Runner(const llm::Llama& model, const llm_kernels::LayoutOptions& options,
         const NpuConfig& config);
  ~Runner();
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /// @throws Error, RunFault as compile_step and Machine do.
  [[nodiscard]] StepOutcome run(const llm_kernels::Step& step);

  /// The most tokens of a step.
  [[nodiscard]] std::int64_t most_rows() const { return most_rows_; }
  [[nodiscard]] const llm_kernels::ModelLayout& layout() const { return layout_; }
  /// After the first step.
  [[nodiscard]] const Machine& machine() const { return *machine_; }

 private:
  void load(isa::Program program);
  [[nodiscard]] StepCost cost_of_run() const;

  const llm::Llama& model_;
  const NpuConfig config_;
  const llm_kernels::ModelLayout layout_;
  const std::int64_t most_rows_;
  std::unique_ptr<Machine> machine_;
};

}  // namespace npu::generate
