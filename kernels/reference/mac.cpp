#include "kernels/reference/mac.h"

#include <cmath>

namespace npu::reference {

namespace {

constexpr std::size_t kX = 0, kW = 1, kBias = 2;

double ratio(float x, float w, float y, bool float_product) {
  const double product =
      float_product ? static_cast<double>(x * w) : static_cast<double>(x) * static_cast<double>(w);
  return product / static_cast<double>(y);
}

}  // namespace

bool has_integer_mac(const graph::Graph& graph, const graph::Node& node) {
  const DType x = input_type(graph, node, kX);
  const DType w = input_type(graph, node, kW);
  std::optional<DType> bias;
  if (node.inputs.size() > kBias && node.inputs[kBias] != graph::kAbsent) {
    bias = input_type(graph, node, kBias);
  }
  const auto byte = [](DType type) { return type == DType::kInt8 || type == DType::kUint8; };
  if (byte(x) && byte(w) && output_type(graph, node) == DType::kInt32) {
    return !bias || *bias == DType::kInt32;
  }
  if (graph::rescales_in_float(node)) {
    return byte(x) && byte(w) && byte(output_type(graph, node)) &&
           (!bias || *bias == DType::kInt32);
  }
  if (output_type(graph, node) != x) return false;
  switch (x) {
    case DType::kInt8:
    case DType::kUint8:
      return w == x && (!bias || *bias == DType::kInt32);
    case DType::kInt16:
      return w == DType::kInt8 && (!bias || *bias == DType::kInt32 || *bias == DType::kInt64) &&
             zero_point_of(graph.tensor(node.inputs[kX])) == 0;
    default:
      return false;
  }
}

MacOperands mac_operands(const Invocation& call, graph::Activation activation, ScaleProduct product,
                         std::int64_t channels) {
  const graph::Tensor& x = call.input_tensor(kX);
  const graph::Tensor& w = call.input_tensor(kW);
  const graph::Tensor& y = call.output_tensor();
  MacOperands operands;
  operands.x = call.input(kX);
  operands.w = call.input(kW);
  if (call.has_input(kBias)) operands.bias = call.input(kBias);
  operands.raw = y.type == DType::kInt32;
  if (x.quantization) operands.x_zero_point = zero_point_of(x);
  // int8 weights are symmetric; their zero point is not read.
  if (w.type == DType::kUint8 && w.quantization) operands.w_zero_point = zero_point_of(w);
  if (operands.raw) return operands;
  operands.stage.zero_point = zero_point_of(y);
  operands.stage.range = activation_range(activation, y);
  if (!w.quantization) fail("tensor {}: weights need a scale", w.name);
  const std::vector<float>& scales = w.quantization->scale;
  if (scales.size() != 1 && std::ssize(scales) != channels) {
    fail("tensor {}: needs 1 or {} weight scales, got {}", w.name, channels, scales.size());
  }
  if (graph::rescales_in_float(call.node())) {
    operands.stage.range = range_of(y.type);
    operands.bounds = activation_range(activation);
    operands.bounds.low /= scale_of(y);
    operands.bounds.high /= scale_of(y);
    for (const float scale : scales) {
      operands.factors.push_back(scale_of(x) * scale);
      operands.factors.back() /= scale_of(y);
    }
    return operands;
  }
  const bool float_product = product == ScaleProduct::kFloatIfPerTensor && scales.size() == 1;
  for (const float scale : scales) {
    operands.stage.multipliers.push_back(
        to_multiplier(ratio(scale_of(x), scale, scale_of(y), float_product)));
    if (operands.wide() && operands.stage.multipliers.back().shift > 14) {
      fail("{}: ratio of scales is too large for a 64-bit accumulator",
           graph::describe(call.node()));
    }
  }
  return operands;
}

MacWriter::MacWriter(const MacOperands& operands, std::size_t channels, TensorData& y)
    : stage_(operands.stage),
      factors_(operands.factors),
      bounds_(operands.bounds),
      wide_(operands.wide()),
      raw_(operands.raw),
      bias_(channels),
      y_(y) {
  if (!operands.bias) return;
  if (operands.bias->type == DType::kInt64) {
    const auto values = operands.bias->as<std::int64_t>();
    bias_.assign(values.begin(), values.end());
  } else {
    const auto values = operands.bias->as<std::int32_t>();
    bias_.assign(values.begin(), values.end());
  }
  NPU_CHECK(bias_.size() == channels, "length of the bias");
}

std::int32_t MacWriter::scaled(std::int32_t accumulator, std::size_t channel) const {
  const float factor = factors_[factors_.size() == 1 ? 0 : channel];
  const float steps =
      std::clamp(static_cast<float>(accumulator) * factor, bounds_.low, bounds_.high);
  const double rounded = std::nearbyint(static_cast<double>(steps)) + stage_.zero_point;
  return static_cast<std::int32_t>(
      std::clamp<double>(rounded, stage_.range.low, stage_.range.high));
}

template <typename Sum>
void MacWriter::finish(std::size_t first_channel, std::span<const Sum> sums) {
  finished_.resize(sums.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    const std::size_t channel = first_channel + i;
    const auto accumulator =
        static_cast<std::int64_t>(static_cast<std::uint64_t>(static_cast<std::int64_t>(sums[i])) +
                                  static_cast<std::uint64_t>(bias_[channel]));
    if (raw_) {
      finished_[i] = static_cast<std::int32_t>(accumulator);
      continue;
    }
    if (!factors_.empty()) {
      finished_[i] = scaled(static_cast<std::int32_t>(accumulator), channel);
      continue;
    }
    finished_[i] = wide_ ? stage_.finish_wide(accumulator, channel)
                         : stage_.finish(static_cast<std::int32_t>(accumulator), channel);
  }
}

void MacWriter::store(std::size_t offset, std::size_t count) {
  const auto copy = [&](auto* to) {
    using Element = std::remove_pointer_t<decltype(to)>;
    for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<Element>(finished_[i]);
  };
  switch (y_.type) {
    case DType::kInt8:
      copy(y_.as<std::int8_t>().subspan(offset, count).data());
      return;
    case DType::kUint8:
      copy(y_.as<std::uint8_t>().subspan(offset, count).data());
      return;
    case DType::kInt16:
      copy(y_.as<std::int16_t>().subspan(offset, count).data());
      return;
    case DType::kInt32:
      copy(y_.as<std::int32_t>().subspan(offset, count).data());
      return;
    default:
      NPU_CHECK(false, "output type");
  }
}

void MacWriter::write(std::size_t offset, std::size_t first_channel,
                      std::span<const std::int64_t> sums) {
  finish(first_channel, sums);
  store(offset, sums.size());
}

void MacWriter::write(std::size_t offset, std::size_t first_channel,
                      std::span<const std::int32_t> sums) {
  finish(first_channel, sums);
  store(offset, sums.size());
}

std::vector<float> float_bias(const Invocation& call, std::size_t index, std::size_t channels,
                              const std::vector<double>& scales) {
  std::vector<float> bias(channels, 0.0F);
  if (!call.has_input(index)) return bias;
  const graph::Tensor& tensor = call.input_tensor(index);
  if (!tensor.is_constant || tensor.type == DType::kFloat32) {
    const auto values = call.input(index).as<float>();
    bias.assign(values.begin(), values.end());
  } else {
    const View raw(tensor.type, tensor.shape, tensor.data);
    for (std::size_t c = 0; c < channels; ++c) {
      const double value = tensor.type == DType::kInt64
                               ? static_cast<double>(raw.as<std::int64_t>()[c])
                               : static_cast<double>(raw.as<std::int32_t>()[c]);
      bias[c] = static_cast<float>(value * scales.at(scales.size() == 1 ? 0 : c));
    }
  }
  NPU_CHECK(bias.size() == channels, "length of the bias");
  return bias;
}

std::vector<float> float_bias(const Invocation& call, std::size_t channels) {
  std::vector<double> scales;
  const graph::Tensor& w = call.input_tensor(kW);
  if (w.quantization && is_quantized(call.input_tensor(kX).type)) {
    const auto x = static_cast<double>(scale_of(call.input_tensor(kX)));
    for (const float scale : w.quantization->scale) {
      scales.push_back(x * static_cast<double>(scale));
    }
  }
  return float_bias(call, kBias, channels, scales);
}

}  // namespace npu::reference
