#include "sim/onnx/stage_machine.h"

#include <algorithm>
#include <set>
#include <utility>

#include "sim/base/error.h"
#include "workloads/passes/find_attention.h"

namespace npu::onnx_run {
namespace {

using graph::Graph;
using graph::Node;
using graph::TensorId;
using onnx_import::NpuStage;
using onnx_import::Stage;

/// The node with its operands as a graph of its own.
Graph single_node(const Graph& graph, const Node& node) {
  Graph one;
  Node copy = node;
  const auto take = [&](TensorId& id) {
    one.tensors.push_back(graph.tensor(id));
    id = static_cast<TensorId>(one.tensors.size() - 1);
  };
  std::map<TensorId, TensorId> taken;
  for (TensorId& id : copy.inputs) {
    if (id == graph::kAbsent) continue;
    const TensorId from = id;
    if (const auto it = taken.find(from); it != taken.end()) {
      id = it->second;
      continue;
    }
    take(id);
    taken.emplace(from, id);
    if (!one.tensors.back().is_constant) one.inputs.push_back(id);
  }
  for (TensorId& id : copy.outputs) {
    take(id);
    one.outputs.push_back(id);
  }
  one.nodes.push_back(std::move(copy));
  return one;
}

const isa::TensorRecord& record_of(const isa::Program& program, TensorId id, isa::TensorRole role) {
  const auto record = std::find_if(program.tensors.begin(), program.tensors.end(),
                                   [&](const auto& t) { return t.id == id && t.role == role; });
  NPU_CHECK(record != program.tensors.end(), "a record of every tensor that crosses");
  return *record;
}

}  // namespace

std::string lowering_refusal(const Graph& graph, const Node& node) {
  switch (kernels::place_of(graph, node)) {
    case kernels::Place::kNpu:
    case kernels::Place::kAlias:
      return "";
    default:
      return fmt::format("{} of {} is not lowered", name_of(node.kind),
                         name_of(graph.tensor(node.outputs.at(0)).type));
  }
}

onnx_import::Plan plan_stages(const onnx_import::Network& network,
                              const onnx_import::ConvertOptions& convert,
                              kernels::AttentionVariant attention) {
  onnx_import::Plan plan = make_plan(network, convert);
  if (attention == kernels::AttentionVariant::kAuto) return plan;
  for (Stage& stage : plan.stages) {
    auto* npu = std::get_if<NpuStage>(&stage);
    if (npu != nullptr) (void)passes::find_attention(npu->graph);
  }
  return plan;
}

/// Graphs get the order of roundings that their programs have.
CompiledPlan compile_all(onnx_import::Plan plan, const NpuConfig& config,
                         const kernels::CompileOptions& options) {
  CompiledPlan compiled;
  for (Stage& stage : plan.stages) {
    kernels::Compiled& c = compiled.programs.emplace_back();
    auto* npu = std::get_if<NpuStage>(&stage);
    if (npu == nullptr) continue;
    c = kernels::compile(npu->graph, config, options);
    kernels::apply_roundings(npu->graph, c.program);
  }
  compiled.plan = std::move(plan);
  return compiled;
}

CompiledPlan compile_plan(const onnx_import::Network& network, const NpuConfig& config,
                          const PlanOptions& options) {
  onnx_import::ConvertOptions convert;
  convert.precision = options.precision;
  convert.refusal = lowering_refusal;
  const kernels::CompileOptions compile{.timing_only = options.timing_only,
                                        .attention = options.attention};
  try {
    return compile_all(plan_stages(network, convert, options.attention), config, compile);
  } catch (const Error&) {
    // Which node it is shows when each is compiled alone.
    convert.refusal = [&](const Graph& graph, const Node& node) -> std::string {
      std::string refusal = lowering_refusal(graph, node);
      if (!refusal.empty()) return refusal;
      try {
        (void)kernels::compile(single_node(graph, node), config,
                               {.timing_only = true, .attention = options.attention});
        return "";
      } catch (const Error& error) {
        return error.what();
      }
    };
    return compile_all(plan_stages(network, convert, options.attention), config, compile);
  }
}

StageMachine::StageMachine(const NpuConfig& config, const CompiledPlan& plan,
                           const MachineOptions& options)
    : plan_(plan) {
  while (std::holds_alternative<onnx_import::HostStage>(plan.plan.stages.at(loaded_))) ++loaded_;
  machine_ = std::make_unique<Machine>(config, plan.programs[loaded_].program, options);
}

void StageMachine::load(std::size_t stage) {
  if (stage == loaded_) return;
  machine_->load(plan_.programs.at(stage).program);
  loaded_ = stage;
}

std::vector<TensorData> StageMachine::run(std::size_t stage,
                                          const std::vector<TensorData>& inputs) {
  load(stage);
  const auto& npu = std::get<NpuStage>(plan_.plan.stages.at(stage));
  const isa::Program& program = machine_->program();
  NPU_CHECK(inputs.size() == npu.inputs.size(), "a tensor per input");
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    for (const isa::TensorRecord& t : program.tensors) {
      if (t.id != npu.inputs[i].tensor || t.role != isa::TensorRole::kInput) continue;
      machine_->write_dram(t.address, inputs[i].bytes);
    }
  }
  machine_->run();
  std::vector<TensorData> outputs;
  for (const onnx_import::Binding& b : npu.outputs) {
    const isa::TensorRecord& t = record_of(program, b.tensor, isa::TensorRole::kOutput);
    const graph::Tensor& tensor = npu.graph.tensor(b.tensor);
    TensorData data = TensorData::zeros(tensor.type, tensor.shape);
    machine_->read_dram(t.address, data.bytes);
    outputs.push_back(std::move(data));
  }
  return outputs;
}

void StageMachine::run_timing(std::size_t stage) {
  load(stage);
  machine_->run();
}

}  // namespace npu::onnx_run
