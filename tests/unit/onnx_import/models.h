#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "kernels/onnx_import/run_plan.h"
#include "kernels/reference/reference.h"
#include "workloads/onnx/model.h"

namespace npu::onnx_import {

/// ONNX models made in tests, node by node.
class ModelMaker {
 public:
  explicit ModelMaker(std::int64_t opset = 17) {
    model_.file = "made.onnx";
    model_.ir_version = 8;
    model_.opsets[""] = opset;
  }

  ModelMaker& input(const std::string& name, const Shape& shape,
                    onnx::ElementType type = onnx::ElementType::kFloat) {
    onnx::ValueInfo info{name, type, {}, true, ""};
    for (const std::int64_t d : shape) info.shape.push_back({d, ""});
    model_.graph.inputs.push_back(std::move(info));
    return *this;
  }
  ModelMaker& constant(const std::string& name, const Shape& shape,
                       const std::vector<double>& elements,
                       onnx::ElementType type = onnx::ElementType::kFloat) {
    model_.graph.initializers[name] = from_doubles(type, shape, elements);
    return *this;
  }
  ModelMaker& integers(const std::string& name, const std::vector<std::int64_t>& elements) {
    const Shape shape = {static_cast<std::int64_t>(elements.size())};
    model_.graph.initializers[name] =
        onnx::from_integers(onnx::ElementType::kInt64, shape, elements);
    return *this;
  }
  ModelMaker& node(
      const std::string& op, std::vector<std::string> inputs, std::vector<std::string> outputs,
      std::initializer_list<std::pair<const std::string, onnx::Attribute>> attributes = {}) {
    onnx::Node n;
    n.op_type = op;
    n.inputs = std::move(inputs);
    n.outputs = std::move(outputs);
    for (const auto& [name, value] : attributes) n.attributes.emplace(name, value);
    model_.graph.nodes.push_back(std::move(n));
    return *this;
  }
  ModelMaker& output(const std::string& name) {
    onnx::ValueInfo info;
    info.name = name;
    model_.graph.outputs.push_back(std::move(info));
    return *this;
  }
  onnx::Model& model() { return model_; }

 private:
  onnx::Model model_;
};

/// NPU stages by the CPU reference of graphs.
inline std::vector<TensorData> run_by_reference(std::size_t /*stage*/, const NpuStage& stage,
                                                const std::vector<TensorData>& inputs) {
  const reference::Values values = reference::run_integer(stage.graph, inputs);
  std::vector<TensorData> outputs;
  for (const Binding& b : stage.outputs) {
    outputs.push_back(values.tensors.at(static_cast<std::size_t>(b.tensor)));
  }
  return outputs;
}

}  // namespace npu::onnx_import
