#include "kernels/onnx_reference/run.h"

#include <set>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {
namespace {

std::int64_t opset_of(const Model& model, const std::string& domain) {
  const auto it = model.opsets.find(domain);
  if (it == model.opsets.end()) fail("{}: operator set \"{}\" is not imported", model.file, domain);
  return it->second;
}

void check_input(const Model& model, const ValueInfo& info, const Value& value) {
  const std::string place = fmt::format("{}: input \"{}\"", model.file, info.name);
  if (value.type != info.type) {
    fail("{}: expected {}, got {}", place, name_of(info.type), name_of(value.type));
  }
  if (!info.has_shape) return;
  bool fits = info.shape.size() == value.shape.size();
  for (std::size_t d = 0; fits && d < info.shape.size(); ++d) {
    fits = info.shape[d].size < 0 || info.shape[d].size == value.shape[d];
  }
  if (!fits) fail("{}: a tensor of {} does not fit", place, to_string(value.shape));
}

/// For each value how many nodes have yet to read it; outputs are kept by one more.
std::map<std::string_view, std::size_t> reader_counts(const Graph& graph) {
  std::map<std::string_view, std::size_t> counts;
  for (const Node& node : graph.nodes) {
    for (const std::string& name : node.inputs) ++counts[name];
  }
  for (const ValueInfo& output : graph.outputs) ++counts[output.name];
  return counts;
}

}  // namespace

std::string unsupported_reason(const Model& model) {
  for (const auto* list : {&model.graph.inputs, &model.graph.outputs}) {
    for (const ValueInfo& info : *list) {
      if (!info.other.empty()) return fmt::format("\"{}\" is a {}", info.name, info.other);
      if (info.type != ElementType::kUndefined && !is_supported(info.type)) {
        return fmt::format("\"{}\" holds {}", info.name, name_of(info.type));
      }
    }
  }
  for (const Node& node : model.graph.nodes) {
    if (find_operator(node.domain, node.op_type) == nullptr) {
      return fmt::format("operator {}{}{}", node.domain, node.domain.empty() ? "" : ".",
                         node.op_type);
    }
  }
  return {};
}

std::vector<Value> run(const Model& model, Values values) {
  const Graph& graph = model.graph;
  for (const ValueInfo& info : graph.inputs) {
    const auto it = values.find(info.name);
    if (it == values.end()) fail("{}: input \"{}\" is missing", model.file, info.name);
    check_input(model, info, it->second);
  }
  auto readers = reader_counts(graph);
  const auto find = [&](const std::string& name) -> const Value* {
    if (const auto it = values.find(name); it != values.end()) return &it->second;
    const auto it = graph.initializers.find(name);
    return it != graph.initializers.end() ? &it->second : nullptr;
  };
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node& node = graph.nodes[i];
    const std::string place = fmt::format("{}: {}", model.file, describe(node, i));
    std::vector<const Value*> inputs;
    for (const std::string& name : node.inputs) {
      inputs.push_back(name.empty() ? nullptr : find(name));
      if (!name.empty() && inputs.back() == nullptr)
        fail("{}: no value \"{}\" before it", place, name);
    }
    while (!inputs.empty() && inputs.back() == nullptr) inputs.pop_back();
    std::vector<Value> outputs = evaluate(node, opset_of(model, node.domain), inputs, place);
    for (const std::string& name : node.inputs) {
      if (--readers[name] == 0) values.erase(name);
    }
    for (std::size_t k = 0; k < outputs.size(); ++k) {
      const std::string& name = node.outputs[k];
      if (name.empty() || !readers.contains(name)) continue;
      if (!values.emplace(name, std::move(outputs[k])).second) {
        fail("{}: value \"{}\" is there already", place, name);
      }
    }
  }
  std::vector<Value> results;
  for (const ValueInfo& output : graph.outputs) {
    const Value* value = find(output.name);
    if (value == nullptr) fail("{}: no node makes output \"{}\"", model.file, output.name);
    results.push_back(*value);
  }
  return results;
}

}  // namespace npu::onnx
