#include "kernels/reference/quantization.h"

#include <cmath>
#include <limits>

#include "sim/base/error.h"

namespace npu::reference {

using graph::Activation;

namespace {

const graph::Quantization& per_tensor(const graph::Tensor& tensor) {
  if (!tensor.quantization || tensor.quantization->scale.size() != 1 ||
      tensor.quantization->zero_point.size() != 1) {
    fail("tensor {}: needs one scale and one zero point", tensor.name);
  }
  return *tensor.quantization;
}

}  // namespace

float scale_of(const graph::Tensor& tensor) {
  const float scale = per_tensor(tensor).scale[0];
  if (!std::isfinite(scale) || scale <= 0.0F) {
    fail("tensor {}: scale must be positive, got {}", tensor.name, scale);
  }
  return scale;
}

std::int32_t zero_point_of(const graph::Tensor& tensor) {
  const std::int32_t zero_point = per_tensor(tensor).zero_point[0];
  const IntegerRange range = range_of(tensor.type);
  if (zero_point < range.low || zero_point > range.high) {
    fail("tensor {}: zero point must be a value of {}, got {}", tensor.name, name_of(tensor.type),
         zero_point);
  }
  return zero_point;
}

IntegerRange range_of(DType type) {
  switch (type) {
    case DType::kInt8:
      return {-128, 127};
    case DType::kUint8:
      return {0, 255};
    case DType::kInt16:
      return {-32768, 32767};
    case DType::kInt32:
      return {INT32_MIN, INT32_MAX};
    default:
      break;
  }
  fail("{} is not a quantized type", name_of(type));
}

IntegerRange activation_range(Activation activation, const graph::Tensor& y) {
  const IntegerRange all = range_of(y.type);
  const auto quantized = [&](float real) {
    return all.clamp(zero_point_of(y) + static_cast<std::int64_t>(std::round(
                                            std::clamp(real / scale_of(y), -1e12F, 1e12F))));
  };
  switch (activation) {
    case Activation::kNone:
      return all;
    case Activation::kRelu:
      return {quantized(0.0F), all.high};
    case Activation::kRelu6:
      return {quantized(0.0F), quantized(6.0F)};
    case Activation::kReluN1To1:
      return {quantized(-1.0F), quantized(1.0F)};
  }
  NPU_CHECK(false, "activation");
  return all;
}

FloatRange activation_range(Activation activation) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  switch (activation) {
    case Activation::kNone:
      return {-kInfinity, kInfinity};
    case Activation::kRelu:
      return {0.0F, kInfinity};
    case Activation::kRelu6:
      return {0.0F, 6.0F};
    case Activation::kReluN1To1:
      return {-1.0F, 1.0F};
  }
  NPU_CHECK(false, "activation");
  return {0.0F, 0.0F};
}

FloatRange real_range(const graph::Tensor& tensor) {
  const bool quantized =
      tensor.type == DType::kInt8 || tensor.type == DType::kUint8 || tensor.type == DType::kInt16;
  if (!quantized || !tensor.quantization || tensor.quantization->per_channel()) {
    return activation_range(Activation::kNone);
  }
  const IntegerRange range = range_of(tensor.type);
  const auto scale = static_cast<double>(scale_of(tensor));
  const double zero_point = zero_point_of(tensor);
  return {static_cast<float>(scale * (range.low - zero_point)),
          static_cast<float>(scale * (range.high - zero_point))};
}

OutputStage output_stage(double real, Activation activation, const graph::Tensor& y) {
  return {{to_multiplier(real)}, zero_point_of(y), activation_range(activation, y)};
}

}  // namespace npu::reference
