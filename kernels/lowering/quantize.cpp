#include "kernels/lowering/quantize.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "sim/base/error.h"

namespace npu::kernels {
namespace {

/// The largest output magnitude that any activation needs; keeps a hostile scale from overflowing
/// the conversion.
std::int32_t quantized(double real, const PerTensor& q) {
  const double v =
      std::round(static_cast<double>(static_cast<float>(real) / q.scale)) + q.zero_point;
  return static_cast<std::int32_t>(std::clamp(v, -2147483648.0, 2147483647.0));
}

/// Bits of the fp32 limits.
Clamp float_clamp_of(graph::Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float low = activation == graph::Activation::kNone        ? -kInfinity
                    : activation == graph::Activation::kReluN1To1 ? -1.0F
                                                                  : 0.0F;
  const float high = activation == graph::Activation::kRelu6       ? 6.0F
                     : activation == graph::Activation::kReluN1To1 ? 1.0F
                                                                   : kInfinity;
  return {std::bit_cast<std::int32_t>(low), std::bit_cast<std::int32_t>(high)};
}

}  // namespace

PerTensor per_tensor(const graph::Tensor& tensor) {
  if (!tensor.quantization || tensor.quantization->scale.empty())
    fail("tensor '{}' has no quantization", tensor.name);
  return {tensor.quantization->scale[0], tensor.quantization->zero_point.at(0)};
}

Clamp full_range(DType type) {
  switch (type) {
    case DType::kInt8:
      return {-128, 127};
    case DType::kUint8:
      return {0, 255};
    case DType::kInt16:
      return {-32768, 32767};
    case DType::kInt32:
      return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    default:
      fail("the NPU has no arithmetic for {}", name_of(type));
  }
}

graph::Activation activation_of(graph::OpKind kind) {
  switch (kind) {
    case graph::OpKind::kRelu:
      return graph::Activation::kRelu;
    case graph::OpKind::kRelu6:
      return graph::Activation::kRelu6;
    case graph::OpKind::kReluN1To1:
      return graph::Activation::kReluN1To1;
    default:
      return graph::Activation::kNone;
  }
}

Clamp clamp_of(const graph::Tensor& y, graph::Activation activation) {
  if (is_float(y.type)) return float_clamp_of(activation);
  Clamp c = full_range(y.type);
  if (activation == graph::Activation::kNone) return c;
  const PerTensor q = per_tensor(y);
  if (activation == graph::Activation::kReluN1To1) {
    c.low = std::max(c.low, quantized(-1, q));
    c.high = std::min(c.high, quantized(1, q));
    return c;
  }
  c.low = std::max(c.low, q.zero_point);
  if (activation == graph::Activation::kRelu6) c.high = std::min(c.high, quantized(6, q));
  return c;
}

int type_code(DType type) {
  switch (type) {
    case DType::kInt8:
      return 0;
    case DType::kUint8:
    case DType::kBool:
      return 1;
    case DType::kInt16:
      return 2;
    case DType::kInt32:
      return 3;
    case DType::kFloat16:
      return 4;
    case DType::kBfloat16:
      return 5;
    case DType::kFloat32:
      return 6;
    default:
      fail("the NPU has no arithmetic for {}", name_of(type));
  }
}

FixedMultiplier channel_multiplier(const graph::Graph& graph, const graph::Node& node,
                                   std::int64_t channel) {
  const PerTensor x = per_tensor(graph.tensor(node.inputs[0]));
  const PerTensor y = per_tensor(graph.tensor(node.outputs[0]));
  const graph::Quantization& w = graph.tensor(node.inputs[1]).quantization.value();
  const float w_scale =
      w.per_channel() ? w.scale.at(static_cast<std::size_t>(channel)) : w.scale.at(0);
  const bool float_product = node.kind == graph::OpKind::kFullyConnected && !w.per_channel();
  const double product = float_product
                             ? static_cast<double>(x.scale * w_scale)
                             : static_cast<double>(x.scale) * static_cast<double>(w_scale);
  return quantize_multiplier(product / static_cast<double>(y.scale));
}

void WordWriter::word(std::int64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) *at_++ = static_cast<std::byte>((value >> (8 * i)) & 0xff);
}

}  // namespace npu::kernels
