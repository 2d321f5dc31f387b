#include <algorithm>
#include <set>
#include <utility>

#include "kernels/onnx_import/fold.h"
#include "kernels/onnx_import/infer.h"
#include "kernels/onnx_import/integer_ranges.h"
#include "kernels/onnx_import/network.h"
#include "kernels/onnx_import/quantized.h"
#include "kernels/onnx_reference/legacy.h"

namespace npu::onnx_import {
namespace {

using onnx::ElementType;
using onnx::Node;
using onnx::Value;

/// Constants that hold more bytes are not made: the node stays.
constexpr std::int64_t kMaxFoldedBytes = std::int64_t{1} << 31;

class Simplifier {
 public:
  Simplifier(Network& network, const SimplifyOptions& options)
      : network_(network), graph_(network.model.graph), options_(options) {}

  void run() {
    check_opset();
    check_options();
    for (const auto& [name, value] : graph_.initializers) {
      network_.types.emplace(name, ValueType{value.type, value.shape, true});
    }
    for (onnx::ValueInfo& input : graph_.inputs) bind(input);
    std::erase_if(graph_.inputs, [&](const onnx::ValueInfo& input) {
      return options_.input_values.contains(input.name);
    });
    std::vector<Node> nodes = std::move(graph_.nodes);
    graph_.nodes.clear();
    for (std::size_t i = 0; i < nodes.size(); ++i) visit(std::move(nodes[i]), i);
    for (const onnx::ValueInfo& output : graph_.outputs) {
      const std::string& value = resolve(output.name);
      if (!network_.types.contains(value)) {
        fail("{}: no node makes output \"{}\"", network_.model.file, output.name);
      }
      network_.outputs.push_back({output.name, value});
    }
    fold_into_convolutions(network_);
    remove_dead();
  }

 private:
  /// The value that a name stands for.
  [[nodiscard]] const std::string& resolve(const std::string& name) const {
    const auto it = aliases_.find(name);
    return it != aliases_.end() ? it->second : name;
  }

  void check_opset() const {
    const std::int64_t opset = network_.opset("");
    if (opset < 1 || opset > kNewestOpset) {
      fail("{}: operator set {}: 1 to {} are known", network_.model.file, opset, kNewestOpset);
    }
  }

  void check_options() {
    std::set<std::string> known;
    for (const onnx::ValueInfo& input : graph_.inputs) {
      for (std::size_t d = 0; d < input.shape.size(); ++d) {
        const onnx::Dimension& dim = input.shape[d];
        if (dim.size >= 0) continue;
        known.insert(dim.symbol.empty() ? fmt::format("{}[{}]", input.name, d) : dim.symbol);
      }
    }
    for (const auto& [name, size] : options_.dimensions) {
      if (size < 1) fail("--dim {}: must be at least 1, got {}", name, size);
      if (known.contains(name)) continue;
      std::string list;
      for (const std::string& k : known) list += (list.empty() ? "" : ", ") + k;
      fail("--dim {}: {} has no open dimension of that name; {}", name, network_.model.file,
           list.empty() ? "all its dimensions have sizes" : "open are " + list);
    }
  }

  void bind(onnx::ValueInfo& input) {
    const std::string place = fmt::format("{}: input \"{}\"", network_.model.file, input.name);
    if (!input.other.empty()) fail("{}: a {} is not supported", place, input.other);
    if (!is_supported(input.type)) fail("{}: {} is not supported", place, name_of(input.type));
    Shape shape;
    const auto bound = options_.input_values.find(input.name);
    if (bound != options_.input_values.end()) {
      const Value& value = bound->second;
      if (value.type != input.type) {
        fail("{}: expected {}, got {}", place, name_of(input.type), name_of(value.type));
      }
      if (!fits(input, value.shape)) {
        fail("{}: a tensor of {} does not fit", place, to_string(value.shape));
      }
      shape = value.shape;
      graph_.initializers.insert_or_assign(input.name, value);
    } else if (const auto it = options_.input_shapes.find(input.name);
               it != options_.input_shapes.end()) {
      shape = it->second;
    } else {
      if (!input.has_shape) fail("{}: it has no shape", place);
      for (std::size_t d = 0; d < input.shape.size(); ++d) {
        shape.push_back(size_of(input, d, place));
      }
    }
    onnx::checked_count(shape);
    input.has_shape = true;
    input.shape.clear();
    for (const std::int64_t size : shape) input.shape.push_back({size, ""});
    if (!network_.types.emplace(input.name, ValueType{input.type, shape, true}).second) {
      fail("{}: it is there twice", place);
    }
  }

  static bool fits(const onnx::ValueInfo& input, const Shape& shape) {
    if (!input.has_shape) return true;
    return std::ranges::equal(input.shape, shape, [](const onnx::Dimension& d, std::int64_t size) {
      return d.size < 0 || d.size == size;
    });
  }

  [[nodiscard]] std::int64_t size_of(const onnx::ValueInfo& input, std::size_t axis,
                                     const std::string& place) const {
    const onnx::Dimension& dim = input.shape[axis];
    if (dim.size >= 0) return dim.size;
    const std::string name =
        dim.symbol.empty() ? fmt::format("{}[{}]", input.name, axis) : dim.symbol;
    const auto it = options_.dimensions.find(name);
    if (it != options_.dimensions.end()) return it->second;
    fail("{}: dimension {} ({}) has no size: give it with --dim {}=SIZE", place, axis,
         dim.symbol.empty() ? "without a name" : fmt::format("\"{}\"", dim.symbol), name);
  }

  /// Operand 1 by a Reshape of its own to where today's broadcasting wants it.
  Node modernized(Node node, std::size_t index) {
    const auto a = network_.types.find(resolve(node.inputs[0]));
    const auto b = network_.types.find(resolve(node.inputs[1]));
    if (a == network_.types.end() || b == network_.types.end() || !a->second.is_static ||
        !b->second.is_static) {
      return node;
    }
    Shape shape;
    try {
      shape = legacy_shape(node, a->second.shape, b->second.shape);
    } catch (const Error& error) {
      fail("{}: {}: {}", network_.model.file, describe(node, index), error.what());
    }
    if (shape != b->second.shape) {
      Node reshape;
      reshape.op_type = "Reshape";
      reshape.name = node.name;
      const std::string name = fmt::format("{}/aligned{}", node.inputs[1], index);
      set_constant(name + "/shape", onnx::int64_list(shape));
      reshape.inputs = {node.inputs[1], name + "/shape"};
      reshape.outputs = {name};
      visit(std::move(reshape), index);
      node.inputs[1] = name;
    }
    return without_legacy_broadcast(std::move(node));
  }

  void visit(Node node, std::size_t index) {
    if (has_legacy_broadcast(node, network_.opset(node.domain)) && node.inputs.size() > 1) {
      node = modernized(std::move(node), index);
    }
    const std::string place = fmt::format("{}: {}", network_.model.file, describe(node, index));
    std::vector<Operand> operands;
    for (std::string& name : node.inputs) {
      name = resolve(name);
      if (name.empty()) {
        operands.emplace_back();
        continue;
      }
      const auto it = network_.types.find(name);
      if (it == network_.types.end()) fail("{}: no value \"{}\" before it", place, name);
      operands.push_back({&it->second, network_.constant(name)});
    }
    while (!operands.empty() && operands.back().type == nullptr) {
      operands.pop_back();
      node.inputs.pop_back();
    }
    for (const std::string& name : node.outputs) {
      if (!name.empty() && (network_.types.contains(name) || aliases_.contains(name))) {
        fail("{}: value \"{}\" is there already", place, name);
      }
    }
    if (node.outputs.empty()) fail("{}: it has no output", place);
    if (is_copy(node)) {
      aliases_.emplace(node.outputs.at(0), node.inputs.at(0));
      return;
    }
    if (fold(node, operands, place)) return;
    std::vector<ValueType> types = infer(node, network_.opset(node.domain), operands, place);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (!node.outputs[i].empty()) network_.types.emplace(node.outputs[i], std::move(types[i]));
    }
    graph_.nodes.push_back(std::move(node));
  }

  /// Identity, Dropout in inference: the output is the first operand.
  [[nodiscard]] bool is_copy(const Node& node) const {
    if (!node.domain.empty() || node.inputs.empty() || node.outputs.empty()) return false;
    if (node.inputs[0].empty() || node.outputs[0].empty()) return false;
    const bool has_more = std::any_of(node.outputs.begin() + 1, node.outputs.end(),
                                      [](const std::string& o) { return !o.empty(); });
    if (node.op_type == "Identity") return true;
    if (node.op_type != "Dropout" || has_more) return false;
    if (node.inputs.size() < 3 || node.inputs[2].empty()) return true;
    const Value* trains = network_.constant(node.inputs[2]);
    return trains != nullptr && trains->type == ElementType::kBool && trains->size() == 1 &&
           trains->bytes[0] == std::byte{0};
  }

  void set_constant(const std::string& name, Value value) {
    if (name.empty()) return;
    network_.types.emplace(name, ValueType{value.type, value.shape, true});
    graph_.initializers.emplace(name, std::move(value));
  }

  /// Evaluates a node whose result does not depend on the inputs' values.
  bool fold(const Node& node, const std::vector<Operand>& operands, const std::string& place) {
    const bool is_shape =
        node.domain.empty() && (node.op_type == "Shape" || node.op_type == "Size");
    if (is_shape && !operands.empty() && operands[0].type != nullptr &&
        operands[0].type->is_static) {
      // The elements do not matter: a tensor of the shape without bytes.
      const Value shell{operands[0].type->type, operands[0].type->shape, {}};
      std::vector<Value> made = evaluate(node, network_.opset(""), {&shell}, place);
      set_constant(node.outputs.at(0), std::move(made.at(0)));
      return true;
    }
    std::int64_t bytes = 0;
    std::vector<const Value*> values;
    // Of CastLike's second operand only the type matters.
    const bool has_model = node.domain.empty() && node.op_type == "CastLike" &&
                           operands.size() == 2 && operands[1].type != nullptr;
    const Value model{has_model ? operands[1].type->type : ElementType::kUndefined, {0}, {}};
    for (const Operand& o : operands) {
      if (has_model && values.size() == 1 && model.type != ElementType::kUndefined) {
        values.push_back(&model);
        continue;
      }
      if (o.type != nullptr && o.constant == nullptr) return false;
      values.push_back(o.constant);
      if (o.constant != nullptr) bytes += static_cast<std::int64_t>(o.constant->bytes.size());
    }
    if (bytes > kMaxFoldedBytes || onnx::find_operator(node.domain, node.op_type) == nullptr) {
      return false;
    }
    std::vector<Value> made = evaluate(node, network_.opset(node.domain), values, place);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      set_constant(node.outputs[i], std::move(made.at(i)));
    }
    keep_quantized(node, operands);
    return true;
  }

  /// Weights keep their bytes: DequantizeLinear of a constant, and its Transpose.
  void keep_quantized(const Node& node, const std::vector<Operand>& operands) {
    if (!node.domain.empty()) return;
    std::optional<QuantizedConstant> kept;
    if (node.op_type == "DequantizeLinear") {
      kept = quantized_constant(onnx::Call(node, network_.opset(""), {}), *operands[0].constant,
                                *operands[1].constant,
                                operands.size() > 2 ? operands[2].constant : nullptr);
    } else if (node.op_type == "Transpose") {
      const auto from = network_.dequantized.find(node.inputs[0]);
      if (from != network_.dequantized.end()) kept = transposed(from->second, node);
    }
    if (kept) network_.dequantized.emplace(node.outputs[0], std::move(*kept));
  }

  [[nodiscard]] QuantizedConstant transposed(const QuantizedConstant& from,
                                             const Node& node) const {
    QuantizedConstant to = from;
    to.value = std::move(evaluate(node, network_.opset(""), {&from.value}, "")[0]);
    const auto rank = static_cast<std::size_t>(from.value.rank());
    std::vector<std::int64_t> permutation =
        onnx::Call(node, network_.opset(""), {}).integers("perm", {});
    for (std::size_t d = 0; d < rank; ++d) {
      const std::size_t source =
          permutation.empty() ? rank - 1 - d : static_cast<std::size_t>(permutation[d]);
      if (source == from.axis) to.axis = d;
    }
    return to;
  }

  void remove_dead() {
    std::set<std::string_view> used;
    for (const NetworkOutput& output : network_.outputs) used.insert(output.value);
    std::vector<bool> keeps(graph_.nodes.size());
    for (std::size_t i = graph_.nodes.size(); i-- > 0;) {
      const Node& node = graph_.nodes[i];
      keeps[i] = std::any_of(node.outputs.begin(), node.outputs.end(),
                             [&](const std::string& o) { return used.contains(o); });
      if (keeps[i]) used.insert(node.inputs.begin(), node.inputs.end());
    }
    const auto is_unused = [&](const auto& entry) { return !used.contains(entry.first); };
    std::erase_if(graph_.initializers, is_unused);
    std::set<std::string_view> inputs;
    for (const onnx::ValueInfo& input : graph_.inputs) inputs.insert(input.name);
    std::set<std::string_view> made;
    for (std::size_t i = 0; i < keeps.size(); ++i) {
      if (!keeps[i]) continue;
      made.insert(graph_.nodes[i].outputs.begin(), graph_.nodes[i].outputs.end());
    }
    std::erase_if(network_.types, [&](const auto& entry) {
      return !used.contains(entry.first) && !inputs.contains(entry.first) &&
             !made.contains(entry.first);
    });
    std::vector<Node> nodes;
    for (std::size_t i = 0; i < keeps.size(); ++i) {
      if (keeps[i]) nodes.push_back(std::move(graph_.nodes[i]));
    }
    graph_.nodes = std::move(nodes);
  }

  Network& network_;
  onnx::Graph& graph_;
  const SimplifyOptions& options_;
  std::map<std::string, std::string, std::less<>> aliases_;
};

}  // namespace

Network simplify(onnx::Model model, const SimplifyOptions& options) {
  const onnx::ElementLimit limit(options.max_elements);
  Network network;
  network.model = std::move(model);
  Simplifier(network, options).run();
  if (is_integer_network(network.model.graph)) {
    network.ranges = integer_ranges(network, options.input_ranges);
  }
  return network;
}

}  // namespace npu::onnx_import
