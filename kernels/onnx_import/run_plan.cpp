#include "kernels/onnx_import/run_plan.h"

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx_import {
namespace {

using onnx::Value;

class Runner {
 public:
  Runner(const Network& network, onnx::Values inputs)
      : network_(network), graph_(network.model.graph), values_(std::move(inputs)) {
    for (const onnx::ValueInfo& input : graph_.inputs) {
      const std::string place = fmt::format("{}: input \"{}\"", network.model.file, input.name);
      const auto it = values_.find(input.name);
      if (it == values_.end()) fail("{}: it is missing", place);
      const ValueType& type = network.type(input.name);
      if (it->second.type != type.type || it->second.shape != type.shape) {
        fail("{}: expected {}{}, got {}{}", place, name_of(type.type), to_string(type.shape),
             name_of(it->second.type), to_string(it->second.shape));
      }
    }
  }

  void run_host(std::size_t index) {
    const onnx::Node& node = graph_.nodes.at(index);
    const std::string place = fmt::format("{}: {}", network_.model.file, describe(node, index));
    std::vector<const Value*> inputs;
    for (const std::string& name : node.inputs) {
      inputs.push_back(name.empty() ? nullptr : &find(name));
    }
    std::vector<Value> outputs = evaluate(node, network_.opset(node.domain), inputs, place);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (!node.outputs[i].empty()) {
        values_.insert_or_assign(node.outputs[i], std::move(outputs[i]));
      }
    }
  }

  void run_npu(std::size_t index, const NpuStage& stage, const NpuRunner& npu) {
    std::vector<TensorData> inputs;
    for (const Binding& b : stage.inputs) {
      inputs.push_back(to_tensor(find(b.value), stage.graph.tensor(b.tensor), b.value));
    }
    std::vector<TensorData> outputs = npu(index, stage, inputs);
    NPU_CHECK(outputs.size() == stage.outputs.size(), "a tensor per output");
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const std::string& name = stage.outputs[i].value;
      values_.insert_or_assign(name, to_value(outputs[i], network_.type(name)));
    }
  }

  [[nodiscard]] std::vector<Value> results() const {
    std::vector<Value> results;
    for (const NetworkOutput& output : network_.outputs) results.push_back(find(output.value));
    return results;
  }

 private:
  [[nodiscard]] const Value& find(const std::string& name) const {
    if (const auto it = values_.find(name); it != values_.end()) return it->second;
    const Value* constant = network_.constant(name);
    NPU_CHECK(constant != nullptr, "stages are in order");
    return *constant;
  }

  const Network& network_;
  const onnx::Graph& graph_;
  onnx::Values values_;
};

}  // namespace

std::vector<Value> run_plan(const Network& network, const Plan& plan, onnx::Values inputs,
                            const NpuRunner& npu) {
  Runner runner(network, std::move(inputs));
  for (std::size_t i = 0; i < plan.stages.size(); ++i) {
    if (const auto* stage = std::get_if<NpuStage>(&plan.stages[i]); stage != nullptr) {
      runner.run_npu(i, *stage, npu);
      continue;
    }
    for (const HostNode& node : std::get<HostStage>(plan.stages[i]).nodes) {
      runner.run_host(node.node);
    }
  }
  return runner.results();
}

}  // namespace npu::onnx_import
