#include "kernels/lowering/op_table.h"

#include <algorithm>
#include <array>

#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::OpKind;

constexpr std::uint16_t mask(std::initializer_list<DType> types) {
  std::uint16_t m = 0;
  for (const DType t : types) m = static_cast<std::uint16_t>(m | (1U << static_cast<unsigned>(t)));
  return m;
}
constexpr std::uint16_t k8 = mask({DType::kInt8, DType::kUint8});
constexpr std::uint16_t k8And16 = mask({DType::kInt8, DType::kUint8, DType::kInt16});
constexpr std::uint16_t kUpTo32 = mask({DType::kInt8, DType::kUint8, DType::kInt16, DType::kInt32});

constexpr std::uint16_t kFloats = mask({DType::kFloat16, DType::kBfloat16, DType::kFloat32});
constexpr std::uint16_t kNumbers = kUpTo32 | kFloats | mask({DType::kBool});
constexpr std::uint16_t kAny = kNumbers | mask({DType::kInt64});
constexpr std::uint16_t kReals = k8And16 | mask({DType::kInt32}) | kFloats;

constexpr std::string_view kNumberNames =
    "int8, uint8, int16, int32, bool, float16, bfloat16, float32";
constexpr std::string_view kRealNames = "float16, bfloat16, float32, quantized integers";
constexpr std::string_view kArray = "NPU: MAC array, vector unit";
constexpr std::string_view kVector = "NPU: vector unit";
constexpr std::string_view kDma = "NPU: DMA";

constexpr std::string_view kMacTypes =
    "int8, uint8 (mixed where sums are rescaled in fp32; also to int32 sums), int16x8, float16, "
    "bfloat16, float32";

constexpr auto kRows = std::to_array<OpRow>({
    {OpKind::kConv2d, lower_window, k8And16 | kFloats, kMacTypes, kArray},
    {OpKind::kDepthwiseConv2d, lower_window, k8And16 | kFloats, kMacTypes, kArray},
    {OpKind::kTransposeConv, lower_window, k8And16 | kFloats, kMacTypes, kArray},
    {OpKind::kFullyConnected, lower_window, k8And16 | kFloats, kMacTypes, kArray},
    {OpKind::kMatMul, lower_matmul, k8 | kFloats,
     "int8, uint8 to themselves, int32 or floats; float16, bfloat16, float32", kArray},
    {OpKind::kAttention, lower_attention, k8 | kFloats,
     "int8, uint8 to bytes or floats; float16, bfloat16, float32", kArray},
    {OpKind::kSvdf, lower_svdf, mask({DType::kInt8}), "int8 with int8 or int16 state", kArray},
    {OpKind::kAdd, lower_binary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kSub, lower_binary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kMul, lower_binary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kMaximum, lower_binary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kMinimum, lower_binary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kAveragePool2d, lower_window, k8And16 | kFloats,
     "int8, uint8, int16, float16, bfloat16, float32", kVector},
    {OpKind::kMaxPool2d, lower_window, k8And16 | kFloats,
     "int8, uint8, int16, float16, bfloat16, float32", kVector},
    {OpKind::kMean, lower_reduction, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kSum, lower_reduction, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kSoftmax, lower_softmax, k8And16 | kFloats,
     "int8, uint8, int16; int8 to int16; float16, bfloat16, float32", kVector},
    {OpKind::kLogistic, lower_unary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kTanh, lower_unary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kRelu, lower_unary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kRelu6, lower_unary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kReluN1To1, lower_unary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kLeakyRelu, lower_unary, k8And16, "int8, uint8, int16", kVector},
    {OpKind::kHardSwish, lower_unary, k8, "int8, uint8", kVector},
    {OpKind::kQuantize, lower_unary, kUpTo32, "int8, uint8, int16, int32 to each other", kVector},
    {OpKind::kPad, lower_moves, kAny, "all", kDma},
    {OpKind::kConcatenation, lower_moves, kAny, "all; uint8 with rescale", kDma},
    {OpKind::kPack, lower_moves, kAny, "all", kDma},
    {OpKind::kTranspose, lower_moves, kAny, "all", kDma},
    {OpKind::kStridedSlice, lower_moves, kAny, "all", kDma},
    {OpKind::kMap, lower_general, kNumbers, kNumberNames, kVector},
    {OpKind::kReduce, lower_general, kNumbers, kNumberNames, kVector},
    {OpKind::kLayerNorm, lower_general, kReals, kRealNames, kVector},
    {OpKind::kRmsNorm, lower_general, kReals, kRealNames, kVector},
    {OpKind::kRope, lower_general, kReals, kRealNames, kVector},
    {OpKind::kGather, lower_moves, kAny, "all; constant indices", kDma},
});

using graph::Graph;
using graph::Node;
using graph::TensorId;

/// What the array's operators take beyond the type of their first operand.
bool has_mac_types(const Graph& graph, const Node& node) {
  const graph::Tensor& x = graph.tensor(node.inputs.at(0));
  const graph::Tensor& w = graph.tensor(node.inputs.at(1));
  const bool has_bias =
      node.kind != OpKind::kAttention && node.inputs.size() > 2 && node.inputs[2] != graph::kAbsent;
  if (is_float(x.type) && w.type != x.type) return false;  // weights stored as int8
  return !has_bias || graph.tensor(node.inputs[2]).is_constant;
}

bool has_float32(const Graph& graph, const Node& node) {
  const auto any = [&](const std::vector<TensorId>& ids) {
    return std::any_of(ids.begin(), ids.end(), [&](TensorId id) {
      return id != graph::kAbsent && graph.tensor(id).type == DType::kFloat32;
    });
  };
  return any(node.inputs) || any(node.outputs);
}

bool makes(const Node& node, TensorId id) {
  return std::find(node.outputs.begin(), node.outputs.end(), id) != node.outputs.end();
}
bool reads(const Node& node, TensorId id) {
  return std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
}

/// Whether an operator of that place makes a tensor, or reads it, changes of shape between.
bool makes_at(Place place, const Graph& graph, TensorId id) {
  const auto producer = std::find_if(graph.nodes.begin(), graph.nodes.end(),
                                     [&](const Node& n) { return makes(n, id); });
  if (producer == graph.nodes.end()) return false;
  if (producer->kind == OpKind::kReshape) return makes_at(place, graph, producer->inputs.at(0));
  return place_of(graph, *producer) == place;
}
bool reads_at(Place place, const Graph& graph, TensorId id) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [&](const Node& n) {
    if (!reads(n, id)) return false;
    if (n.kind == OpKind::kReshape) return reads_at(place, graph, n.outputs.at(0));
    return place_of(graph, n) == place;
  });
}

/// Changes of shape of floats are the host's beside its conversions, free elsewhere.
Place place_of_float_reshape(const Graph& graph, const Node& node) {
  const auto is_beside = [&](Place place) {
    return makes_at(place, graph, node.inputs.at(0)) || reads_at(place, graph, node.outputs.at(0));
  };
  return !is_beside(Place::kNpu) && is_beside(Place::kHost) ? Place::kHost : Place::kAlias;
}

}  // namespace

const OpRow* find_op(OpKind kind) {
  const auto* row =
      std::find_if(kRows.begin(), kRows.end(), [&](const OpRow& r) { return r.kind == kind; });
  return row == kRows.end() ? nullptr : row;
}

Place place_of(const Graph& graph, const Node& node) {
  if (const OpRow* row = find_op(node.kind); row != nullptr && row->place == kArray) {
    const auto type = static_cast<unsigned>(graph.tensor(node.inputs.at(0)).type);
    const bool runs = (row->input_types >> type & 1U) != 0 && has_mac_types(graph, node);
    return runs ? Place::kNpu : Place::kUnsupported;
  }
  if (has_float32(graph, node)) {
    const bool edge = node.kind == OpKind::kQuantize || node.kind == OpKind::kDequantize ||
                      node.kind == OpKind::kLogSoftmax;
    if (edge) return Place::kHost;
    if (node.kind == OpKind::kReshape) return place_of_float_reshape(graph, node);
  }
  if (node.kind == OpKind::kReshape) return Place::kAlias;
  const OpRow* row = find_op(node.kind);
  if (row == nullptr) return Place::kUnsupported;
  // The NPU does not read addresses from memory.
  if (node.kind == OpKind::kGather && !graph.tensor(node.inputs.at(1)).is_constant)
    return Place::kUnsupported;
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
