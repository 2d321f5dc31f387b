#include "kernels/onnx_import/quantized.h"

#include <algorithm>
#include <utility>

namespace npu::onnx_import {
namespace {

using onnx::ElementType;
using onnx::Value;

constexpr std::int32_t kMiddle = 128;

/// int8 as uint8 and back, 128 more or less.
void change_sign(QuantizedConstant& constant) {
  const bool to_unsigned = constant.value.type == ElementType::kInt8;
  constant.value.type = to_unsigned ? ElementType::kUint8 : ElementType::kInt8;
  for (std::byte& b : constant.value.bytes) b ^= std::byte{kMiddle};
  for (std::int32_t& zero : constant.zero_point) zero += to_unsigned ? kMiddle : -kMiddle;
}

bool all_are(const std::vector<std::int32_t>& list, std::int32_t value) {
  return std::ranges::all_of(list, [&](std::int32_t e) { return e == value; });
}

}  // namespace

bool is_byte(ElementType type) { return type == ElementType::kInt8 || type == ElementType::kUint8; }
bool is_byte(DType type) { return type == DType::kInt8 || type == DType::kUint8; }

bool is_scale(double value) { return value >= 0x1p-60 && value <= 0x1p60; }

std::optional<QuantizedConstant> quantized_constant(const onnx::Call& call, const Value& value,
                                                    const Value& scale, const Value* zero_point) {
  const bool is_float = scale.type == ElementType::kFloat;
  if (!is_byte(value.type) || !is_float || call.integer("block_size", 0) != 0) return std::nullopt;
  QuantizedConstant constant;
  constant.value = value;
  for (const double s : to_doubles(scale)) {
    if (!is_scale(s)) return std::nullopt;
    constant.scale.push_back(static_cast<float>(s));
  }
  constant.zero_point.assign(constant.scale.size(), 0);
  if (zero_point != nullptr) {
    if (zero_point->size() != scale.size() || zero_point->type != value.type) return std::nullopt;
    const std::vector<std::int64_t> zeros = to_integers(*zero_point);
    std::ranges::transform(zeros, constant.zero_point.begin(),
                           [](std::int64_t z) { return static_cast<std::int32_t>(z); });
  }
  if (constant.scale.size() == 1) return constant;
  if (value.rank() == 0 || constant.scale.empty()) return std::nullopt;
  constant.axis = onnx::resolve_axis(call.integer("axis", 1), value.rank());
  if (std::cmp_not_equal(value.shape[constant.axis], constant.scale.size())) return std::nullopt;
  return constant;
}

std::optional<QuantizedConstant> as_weights(QuantizedConstant constant) {
  const bool is_signed = constant.value.type == ElementType::kInt8;
  if (is_signed && all_are(constant.zero_point, 0)) return constant;
  if (!is_signed && all_are(constant.zero_point, kMiddle)) {
    change_sign(constant);
    return constant;
  }
  if (constant.scale.size() > 1) return std::nullopt;
  if (is_signed) change_sign(constant);
  return constant;
}

graph::Quantization steps(float scale, std::int32_t zero_point) {
  return {{scale}, {zero_point}, 0};
}

}  // namespace npu::onnx_import
