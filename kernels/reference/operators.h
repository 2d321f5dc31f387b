#pragma once

#include "kernels/reference/invocation.h"

namespace npu::reference {

/// One operator of the golden model.
struct Operator {
  /// True if run_integer has the operator with the node's types and quantization.
  bool (*has_integer)(const graph::Graph& graph, const graph::Node& node);
  /// Fills the node's outputs; the tensors have the graph's types.
  void (*run_integer)(Invocation& call);
  /// Fills the node's outputs; all tensors are float32.
  void (*run_float)(Invocation& call);
};

/// The table: the only place that knows which file implements an operator.
[[nodiscard]] const Operator& operator_of(graph::OpKind kind);

extern const Operator kConv2d, kDepthwiseConv2d, kTransposeConv, kFullyConnected;
extern const Operator kAdd, kSub, kMul, kMaximum, kMinimum;
extern const Operator kAveragePool2d, kMaxPool2d, kMean, kSum;
extern const Operator kPad, kConcatenation, kReshape, kTranspose, kStridedSlice, kSplit, kPack;
extern const Operator kSoftmax, kLogSoftmax, kLogistic, kTanh;
extern const Operator kRelu, kRelu6, kReluN1To1, kLeakyRelu, kHardSwish;
extern const Operator kQuantize, kDequantize, kSvdf;
extern const Operator kMap, kReduce, kLayerNorm, kRmsNorm, kRope, kGather;
extern const Operator kMatMul, kAttention;

/// Element type of operand or result `index`; an absent operand is a bug.
[[nodiscard]] inline DType input_type(const graph::Graph& graph, const graph::Node& node,
                                      std::size_t index = 0) {
  return graph.tensor(node.inputs.at(index)).type;
}
[[nodiscard]] inline DType output_type(const graph::Graph& graph, const graph::Node& node,
                                       std::size_t index = 0) {
  return graph.tensor(node.outputs.at(index)).type;
}
[[nodiscard]] constexpr bool is_quantized(DType type) {
  return type == DType::kInt8 || type == DType::kUint8 || type == DType::kInt16;
}
/// All operands and results have the one quantized type of the first operand.
[[nodiscard]] bool uniform_quantized(const graph::Graph& graph, const graph::Node& node);

}  // namespace npu::reference
