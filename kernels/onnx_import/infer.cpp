#include "kernels/onnx_import/infer.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "workloads/onnx/upgrade_quantized.h"

namespace npu::onnx_import {
namespace {

using onnx::ElementType;
using onnx::Value;

/// Operands whose values decide about the shapes of an operator's outputs: bit i is operand i.
struct ValueDependence {
  std::string_view op_type;
  unsigned operands;
};
constexpr unsigned kEvery = ~0U;
constexpr std::array kValueDependences = std::to_array<ValueDependence>({
    {"AffineGrid", 1U << 1},
    {"BlackmanWindow", 1U << 0},
    {"CenterCropPad", 1U << 1},
    {"Col2Im", 1U << 1 | 1U << 2},
    {"Compress", 1U << 1},
    {"ConstantOfShape", 1U << 0},
    {"DFT", 1U << 1 | 1U << 2},
    {"Expand", 1U << 1},
    {"HammingWindow", 1U << 0},
    {"HannWindow", 1U << 0},
    {"MaxUnpool", 1U << 2},
    {"MelWeightMatrix", kEvery},
    {"NonMaxSuppression", kEvery},
    {"NonZero", 1U << 0},
    {"OneHot", 1U << 1},
    {"Pad", 1U << 1 | 1U << 3},
    {"Range", kEvery},
    {"ReduceL1", 1U << 1},
    {"ReduceL2", 1U << 1},
    {"ReduceLogSum", 1U << 1},
    {"ReduceLogSumExp", 1U << 1},
    {"ReduceMax", 1U << 1},
    {"ReduceMean", 1U << 1},
    {"ReduceMin", 1U << 1},
    {"ReduceProd", 1U << 1},
    {"ReduceSum", 1U << 1},
    {"ReduceSumSquare", 1U << 1},
    {"Reshape", 1U << 1},
    {"Resize", 1U << 1 | 1U << 2 | 1U << 3},
    {"STFT", 1U << 1 | 1U << 3},
    {"Slice", 1U << 1 | 1U << 2 | 1U << 3 | 1U << 4},
    {"Split", 1U << 1},
    {"Squeeze", 1U << 1},
    {"Tile", 1U << 1},
    {"TopK", 1U << 1},
    {"Unique", 1U << 0},
    {"Unsqueeze", 1U << 1},
    {"Upsample", 1U << 1},
});

bool depends_on_values(const onnx::Node& node, std::span<const Operand> operands) {
  const auto* row = std::find_if(kValueDependences.begin(), kValueDependences.end(),
                                 [&](const auto& r) { return r.op_type == node.op_type; });
  if (!node.domain.empty() || row == kValueDependences.end()) return false;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const bool matters = i >= 32 || ((row->operands >> i) & 1U) != 0;
    if (matters && operands[i].type != nullptr && operands[i].constant == nullptr) return true;
  }
  return false;
}

using RuleTable = std::map<std::pair<std::string_view, std::string_view>, const ShapeRule*>;

const RuleTable& rules() {
  static const RuleTable kTable = [] {
    RuleTable table;
    for (const auto& family : {general_shape_rules(), window_shape_rules()}) {
      for (const ShapeRule& rule : family) {
        const bool is_new = table.emplace(std::pair(rule.domain, rule.op_type), &rule).second;
        NPU_CHECK(is_new, "a shape rule is there twice");
      }
    }
    return table;
  }();
  return kTable;
}

std::vector<ValueType> evaluate_on_zeros(const onnx::Node& node, std::int64_t opset,
                                         std::span<const Operand> operands,
                                         const std::string& place) {
  std::vector<Value> zeros;
  zeros.reserve(operands.size());
  std::vector<const Value*> inputs;
  for (const Operand& operand : operands) {
    if (operand.type == nullptr || operand.constant != nullptr) {
      inputs.push_back(operand.constant);
      continue;
    }
    zeros.push_back(Value::zeros(operand.type->type, operand.type->shape));
    inputs.push_back(&zeros.back());
  }
  std::vector<ValueType> types;
  for (Value& value : evaluate(node, opset, inputs, place)) {
    types.push_back({value.type, std::move(value.shape), value.type != ElementType::kUndefined});
  }
  return types;
}

}  // namespace

const ValueType& ShapeCall::in(std::size_t i) const {
  if (!has(i)) fail("operand {} is missing", i);
  return *operands[i].type;
}

std::vector<ValueType> infer(const onnx::Node& node, std::int64_t opset,
                             std::span<const Operand> operands, const std::string& place) {
  const auto it =
      rules().find(std::pair<std::string_view, std::string_view>(node.domain, node.op_type));
  if (it == rules().end() && onnx::find_operator(node.domain, node.op_type) == nullptr) {
    const std::string why = onnx::why_not_upgraded(node);
    fail("{}: {}", place, why.empty() ? "no such operator in the CPU reference" : why);
  }
  if (const onnx::Operator* op = onnx::find_operator(node.domain, node.op_type); op != nullptr) {
    for (std::size_t i = 0; i < op->min_inputs; ++i) {
      if (i >= operands.size() || operands[i].type == nullptr) {
        fail("{}: operand {} is missing", place, i);
      }
    }
    if (operands.size() > op->max_inputs) {
      fail("{}: takes at most {} operands, got {}", place, op->max_inputs, operands.size());
    }
  }
  const bool is_static = std::all_of(operands.begin(), operands.end(), [](const Operand& o) {
    return o.type == nullptr || o.type->is_static;
  });
  if (!is_static || depends_on_values(node, operands)) {
    return std::vector<ValueType>(node.outputs.size());
  }
  std::vector<ValueType> types;
  if (it == rules().end()) {
    types = evaluate_on_zeros(node, opset, operands, place);
  } else {
    try {
      types = it->second->infer({node, onnx::Call(node, opset, {}), operands});
    } catch (const Error& error) {
      fail("{}: {}", place, error.what());
    }
  }
  types.resize(node.outputs.size());
  return types;
}

}  // namespace npu::onnx_import
