#include "workloads/graph/graph.h"

#include <fmt/format.h>

#include <array>
#include <string>

#include "sim/base/error.h"

namespace npu::graph {
namespace {

constexpr std::array<std::string_view, kOpKinds> kNames = {
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "TRANSPOSE_CONV",
    "FULLY_CONNECTED",
    "ADD",
    "SUB",
    "MUL",
    "MAXIMUM",
    "MINIMUM",
    "AVERAGE_POOL_2D",
    "MAX_POOL_2D",
    "MEAN",
    "SUM",
    "PAD",
    "CONCATENATION",
    "RESHAPE",
    "TRANSPOSE",
    "STRIDED_SLICE",
    "SPLIT",
    "PACK",
    "SOFTMAX",
    "LOG_SOFTMAX",
    "LOGISTIC",
    "TANH",
    "RELU",
    "RELU6",
    "RELU_N1_TO_1",
    "LEAKY_RELU",
    "HARD_SWISH",
    "QUANTIZE",
    "DEQUANTIZE",
    "SVDF",
    "MAP",
    "REDUCE",
    "MATMUL",
    "LAYER_NORM",
    "RMS_NORM",
    "ROPE",
    "ATTENTION",
    "GATHER",
};

}  // namespace

std::string_view name_of(OpKind kind) {
  const auto index = static_cast<std::size_t>(kind);
  NPU_CHECK(index < kNames.size(), "operator kind out of range");
  return kNames[index];
}

std::string_view name_of(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "NONE";
    case Activation::kRelu:
      return "RELU";
    case Activation::kReluN1To1:
      return "RELU_N1_TO_1";
    case Activation::kRelu6:
      return "RELU6";
  }
  return "?";
}

std::string describe(const Node& node) {
  return fmt::format("operator #{} {}", node.source_index, name_of(node.kind));
}

bool same_quantization(const Tensor& a, const Tensor& b) {
  if (a.quantization.has_value() != b.quantization.has_value()) return false;
  if (!a.quantization.has_value()) return true;
  return a.quantization->scale == b.quantization->scale &&
         a.quantization->zero_point == b.quantization->zero_point;
}

bool rescales_in_float(const Node& node) {
  const auto* window = std::get_if<WindowAttrs>(&node.attrs);
  return window != nullptr && window->rescale == Rescale::kFloat;
}

bool has_payload(const Tensor& tensor) {
  return !tensor.is_constant || std::ssize(tensor.data) == tensor.bytes();
}

void require_payload(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    for (const TensorId id : node.inputs) {
      if (id == kAbsent || has_payload(graph.tensor(id))) continue;
      fail(
          "{}: the values of constant #{} `{}` are not there, only its shape: without them the "
          "network can only be timed (timing-only)",
          describe(node), id, graph.tensor(id).name);
    }
  }
}

std::int64_t mac_count(const Graph& graph, const Node& node) {
  const auto elements = [&](TensorId id) { return element_count(graph.tensor(id).shape); };
  switch (node.kind) {
    case OpKind::kConv2d: {  // outputs · taps · input channels of a group
      const Shape& w = graph.tensor(node.inputs.at(1)).shape;
      return elements(node.outputs.at(0)) * w.at(1) * w.at(2) * w.at(3);
    }
    case OpKind::kDepthwiseConv2d: {
      const Shape& w = graph.tensor(node.inputs.at(1)).shape;
      return elements(node.outputs.at(0)) * w.at(1) * w.at(2);
    }
    case OpKind::kTransposeConv: {
      const Shape& w = graph.tensor(node.inputs.at(1)).shape;
      return elements(node.inputs.at(0)) * w.at(0) * w.at(1) * w.at(2);
    }
    case OpKind::kFullyConnected:
      return elements(node.inputs.at(0)) * graph.tensor(node.inputs.at(1)).shape.at(0);
    case OpKind::kSvdf:  // features, then the time filters over the state
      return elements(node.inputs.at(0)) * graph.tensor(node.inputs.at(1)).shape.at(0) +
             elements(node.inputs.at(4));
    case OpKind::kMatMul:
      return elements(node.outputs.at(0)) * graph.tensor(node.inputs.at(0)).shape.back();
    case OpKind::kAttention: {  // scores, then the values that they weight
      const Shape& q = graph.tensor(node.inputs.at(0)).shape;
      const Shape& v = graph.tensor(node.inputs.at(2)).shape;
      return q.at(0) * q.at(1) * q.at(2) * v.at(2) * (q.at(3) + v.at(3));
    }
    default:
      return 0;
  }
}

}  // namespace npu::graph
