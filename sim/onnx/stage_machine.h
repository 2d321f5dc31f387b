#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/lowering/compile.h"
#include "kernels/onnx_import/plan.h"
#include "sim/config/npu_config.h"
#include "sim/core/machine.h"

namespace npu::onnx_run {

/// A plan with the programs of its NPU stages.
struct CompiledPlan {
  onnx_import::Plan plan;
  std::vector<kernels::Compiled> programs;  ///< By stage; empty programs for host stages.
};

struct PlanOptions {
  std::optional<DType> precision;  ///< See onnx_import::ConvertOptions.
  bool timing_only = false;
  kernels::AttentionVariant attention = kernels::AttentionVariant::kAuto;
};

/// Why the compiler has no lowering for a node; empty if it has.
[[nodiscard]] std::string lowering_refusal(const graph::Graph& graph, const graph::Node& node);

/// What make_plan() says. With a variant of attention other than kAuto, attention in single nodes
/// is one ATTENTION (passes::find_attention), for that variant to decide about.
[[nodiscard]] onnx_import::Plan plan_stages(const onnx_import::Network& network,
                                            const onnx_import::ConvertOptions& convert,
                                            kernels::AttentionVariant attention);

/// Compiles the NPU stages of a plan. @throws Error for what the compiler refuses.
[[nodiscard]] CompiledPlan compile_all(onnx_import::Plan plan, const NpuConfig& config,
                                       const kernels::CompileOptions& options);

/// Plans a network for an NPU and compiles its stages: nodes that the compiler has no lowering for,
/// and nodes that it refuses on this configuration (a tile that does not fit), run on the host.
/// @throws Error for what it refuses only in the company of other nodes.
[[nodiscard]] CompiledPlan compile_plan(const onnx_import::Network& network,
                                        const NpuConfig& config, const PlanOptions& options);

/// The NPU of a plan: one machine that runs the stages' programs one after the other, each with its
/// own places in DRAM. Values cross between stages through the host.
class StageMachine {
 public:
  /// The plan must outlive the machine and have an NPU stage.
  StageMachine(const NpuConfig& config, const CompiledPlan& plan, const MachineOptions& options);

  /// Loads the stage's program if another one is there, writes its inputs, runs it, reads its
  /// outputs (in the order of the stage's bindings).
  [[nodiscard]] std::vector<TensorData> run(std::size_t stage,
                                            const std::vector<TensorData>& inputs);
  /// The same without data, for timing-only machines.
  void run_timing(std::size_t stage);

  [[nodiscard]] Machine& machine() { return *machine_; }
  [[nodiscard]] const Machine& machine() const { return *machine_; }

 private:
  void load(std::size_t stage);

  const CompiledPlan& plan_;
  std::unique_ptr<Machine> machine_;
  std::size_t loaded_ = 0;
};

}  // namespace npu::onnx_run
