#include "workloads/onnx/upgrade_quantized.h"

#include <string>
#include <string_view>
#include <utility>

namespace npu::onnx {
namespace {

using Names = std::vector<std::string>;

class Expansion {
 public:
  Expansion(const Node& node, std::int64_t opset) : node_(node), opset_(opset) {}

  std::vector<Node> run() {
    const std::string& op = node_.op_type;
    if (node_.outputs.empty() || node_.outputs[0].empty() || input(0).empty()) return {};
    if (op == "QLinearAdd" || op == "QLinearMul") return pair(op.substr(op.size() - 3));
    if (op == "QLinearSigmoid") return unary("Sigmoid", {});
    if (op == "QLinearLeakyRelu") return unary("LeakyRelu", {"alpha"});
    if (op == "QLinearSoftmax") return softmax();
    if (op == "QLinearAveragePool" || op == "QLinearGlobalAveragePool") return pool();
    if (op == "QLinearConcat") return concat();
    if (op == "QLinearWhere") return where();
    if (op == "QGemm") return gemm();
    if (op == "QuantizeLinear" || op == "DequantizeLinear") {
      add(op, node_.inputs, node_.outputs[0], {"axis"});
      return std::move(made_);
    }
    if (op == "MatMulIntegerToFloat") return matmul_to_float();
    if (op == "DynamicQuantizeMatMul") return dynamic_matmul();
    return {};
  }

 private:
  [[nodiscard]] std::string input(std::size_t i) const {
    return i < node_.inputs.size() ? node_.inputs[i] : "";
  }
  std::string fresh() { return node_.outputs[0] + "/q" + std::to_string(count_++); }

  std::string add(std::string op, Names inputs, std::string output,
                  const std::vector<std::string_view>& attributes) {
    Node node;
    node.op_type = std::move(op);
    node.inputs = std::move(inputs);
    node.outputs = {output};
    node.name = node_.name;
    for (const std::string_view name : attributes) {
      const auto it = node_.attributes.find(name);
      if (it != node_.attributes.end()) node.attributes.insert(*it);
    }
    made_.push_back(std::move(node));
    return output;
  }
  std::string add(std::string op, Names inputs,
                  const std::vector<std::string_view>& attributes = {}) {
    return add(std::move(op), std::move(inputs), fresh(), attributes);
  }

  /// The real values of operand i, its scale and zero point after it.
  std::string real(std::size_t i) {
    return add("DequantizeLinear", {input(i), input(i + 1), input(i + 2)});
  }
  std::vector<Node> quantized(const std::string& value, const std::string& scale,
                              const std::string& zero_point) {
    add("QuantizeLinear", {value, scale, zero_point}, node_.outputs[0], {});
    return std::move(made_);
  }

  [[nodiscard]] std::int64_t integer(std::string_view name) const {
    const auto it = node_.attributes.find(name);
    const auto* value =
        it == node_.attributes.end() ? nullptr : std::get_if<std::int64_t>(&it->second);
    return value == nullptr ? 0 : *value;
  }

  std::vector<Node> pair(std::string op) {
    const std::string a = real(0);
    const std::string b = real(3);
    return quantized(add(std::move(op), {a, b}), input(6), input(7));
  }

  std::vector<Node> unary(std::string op, const std::vector<std::string_view>& attributes) {
    const std::string x = real(0);
    return quantized(add(std::move(op), {x}, attributes), input(3), input(4));
  }

  /// Before operator set 13 a softmax runs over all dimensions from the axis on.
  std::vector<Node> softmax() {
    constexpr std::int64_t kOpsetOfOneAxis = 13;
    const std::int64_t axis = node_.attributes.contains("axis") ? integer("axis") : -1;
    if (!node_.attributes.contains("opset")) return {};
    const bool alike = (integer("opset") < kOpsetOfOneAxis) == (opset_ < kOpsetOfOneAxis);
    if (!alike && axis != -1) return {};
    const std::string x = real(0);
    const std::string y = add("Softmax", {x});
    made_.back().attributes.emplace("axis", axis);
    return quantized(y, input(3), input(4));
  }

  std::vector<Node> pool() {
    if (integer("channels_last") != 0) return {};
    return unary(node_.op_type.substr(std::string_view("QLinear").size()),
                 {"auto_pad", "ceil_mode", "count_include_pad", "kernel_shape", "pads", "strides"});
  }

  std::vector<Node> concat() {
    Names parts;
    for (std::size_t i = 2; i + 1 < node_.inputs.size(); i += 3) parts.push_back(real(i));
    if (parts.empty()) return {};
    return quantized(add("Concat", std::move(parts), {"axis"}), input(0), input(1));
  }

  std::vector<Node> where() {
    const std::string x = real(1);
    const std::string y = real(4);
    return quantized(add("Where", {input(0), x, y}), input(7), input(8));
  }

  /// C counts products: its scale is alpha · a_scale · b_scale.
  std::vector<Node> gemm() {
    const auto alpha = node_.attributes.find("alpha");
    const float* factor =
        alpha != node_.attributes.end() ? std::get_if<float>(&alpha->second) : nullptr;
    if (factor != nullptr && *factor != 1) return {};
    const std::string a = real(0);
    const std::string b = real(3);
    made_.back().attributes.emplace("axis", integer("transB") != 0 ? std::int64_t{0} : 1);
    Names operands = {a, b};
    if (!input(6).empty()) {
      const std::string scale = add("Mul", {input(1), input(4)});
      operands.push_back(add("DequantizeLinear", {input(6), scale}));
      made_.back().attributes.emplace("axis", std::int64_t{-1});
    }
    if (input(7).empty()) {
      add("Gemm", std::move(operands), node_.outputs[0], {"transA", "transB"});
      return std::move(made_);
    }
    return quantized(add("Gemm", std::move(operands), {"transA", "transB"}), input(7), input(8));
  }

  /// Whole sums as floats, times their scales, plus a bias.
  std::vector<Node> scaled(const std::string& sums, const std::string& a_scale,
                           const std::string& b_scale, const std::string& bias) {
    const std::string real = add("Cast", {sums});
    made_.back().attributes.emplace("to", static_cast<std::int64_t>(ElementType::kFloat));
    const std::string scale = add("Mul", {a_scale, b_scale});
    if (bias.empty()) {
      add("Mul", {real, scale}, node_.outputs[0], {});
    } else {
      const std::string product = add("Mul", {real, scale});
      add("Add", {product, bias}, node_.outputs[0], {});
    }
    return std::move(made_);
  }

  std::vector<Node> matmul_to_float() {
    const std::string sums = add("MatMulInteger", {input(0), input(1), input(4), input(5)});
    return scaled(sums, input(2), input(3), input(6));
  }

  std::vector<Node> dynamic_matmul() {
    const std::string bytes = add("DynamicQuantizeLinear", {input(0)});
    const std::string scale = fresh();
    const std::string zero = fresh();
    made_.back().outputs = {bytes, scale, zero};
    const std::string sums = add("MatMulInteger", {bytes, input(1), zero, input(3)});
    return scaled(sums, scale, input(2), input(4));
  }

  const Node& node_;
  std::int64_t opset_;
  std::vector<Node> made_;
  int count_ = 0;
};

}  // namespace

std::vector<Node> upgrade_quantized(const Node& node, std::int64_t opset) {
  return Expansion(node, opset).run();
}

std::string why_not_upgraded(const Node& node) {
  if (node.domain != "com.microsoft" || node.op_type != "QLinearSoftmax") return {};
  const auto opset = node.attributes.find("opset");
  const auto* version =
      opset == node.attributes.end() ? nullptr : std::get_if<std::int64_t>(&opset->second);
  if (version == nullptr) return "attribute \"opset\" is missing";
  return "opset " + std::to_string(*version) +
         " in a model whose Softmax has another rule: supported along axis -1 only";
}

}  // namespace npu::onnx
