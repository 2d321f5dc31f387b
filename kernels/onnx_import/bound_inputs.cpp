#include "kernels/onnx_import/bound_inputs.h"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace npu::onnx_import {
namespace {

using onnx::ElementType;
using onnx::Node;

/// Operands of an operator: bit i is operand i.
struct Operands {
  std::string_view op_type;
  unsigned mask;
};

constexpr unsigned bits(std::initializer_list<unsigned> operands) {
  unsigned mask = 0;
  for (const unsigned i : operands) mask |= 1U << i;
  return mask;
}

constexpr auto kShapes = std::to_array<Operands>({
    {"AffineGrid", bits({1})},
    {"BlackmanWindow", bits({0})},
    {"CenterCropPad", bits({1})},
    {"Col2Im", bits({1, 2})},
    {"ConstantOfShape", bits({0})},
    {"CumProd", bits({1})},
    {"CumSum", bits({1})},
    {"DFT", bits({1, 2})},
    {"Expand", bits({1})},
    {"HammingWindow", bits({0})},
    {"HannWindow", bits({0})},
    {"MaxUnpool", bits({2})},
    {"OneHot", bits({1})},
    {"Pad", bits({1, 2, 3})},
    {"Range", bits({0, 1, 2})},
    {"ReduceL1", bits({1})},
    {"ReduceL2", bits({1})},
    {"ReduceLogSum", bits({1})},
    {"ReduceLogSumExp", bits({1})},
    {"ReduceMax", bits({1})},
    {"ReduceMean", bits({1})},
    {"ReduceMin", bits({1})},
    {"ReduceProd", bits({1})},
    {"ReduceSum", bits({1})},
    {"ReduceSumSquare", bits({1})},
    {"Reshape", bits({1})},
    {"Resize", bits({1, 2, 3})},
    {"Slice", bits({1, 2, 3, 4})},
    {"Split", bits({1})},
    {"Squeeze", bits({1})},
    {"Tile", bits({1})},
    {"TopK", bits({1})},
    {"Trilu", bits({1})},
    {"Unsqueeze", bits({1})},
    {"Upsample", bits({1})},
});

constexpr auto kParameters = std::to_array<Operands>({
    {"Conv", bits({1, 2})},
    {"ConvInteger", bits({1, 2, 3})},
    {"ConvTranspose", bits({1, 2})},
    {"DequantizeLinear", bits({1, 2})},
    {"MatMulInteger", bits({2, 3})},
    {"QLinearConv", bits({1, 2, 3, 4, 5, 6, 7, 8})},
    {"QLinearMatMul", bits({1, 2, 4, 5, 6, 7})},
    {"QuantizeLinear", bits({1, 2})},
});

unsigned mask_of(std::span<const Operands> rows, const Node& node) {
  const auto row =
      std::ranges::find_if(rows, [&](const Operands& r) { return r.op_type == node.op_type; });
  return node.domain.empty() && row != rows.end() ? row->mask : 0;
}

bool is_small_list(const onnx::ValueInfo& input) {
  const bool is_index = input.type == ElementType::kInt64 || input.type == ElementType::kInt32;
  if (!is_index || !input.has_shape || input.shape.size() > 1) return false;
  return input.shape.empty() || input.shape[0].size <= kMaxBoundElements;
}

}  // namespace

std::set<std::string> bindable_inputs(const onnx::Model& model, Bound bound) {
  std::set<std::string> direct;
  std::set<std::string> needed;  // To know a shape.
  for (std::size_t n = model.graph.nodes.size(); n-- > 0;) {
    const Node& node = model.graph.nodes[n];
    const unsigned shapes = mask_of(kShapes, node);
    const unsigned all = shapes | (bound == Bound::kParameters ? mask_of(kParameters, node) : 0);
    const bool makes_shape =
        node.op_type != "Shape" && node.op_type != "Size" &&
        std::ranges::any_of(node.outputs, [&](const auto& o) { return needed.contains(o); });
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i].empty()) continue;
      if (((all >> i) & 1U) != 0) direct.insert(node.inputs[i]);
      if (makes_shape || ((shapes >> i) & 1U) != 0) needed.insert(node.inputs[i]);
    }
  }
  std::set<std::string> names;
  for (const onnx::ValueInfo& input : model.graph.inputs) {
    const bool is_computed_from = needed.contains(input.name) && is_small_list(input);
    if (direct.contains(input.name) || is_computed_from) names.insert(input.name);
  }
  return names;
}

}  // namespace npu::onnx_import
