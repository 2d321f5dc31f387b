#include <array>
#include <string_view>
#include <variant>

#include "workloads/graph/node_rules.h"

namespace npu::graph {
namespace {

/// Operand counts of a kind; −1 in max_inputs or max_outputs: any number.
struct Signature {
  int min_inputs, max_inputs;
  int max_outputs;
  unsigned optional_inputs;  ///< Bit i: input i may be kAbsent.
  std::size_t attrs;         ///< Index into Attrs.
};

template <typename T, std::size_t i = 0>
constexpr std::size_t index_of() {
  if constexpr (std::is_same_v<std::variant_alternative_t<i, Attrs>, T>) {
    return i;
  } else {
    return index_of<T, i + 1>();
  }
}

constexpr Signature plain(int inputs, std::size_t attrs) { return {inputs, inputs, 1, 0, attrs}; }

Signature signature_of(OpKind kind) {
  constexpr std::size_t kNoAttrs = 0;
  switch (kind) {
    case OpKind::kConv2d:
    case OpKind::kDepthwiseConv2d:
    case OpKind::kTransposeConv:
      return {3, 3, 1, 1U << 2, index_of<WindowAttrs>()};
    case OpKind::kFullyConnected:
      return {3, 3, 1, 1U << 2, index_of<ActivationAttrs>()};
    case OpKind::kAdd:
    case OpKind::kSub:
    case OpKind::kMul:
      return plain(2, index_of<ActivationAttrs>());
    case OpKind::kMaximum:
    case OpKind::kMinimum:
      return plain(2, kNoAttrs);
    case OpKind::kAveragePool2d:
    case OpKind::kMaxPool2d:
      return plain(1, index_of<WindowAttrs>());
    case OpKind::kMean:
    case OpKind::kSum:
      return plain(1, index_of<ReduceAttrs>());
    case OpKind::kPad:
      return plain(1, index_of<PadAttrs>());
    case OpKind::kConcatenation:
    case OpKind::kPack:
      return {1, -1, 1, 0, index_of<ActivationAttrs>()};
    case OpKind::kSplit:
      return {1, 1, -1, 0, index_of<ActivationAttrs>()};
    case OpKind::kTranspose:
      return plain(1, index_of<TransposeAttrs>());
    case OpKind::kStridedSlice:
      return plain(1, index_of<SliceAttrs>());
    case OpKind::kSoftmax:
      return plain(1, index_of<SoftmaxAttrs>());
    case OpKind::kLeakyRelu:
      return plain(1, index_of<LeakyReluAttrs>());
    case OpKind::kSvdf:
      return {5, 5, 1, 1U << 3, index_of<SvdfAttrs>()};
    case OpKind::kMap:
      return {1, 3, 1, 0, index_of<MapAttrs>()};
    case OpKind::kReduce:
      return plain(1, index_of<ReduceMapAttrs>());
    case OpKind::kMatMul:
      return {3, 3, 1, 1U << 2, index_of<MatMulAttrs>()};
    case OpKind::kLayerNorm:
      return {3, 3, 1, 1U << 2, index_of<NormAttrs>()};
    case OpKind::kRmsNorm:
      return plain(2, index_of<NormAttrs>());
    case OpKind::kRope:
      return plain(3, index_of<RopeAttrs>());
    case OpKind::kAttention:
      return {4, 4, 1, 1U << 3, index_of<AttentionAttrs>()};
    case OpKind::kGather:
      return plain(2, kNoAttrs);
    case OpKind::kReshape:
    case OpKind::kLogSoftmax:
    case OpKind::kLogistic:
    case OpKind::kTanh:
    case OpKind::kRelu:
    case OpKind::kRelu6:
    case OpKind::kReluN1To1:
    case OpKind::kHardSwish:
    case OpKind::kQuantize:
    case OpKind::kDequantize:
      return plain(1, kNoAttrs);
  }
  NPU_CHECK(false, "operator kind without a signature");
  return {};
}

}  // namespace

void check_operands(const NodeView& view) {
  const Node& node = view.node;
  const Signature s = signature_of(node.kind);
  const auto inputs = static_cast<std::int64_t>(node.inputs.size());
  const auto outputs = static_cast<std::int64_t>(node.outputs.size());
  if (inputs < s.min_inputs || (s.max_inputs >= 0 && inputs > s.max_inputs)) {
    view.reject("needs {}{} inputs, got {}", s.max_inputs < 0 ? "at least " : "", s.min_inputs,
                inputs);
  }
  if (outputs < 1 || (s.max_outputs >= 0 && outputs > s.max_outputs)) {
    view.reject("needs {}1 output, got {}", s.max_outputs < 0 ? "at least " : "", outputs);
  }
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    const bool optional = i < 32 && ((s.optional_inputs >> i) & 1U) != 0;
    view.require(node.inputs[i] != kAbsent || optional, "input {} is absent", i);
  }
  view.require(node.attrs.index() == s.attrs, "has the attributes of another operator");
}

}  // namespace npu::graph
