#include "workloads/onnx/upgrade.h"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "workloads/onnx/upgrade_quantized.h"

namespace npu::onnx {
namespace {

constexpr std::string_view kMicrosoft = "com.microsoft";

bool has_input(const Node& node, std::size_t i) {
  return i < node.inputs.size() && !node.inputs[i].empty();
}
bool has_output(const Node& node, std::size_t i) {
  return i < node.outputs.size() && !node.outputs[i].empty();
}

Node standard(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs,
              const std::string& name) {
  Node node;
  node.op_type = std::move(op);
  node.inputs = std::move(inputs);
  node.outputs = std::move(outputs);
  node.name = name;
  return node;
}

void copy_attribute(const Node& from, Node& to, std::string_view name) {
  const auto it = from.attributes.find(name);
  if (it != from.attributes.end()) to.attributes.insert(*it);
}

/// The nodes that stand for one of com.microsoft; empty if it has no such form.
class Rewriter {
 public:
  explicit Rewriter(const Node& node) : node_(node) {}

  std::vector<Node> rewrite() {
    if (node_.outputs.empty() || !has_output(node_, 0) || !has_input(node_, 0)) return {};
    const std::string& op = node_.op_type;
    if (op == "Gelu" || op == "FastGelu" || op == "BiasGelu") return gelu();
    if (op == "QuickGelu") return quick_gelu();
    if (op == "SimplifiedLayerNormalization") return norm("RMSNormalization", node_.inputs);
    if (op == "SkipLayerNormalization") return skip_norm("LayerNormalization", 4, 3);
    if (op == "SkipSimplifiedLayerNormalization") return skip_norm("RMSNormalization", 3, 2);
    if (op == "MultiHeadAttention") return attention();
    return {};
  }

 private:
  /// A value of its own, named after the first output.
  std::string fresh() { return node_.outputs[0] + "/" + std::to_string(count_++); }

  std::string add(const std::string& a, const std::string& b, std::string sum) {
    made_.push_back(standard("Add", {a, b}, {sum}, node_.name));
    return sum;
  }

  std::vector<Node> gelu() {
    std::string x = node_.inputs[0];
    if (has_input(node_, 1)) x = add(x, node_.inputs[1], fresh());
    Node gelu = standard("Gelu", {x}, {node_.outputs[0]}, node_.name);
    if (node_.op_type == "FastGelu") gelu.attributes.emplace("approximate", std::string("tanh"));
    made_.push_back(std::move(gelu));
    return std::move(made_);
  }

  std::vector<Node> quick_gelu() {
    constexpr float kAlpha = 1.702F;
    Node swish = standard("Swish", {node_.inputs[0]}, {node_.outputs[0]}, node_.name);
    copy_attribute(node_, swish, "alpha");
    swish.attributes.emplace("alpha", kAlpha);
    return {std::move(swish)};
  }

  std::vector<Node> norm(std::string op, std::vector<std::string> inputs) {
    for (std::size_t i = 1; i < node_.outputs.size(); ++i) {
      if (has_output(node_, i) && (node_.op_type.starts_with("Simplified") || i < 3)) return {};
    }
    Node norm = standard(std::move(op), std::move(inputs), {node_.outputs[0]}, node_.name);
    for (const std::string_view name : {"axis", "epsilon", "stash_type"}) {
      copy_attribute(node_, norm, name);
    }
    made_.push_back(std::move(norm));
    return std::move(made_);
  }

  /// Operands x, skip, scale[, beta], bias; output 3 is x + skip (+ bias).
  std::vector<Node> skip_norm(std::string op, std::size_t bias, std::size_t scales) {
    if (!has_input(node_, 1) || !has_input(node_, 2)) return {};
    const bool has_bias = has_input(node_, bias);
    const std::string sum = has_output(node_, 3) ? node_.outputs[3] : fresh();
    if (has_bias) {
      const std::string partial = add(node_.inputs[0], node_.inputs[1], fresh());
      add(partial, node_.inputs[bias], sum);
    } else {
      add(node_.inputs[0], node_.inputs[1], sum);
    }
    std::vector<std::string> inputs = {sum, node_.inputs[2]};
    if (scales == 3 && has_input(node_, 3)) inputs.push_back(node_.inputs[3]);
    return norm(std::move(op), std::move(inputs));
  }

  /// Query, key and value of rank 3, nothing else.
  std::vector<Node> attention() {
    if (!has_input(node_, 1) || !has_input(node_, 2)) return {};
    for (std::size_t i = 3; i < node_.inputs.size(); ++i) {
      if (has_input(node_, i)) return {};
    }
    const auto heads = node_.attributes.find("num_heads");
    if (heads == node_.attributes.end() || has_output(node_, 1) || has_output(node_, 2)) return {};
    Node attention = standard("Attention", {node_.inputs[0], node_.inputs[1], node_.inputs[2]},
                              {node_.outputs[0]}, node_.name);
    attention.attributes.emplace("q_num_heads", heads->second);
    attention.attributes.emplace("kv_num_heads", heads->second);
    copy_attribute(node_, attention, "scale");
    if (const auto causal = node_.attributes.find("unidirectional");
        causal != node_.attributes.end()) {
      attention.attributes.emplace("is_causal", causal->second);
    }
    return {std::move(attention)};
  }

  const Node& node_;
  std::vector<Node> made_;
  int count_ = 0;
};

}  // namespace

void upgrade(Model& model) {
  constexpr std::int64_t kFirstIrWithOpsets = 3;
  if (model.opsets.empty() && model.ir_version < kFirstIrWithOpsets) model.opsets[""] = 1;
  const auto own = model.opsets.find("");
  const std::int64_t opset = own != model.opsets.end() ? own->second : 1;
  std::vector<Node> nodes;
  for (Node& node : model.graph.nodes) {
    std::vector<Node> made;
    if (node.domain == kMicrosoft) made = Rewriter(node).rewrite();
    if (node.domain == kMicrosoft && made.empty()) made = upgrade_quantized(node, opset);
    if (made.empty()) {
      nodes.push_back(std::move(node));
    } else {
      std::move(made.begin(), made.end(), std::back_inserter(nodes));
    }
  }
  model.graph.nodes = std::move(nodes);
}

}  // namespace npu::onnx
