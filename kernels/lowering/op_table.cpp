#include "kernels/lowering/op_table.h"

#include <algorithm>
#include <array>

#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::OpKind;

constexpr std::uint8_t mask(std::initializer_list<DType> types) {
  std::uint8_t m = 0;
  for (const DType t : types) m = static_cast<std::uint8_t>(m | (1U << static_cast<unsigned>(t)));
  return m;
}
constexpr std::uint8_t k8 = mask({DType::kInt8, DType::kUint8});
constexpr std::uint8_t k8And16 = mask({DType::kInt8, DType::kUint8, DType::kInt16});
constexpr std::uint8_t kUpTo32 = mask({DType::kInt8, DType::kUint8, DType::kInt16, DType::kInt32});

constexpr std::string_view kArray = "NPU: MAC array, vector unit";
constexpr std::string_view kVector = "NPU: vector unit";
constexpr std::string_view kDma = "NPU: DMA";

constexpr auto kRows = std::to_array<OpRow>({
    {OpKind::kConv2d, lower_window, k8And16, "int8, uint8, int16x8", kArray},
    {OpKind::kDepthwiseConv2d, lower_window, k8And16, "int8, uint8, int16x8", kArray},
    {OpKind::kTransposeConv, lower_window, k8And16, "int8, uint8, int16x8", kArray},
    {OpKind::kFullyConnected, lower_window, k8And16, "int8, uint8, int16x8", kArray},
    {OpKind::kSvdf, lower_svdf, mask({DType::kInt8}), "int8 with int8 or int16 state", kArray},
    {OpKind::kAdd, lower_binary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kSub, lower_binary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kMul, lower_binary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kMaximum, lower_binary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kMinimum, lower_binary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kAveragePool2d, lower_window, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kMaxPool2d, lower_window, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kMean, lower_reduction, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kSum, lower_reduction, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kSoftmax, lower_softmax, k8And16, "int8, uint8, int16; int8 to int16", kVector},
    {OpKind::kLogistic, lower_unary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kTanh, lower_unary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kRelu, lower_unary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kRelu6, lower_unary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kReluN1To1, lower_unary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kLeakyRelu, lower_unary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kHardSwish, lower_unary, k8, "int8, uint8", kVector},
    {OpKind::kQuantize, lower_unary, kUpTo32, "int8, uint8, int16, int32 to each other", kVector},
    {OpKind::kPad, lower_moves, kUpTo32, "int8, uint8, int16, int32", kDma},
    {OpKind::kConcatenation, lower_moves, kUpTo32, "int8, uint8 (with rescale), int16, int32",
     kDma},
    {OpKind::kPack, lower_moves, kUpTo32, "int8, uint8, int16, int32", kDma},
    {OpKind::kTranspose, lower_moves, kUpTo32, "int8, uint8, int16, int32", kDma},
    {OpKind::kStridedSlice, lower_moves, kUpTo32, "int8, uint8, int16, int32", kDma},
});

bool is_float(const graph::Graph& graph, const graph::Node& node) {
  const auto any = [&](const std::vector<graph::TensorId>& ids) {
    return std::any_of(ids.begin(), ids.end(), [&](graph::TensorId id) {
      return id != graph::kAbsent && graph.tensor(id).type == DType::kFloat32;
    });
  };
  return any(node.inputs) || any(node.outputs);
}

}  // namespace

const OpRow* find_op(OpKind kind) {
  const auto* row =
      std::find_if(kRows.begin(), kRows.end(), [&](const OpRow& r) { return r.kind == kind; });
  return row == kRows.end() ? nullptr : row;
}

Place place_of(const graph::Graph& graph, const graph::Node& node) {
  if (is_float(graph, node)) {
    const bool edge = node.kind == OpKind::kQuantize || node.kind == OpKind::kDequantize ||
                      node.kind == OpKind::kLogSoftmax || node.kind == OpKind::kReshape;
    return edge ? Place::kHost : Place::kUnsupported;
  }
  if (node.kind == OpKind::kReshape) return Place::kAlias;
  const OpRow* row = find_op(node.kind);
  if (row == nullptr) return Place::kUnsupported;
  const auto type = static_cast<unsigned>(graph.tensor(node.inputs.at(0)).type);
  return ((row->input_types >> type) & 1U) != 0 ? Place::kNpu : Place::kUnsupported;
}

const std::vector<OpSupport>& supported_ops() {
  static const std::vector<OpSupport> kOps = [] {
    std::vector<OpSupport> ops;
    for (const OpRow& r : kRows) ops.push_back({name_of(r.kind), r.types, r.place});
    ops.push_back({"RESHAPE, SQUEEZE, EXPAND_DIMS", "all", "no work: same bytes, other shape"});
    ops.push_back({"QUANTIZE", "float32 to integer, at the network's edge", "host"});
    ops.push_back({"DEQUANTIZE", "integer to float32, at the network's edge", "host"});
    ops.push_back({"LOG_SOFTMAX", "float32, at the network's edge", "host"});
    return ops;
  }();
  return kOps;
}

}  // namespace npu::kernels
