#include "workloads/passes/float_constants.h"

#include <algorithm>
#include <cstring>

#include "sim/base/half.h"

namespace npu::passes {

using graph::Tensor;

namespace {

float float_at(const Tensor& tensor, std::size_t i) {
  const auto size = static_cast<std::size_t>(size_of(tensor.type));
  const std::byte* from = tensor.data.data() + i * size;
  if (tensor.type == DType::kFloat32) {
    float value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  std::uint16_t bits = 0;
  std::memcpy(&bits, from, sizeof bits);
  return tensor.type == DType::kFloat16 ? half_to_float(bits) : bfloat_to_float(bits);
}

bool has_values(const Tensor& tensor) {
  return tensor.is_constant && graph::has_payload(tensor) && !tensor.quantization.has_value();
}

}  // namespace

std::optional<std::vector<float>> constant_floats(const Tensor& tensor) {
  if (!has_values(tensor) || !is_float(tensor.type)) return std::nullopt;
  std::vector<float> values(static_cast<std::size_t>(element_count(tensor.shape)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = float_at(tensor, i);
  return values;
}

std::optional<float> constant_float(const Tensor& tensor) {
  if (!has_values(tensor) || !is_float(tensor.type) || element_count(tensor.shape) != 1)
    return std::nullopt;
  return float_at(tensor, 0);
}

std::optional<std::vector<bool>> constant_condition(const Tensor& tensor) {
  if (!has_values(tensor) || is_float(tensor.type)) return std::nullopt;
  const auto size = static_cast<std::size_t>(size_of(tensor.type));
  std::vector<bool> holds(static_cast<std::size_t>(element_count(tensor.shape)));
  for (std::size_t i = 0; i < holds.size(); ++i) {
    const std::byte* from = tensor.data.data() + i * size;
    holds[i] = std::any_of(from, from + size, [](std::byte b) { return b != std::byte{0}; });
  }
  return holds;
}

}  // namespace npu::passes
