#include "kernels/onnx_import/fold.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx_import {
namespace {

using onnx::Node;
using onnx::Value;

/// y = x · factor + offset per channel.
struct Affine {
  std::vector<double> factor, offset;
};

class Folder {
 public:
  explicit Folder(Network& network) : network_(network), graph_(network.model.graph) {
    for (const Node& node : graph_.nodes) {
      for (const std::string& name : node.inputs) ++readers_[name];
    }
    for (const NetworkOutput& output : network.outputs) ++readers_[output.value];
  }

  void run() {
    std::map<std::string, std::size_t> maker;  // Convolutions by their result.
    std::vector<bool> is_gone(graph_.nodes.size(), false);
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      Node& node = graph_.nodes[i];
      if (is_convolution(node)) maker[node.outputs[0]] = i;
      const auto [value, affine] = affine_of(node);
      const auto conv = value != nullptr ? maker.find(*value) : maker.end();
      if (!affine || conv == maker.end() || readers_[*value] != 1) continue;
      const std::size_t at = conv->second;
      apply(graph_.nodes[at], *affine);
      maker.erase(conv);
      graph_.nodes[at].outputs[0] = node.outputs[0];
      maker[node.outputs[0]] = at;
      is_gone[i] = true;
    }
    std::vector<Node> kept;
    for (std::size_t i = 0; i < is_gone.size(); ++i) {
      if (!is_gone[i]) kept.push_back(std::move(graph_.nodes[i]));
    }
    graph_.nodes = std::move(kept);
  }

 private:
  [[nodiscard]] const Value* constant(const Node& node, std::size_t i) const {
    return i < node.inputs.size() ? network_.constant(node.inputs[i]) : nullptr;
  }

  [[nodiscard]] bool is_convolution(const Node& node) const {
    if (!node.domain.empty() || node.op_type != "Conv") return false;
    const Value* weights = constant(node, 1);
    const bool has_bias = node.inputs.size() > 2 && !node.inputs[2].empty();
    return weights != nullptr && onnx::is_float(weights->type) &&
           (!has_bias || constant(node, 2) != nullptr);
  }

  /// The value that the node scales and shifts by channel, and how; nothing for other nodes.
  [[nodiscard]] std::pair<const std::string*, std::optional<Affine>> affine_of(
      const Node& node) const {
    if (!node.domain.empty()) return {nullptr, std::nullopt};
    if (node.op_type == "BatchNormalization") return {node.inputs.data(), batch_norm(node)};
    const bool adds = node.op_type == "Add";
    if (!adds && node.op_type != "Mul") return {nullptr, std::nullopt};
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
      if (node.inputs.at(i).empty()) continue;
      const ValueType& type = network_.type(node.inputs.at(i));
      const Value* other = constant(node, 1 - i);
      if (other == nullptr || !type.is_static || type.shape.size() < 3) continue;
      const std::optional<std::vector<double>> list = by_channel(*other, type.shape);
      if (!list) continue;
      Affine affine{std::vector<double>(list->size(), 1), std::vector<double>(list->size(), 0)};
      (adds ? affine.offset : affine.factor) = *list;
      return {&node.inputs[i], std::move(affine)};
    }
    return {nullptr, std::nullopt};
  }

  [[nodiscard]] std::optional<Affine> batch_norm(const Node& node) const {
    const onnx::Call call(node, network_.opset(""), {});
    if (call.integer("training_mode", 0) != 0 || node.inputs.size() != 5) return std::nullopt;
    for (std::size_t k = 1; k < node.outputs.size(); ++k) {
      if (!node.outputs[k].empty()) return std::nullopt;
    }
    std::vector<std::vector<double>> lists;
    for (std::size_t i = 1; i < 5; ++i) {
      const Value* value = constant(node, i);
      if (value == nullptr) return std::nullopt;
      lists.push_back(to_doubles(*value));
      if (lists[i - 1].size() != lists[0].size()) return std::nullopt;
    }
    Affine a{lists[0], lists[1]};
    const double epsilon = call.real("epsilon", 1e-5F);
    for (std::size_t c = 0; c < a.factor.size(); ++c) {
      a.factor[c] /= std::sqrt(lists[3][c] + epsilon);
      a.offset[c] -= lists[2][c] * a.factor[c];
    }
    return a;
  }

  /// A constant of one element, or of one per channel ([C,1,…], [1,C,1,…]); nothing otherwise.
  static std::optional<std::vector<double>> by_channel(const Value& value, const Shape& shape) {
    const auto channels = static_cast<std::size_t>(shape[1]);
    const std::vector<double> elements = to_doubles(value);
    if (value.rank() > static_cast<std::int64_t>(shape.size())) return std::nullopt;
    if (elements.size() == 1) return std::vector<double>(channels, elements[0]);
    Shape expected(shape.size(), 1);
    expected[1] = shape[1];
    Shape padded(shape.size() - value.shape.size(), 1);
    padded.insert(padded.end(), value.shape.begin(), value.shape.end());
    if (padded != expected) return std::nullopt;
    return elements;
  }

  void apply(Node& conv, const Affine& affine) {
    const Value& weights = *network_.constant(conv.inputs[1]);
    const onnx::ElementType type = weights.type;
    std::vector<double> w = to_doubles(weights);
    std::vector<double> b(affine.offset.size(), 0);
    if (conv.inputs.size() > 2 && !conv.inputs[2].empty()) {
      b = to_doubles(*network_.constant(conv.inputs[2]));
    }
    if (b.size() != affine.offset.size() || w.size() % b.size() != 0) {
      fail("{}: {}: {} channels are normalized as {}", network_.model.file, describe(conv, 0),
           b.size(), affine.offset.size());
    }
    const std::size_t filter = w.size() / b.size();
    for (std::size_t i = 0; i < w.size(); ++i) w[i] *= affine.factor[i / filter];
    for (std::size_t c = 0; c < b.size(); ++c) b[c] = b[c] * affine.factor[c] + affine.offset[c];
    const auto channels = static_cast<std::int64_t>(b.size());
    conv.inputs.resize(3);
    conv.inputs[1] = add(conv.outputs[0] + "/weights", onnx::from_doubles(type, weights.shape, w));
    conv.inputs[2] = add(conv.outputs[0] + "/bias", onnx::from_doubles(type, {channels}, b));
  }

  std::string add(std::string name, Value value) {
    while (network_.types.contains(name)) name += "'";
    network_.types.emplace(name, ValueType{value.type, value.shape, true});
    graph_.initializers.emplace(name, std::move(value));
    return name;
  }

  Network& network_;
  onnx::Graph& graph_;
  std::map<std::string, std::size_t> readers_;
};

}  // namespace

void fold_into_convolutions(Network& network) { Folder(network).run(); }

}  // namespace npu::onnx_import
