#include "sim/session/inference.h"

#include <algorithm>

#include "kernels/lowering/compile.h"
#include "kernels/reference/reference.h"
#include "sim/base/error.h"

namespace npu::session {
namespace {

/// The node alone, its operands as inputs.
graph::Graph single_node(const graph::Graph& network, const graph::Node& node) {
  graph::Graph one;
  one.name = network.name;
  graph::Node copy = node;
  for (graph::TensorId& id : copy.inputs) {
    if (id == graph::kAbsent) continue;
    one.tensors.push_back(network.tensor(id));
    id = static_cast<graph::TensorId>(one.tensors.size() - 1);
    if (!one.tensors.back().is_constant) one.inputs.push_back(id);
  }
  for (graph::TensorId& id : copy.outputs) {
    one.tensors.push_back(network.tensor(id));
    id = static_cast<graph::TensorId>(one.tensors.size() - 1);
    one.outputs.push_back(id);
  }
  one.nodes.push_back(std::move(copy));
  return one;
}

bool is_host(const graph::Graph& network, const graph::Node& node) {
  return kernels::place_of(network, node) == kernels::Place::kHost;
}

/// Activations among the operands.
std::vector<graph::TensorId> operands(const graph::Graph& network, const graph::Node& node) {
  std::vector<graph::TensorId> out;
  for (const graph::TensorId id : node.inputs) {
    if (id != graph::kAbsent && !network.tensor(id).is_constant) out.push_back(id);
  }
  return out;
}

bool all_present(const TensorMap& values, const std::vector<graph::TensorId>& ids) {
  return std::ranges::all_of(ids, [&](graph::TensorId id) { return values.contains(id); });
}

}  // namespace

Host::Host(Machine& machine, const graph::Graph* network) : machine_(machine), network_(network) {
  if (network_ != nullptr) {
    input_ids_ = network_->inputs;
    outputs_ = network_->outputs;
    for (const graph::TensorId id : input_ids_) {
      const graph::Tensor& t = network_->tensor(id);
      inputs_.push_back({t.name, t.type, t.shape});
    }
    return;
  }
  for (const isa::TensorRecord& t : machine_.program().tensors) {
    if (t.role == isa::TensorRole::kOutput) outputs_.push_back(t.id);
    if (t.role != isa::TensorRole::kInput) continue;
    input_ids_.push_back(t.id);
    inputs_.push_back({t.name, t.type, t.shape});
  }
}

TensorMap Host::infer(const std::vector<TensorData>& inputs) {
  NPU_CHECK(inputs.size() == input_ids_.size(), "one tensor per network input");
  TensorMap values;
  for (std::size_t i = 0; i < inputs.size(); ++i) values[input_ids_[i]] = inputs[i];
  run_host_nodes(values);
  for (const isa::TensorRecord& t : machine_.program().tensors) {
    if (t.role != isa::TensorRole::kInput) continue;
    const auto at = values.find(t.id);
    if (at == values.end() || std::ssize(at->second.bytes) != t.bytes()) {
      fail("the program's input tensor {} '{}' is not one of the model's", t.id, t.name);
    }
    machine_.write_dram(t.address, at->second.bytes);
  }
  machine_.run();
  for (const isa::TensorRecord& t : machine_.program().tensors) {
    if (t.role != isa::TensorRole::kOutput) continue;
    if (t.memory != isa::Memory::kDram) {
      fail("the program's output tensor {} '{}' does not lie in DRAM", t.id, t.name);
    }
    TensorData data = TensorData::zeros(t.type, t.shape);
    machine_.read_dram(t.address, data.bytes);
    values[t.id] = std::move(data);
  }
  run_host_nodes(values);
  for (const graph::TensorId id : outputs_) {
    if (!values.contains(id)) fail("the program does not produce the model's output tensor {}", id);
    if (network_ != nullptr && values[id].type != network_->tensor(id).type) {
      fail("the program's output tensor {} is {}, the model's {}", id, name_of(values[id].type),
           name_of(network_->tensor(id).type));
    }
  }
  return values;
}

void Host::run_host_nodes(TensorMap& values) const {
  if (network_ == nullptr) return;
  for (const graph::Node& node : network_->nodes) {
    if (!is_host(*network_, node) || values.contains(node.outputs.at(0))) continue;
    const std::vector<graph::TensorId> ids = operands(*network_, node);
    if (!all_present(values, ids)) continue;
    std::vector<TensorData> inputs;
    for (const graph::TensorId id : ids) inputs.push_back(values[id]);
    const graph::Graph one = single_node(*network_, node);
    reference::Values result = reference::run_integer(one, inputs);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      values[node.outputs[i]] =
          std::move(result.tensors.at(static_cast<std::size_t>(one.outputs[i])));
    }
  }
}

TensorMap Host::captured() const {
  TensorMap out;
  const isa::Program& program = machine_.program();
  for (std::size_t i = 0; i < program.tensors.size(); ++i) {
    const isa::TensorRecord& t = program.tensors[i];
    if (t.role == isa::TensorRole::kVariable) {
      if (t.memory != isa::Memory::kDram) continue;
      TensorData state = TensorData::zeros(t.type, t.shape);
      machine_.read_dram(t.address, state.bytes);
      out[t.id] = std::move(state);
      continue;
    }
    const std::vector<std::byte>& bytes = machine_.captured().at(i);
    if (std::ssize(bytes) == t.bytes()) out[t.id] = TensorData{t.type, t.shape, bytes};
  }
  if (network_ == nullptr) return out;
  for (const graph::Node& node : network_->nodes) {
    if (kernels::place_of(*network_, node) != kernels::Place::kAlias) continue;
    const auto source = out.find(node.inputs.at(0));
    const graph::TensorId id = node.outputs.at(0);
    if (source == out.end() || out.contains(id)) continue;
    const graph::Tensor& t = network_->tensor(id);
    out[id] = TensorData{t.type, t.shape, source->second.bytes};
  }
  return out;
}

std::vector<report::HostOp> Host::host_ops(const std::optional<HostConfig>& host) const {
  std::vector<report::HostOp> out;
  if (network_ == nullptr) return out;
  for (const graph::Node& node : network_->nodes) {
    if (!is_host(*network_, node)) continue;
    // What crosses is the side that the NPU sees: its records are the program's inputs and outputs.
    std::int64_t bytes = 0;
    std::vector<graph::TensorId> ids = operands(*network_, node);
    ids.insert(ids.end(), node.outputs.begin(), node.outputs.end());
    for (const isa::TensorRecord& t : machine_.program().tensors) {
      const bool crosses = t.role == isa::TensorRole::kInput || t.role == isa::TensorRole::kOutput;
      if (crosses && std::ranges::find(ids, t.id) != ids.end()) bytes += t.bytes();
    }
    std::int64_t elements = 0;
    for (const graph::TensorId id : ids) {
      elements = std::max(elements, element_count(network_->tensor(id).shape));
    }
    const double seconds =
        host ? host->seconds(0, static_cast<double>(elements), static_cast<double>(bytes)) : 0;
    out.push_back({graph::describe(node), bytes, seconds});
  }
  return out;
}

}  // namespace npu::session
