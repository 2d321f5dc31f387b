#include "workloads/passes/quantize_constants.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "sim/base/error.h"
#include "workloads/passes/quantize_network.h"

namespace npu::passes {
namespace {

using graph::Quantization;
using graph::Tensor;

/// Slices along an axis: element i is in slice (i / inner) % count.
struct Slices {
  std::size_t inner = 1, count = 1;

  Slices(const graph::Tensor& tensor, int axis) {
    const auto at = static_cast<std::size_t>(axis);
    count = static_cast<std::size_t>(tensor.shape.at(at));
    for (std::size_t d = at + 1; d < tensor.shape.size(); ++d) {
      inner *= static_cast<std::size_t>(tensor.shape[d]);
    }
  }
  [[nodiscard]] std::size_t of(std::size_t element) const { return element / inner % count; }
};

std::byte to_int8(double value, double low) {
  return static_cast<std::byte>(
      static_cast<std::int8_t>(std::clamp(std::nearbyint(value), low, 127.0)));
}

void require_finite(const Tensor& tensor, float value) {
  if (!std::isfinite(value)) {
    fail("tensor `{}`: cannot quantize the constant {}", tensor.name, value);
  }
}

}  // namespace

std::vector<float> float_values(const Tensor& tensor) {
  NPU_CHECK(tensor.type == DType::kFloat32 && graph::has_payload(tensor), "a float constant");
  std::vector<float> values(tensor.data.size() / sizeof(float));
  std::memcpy(values.data(), tensor.data.data(), tensor.data.size());
  return values;
}

Tensor quantized_constant(const Tensor& tensor) {
  const std::vector<float> values = float_values(tensor);
  Range range;
  for (const float v : values) {
    require_finite(tensor, v);
    range = {std::min(range.low, v), std::max(range.high, v)};
  }
  Tensor result = tensor;
  result.type = DType::kInt8;
  result.quantization = activation_quantization(range);
  const auto scale = static_cast<double>(result.quantization->scale[0]);
  result.data.clear();
  for (const float v : values) {
    result.data.push_back(
        to_int8(static_cast<double>(v) / scale + result.quantization->zero_point[0], -128));
  }
  return result;
}

std::vector<float> magnitudes(const Tensor& tensor, int axis) {
  const Slices slices(tensor, axis);
  std::vector<float> largest(slices.count, 0.0F);
  const std::vector<float> values = float_values(tensor);
  for (std::size_t i = 0; i < values.size(); ++i) {
    require_finite(tensor, values[i]);
    float& m = largest[slices.of(i)];
    m = std::max(m, std::abs(values[i]));
  }
  return largest;
}

Tensor quantized_weights(const Tensor& tensor, int axis, std::vector<float> scales) {
  const Slices slices(tensor, axis);
  NPU_CHECK(scales.size() == slices.count, "a scale per channel");
  const std::vector<float> values = float_values(tensor);
  Tensor result = tensor;
  result.type = DType::kInt8;
  result.data.clear();
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto scale = static_cast<double>(scales[slices.of(i)]);
    result.data.push_back(to_int8(static_cast<double>(values[i]) / scale, -127));
  }
  result.quantization =
      Quantization{std::move(scales), std::vector<std::int32_t>(slices.count, 0), axis};
  return result;
}

Tensor quantized_bias(const Tensor& tensor, const std::vector<float>& scales) {
  const std::vector<float> values = float_values(tensor);
  NPU_CHECK(scales.size() == values.size(), "a scale per entry");
  Tensor result = tensor;
  result.type = DType::kInt32;
  result.data.resize(values.size() * sizeof(std::int32_t));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double q =
        std::nearbyint(static_cast<double>(values[i]) / static_cast<double>(scales[i]));
    NPU_CHECK(std::abs(q) < 0x1p31, "the scale holds the bias");
    const auto stored = static_cast<std::int32_t>(q);
    std::memcpy(result.data.data() + i * sizeof stored, &stored, sizeof stored);
  }
  result.quantization = Quantization{scales, std::vector<std::int32_t>(scales.size(), 0), 0};
  return result;
}

}  // namespace npu::passes
