#include "kernels/reference/operators.h"

namespace npu::reference {

using graph::OpKind;

const Operator& operator_of(OpKind kind) {
  switch (kind) {
    case OpKind::kConv2d:
      return kConv2d;
    case OpKind::kDepthwiseConv2d:
      return kDepthwiseConv2d;
    case OpKind::kTransposeConv:
      return kTransposeConv;
    case OpKind::kFullyConnected:
      return kFullyConnected;
    case OpKind::kAdd:
      return kAdd;
    case OpKind::kSub:
      return kSub;
    case OpKind::kMul:
      return kMul;
    case OpKind::kMaximum:
      return kMaximum;
    case OpKind::kMinimum:
      return kMinimum;
    case OpKind::kAveragePool2d:
      return kAveragePool2d;
    case OpKind::kMaxPool2d:
      return kMaxPool2d;
    case OpKind::kMean:
      return kMean;
    case OpKind::kSum:
      return kSum;
    case OpKind::kPad:
      return kPad;
    case OpKind::kConcatenation:
      return kConcatenation;
    case OpKind::kReshape:
      return kReshape;
    case OpKind::kTranspose:
      return kTranspose;
    case OpKind::kStridedSlice:
      return kStridedSlice;
    case OpKind::kSplit:
      return kSplit;
    case OpKind::kPack:
      return kPack;
    case OpKind::kSoftmax:
      return kSoftmax;
    case OpKind::kLogSoftmax:
      return kLogSoftmax;
    case OpKind::kLogistic:
      return kLogistic;
    case OpKind::kTanh:
      return kTanh;
    case OpKind::kRelu:
      return kRelu;
    case OpKind::kRelu6:
      return kRelu6;
    case OpKind::kReluN1To1:
      return kReluN1To1;
    case OpKind::kLeakyRelu:
      return kLeakyRelu;
    case OpKind::kHardSwish:
      return kHardSwish;
    case OpKind::kQuantize:
      return kQuantize;
    case OpKind::kDequantize:
      return kDequantize;
    case OpKind::kSvdf:
      return kSvdf;
    case OpKind::kMatMul:
      return kMatMul;
    case OpKind::kAttention:
      return kAttention;
    case OpKind::kMap:
      return kMap;
    case OpKind::kReduce:
      return kReduce;
    case OpKind::kLayerNorm:
      return kLayerNorm;
    case OpKind::kRmsNorm:
      return kRmsNorm;
    case OpKind::kRope:
      return kRope;
    case OpKind::kGather:
      return kGather;
  }
  fail("operator kind {} has no reference", static_cast<int>(kind));
}

bool uniform_quantized(const graph::Graph& graph, const graph::Node& node) {
  const DType type = input_type(graph, node);
  if (!is_quantized(type)) return false;
  for (const graph::TensorId id : node.inputs) {
    if (id == graph::kAbsent || graph.tensor(id).type != type) return false;
  }
  for (const graph::TensorId id : node.outputs) {
    if (graph.tensor(id).type != type) return false;
  }
  return true;
}

}  // namespace npu::reference
