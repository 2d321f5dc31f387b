#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/llm_reference/forward.h"

namespace npu::llm_reference {
namespace {

using llm::Matrix;

void multiply_floats(const Matrix& matrix, std::span<const float> x, std::span<float> y) {
  const llm::FloatView weights(matrix.values);
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    float sum = 0;
    for (std::int64_t column = 0; column < matrix.columns; ++column) {
      sum += weights[row * matrix.columns + column] * x[static_cast<std::size_t>(column)];
    }
    y[static_cast<std::size_t>(row)] = sum;
  }
}

/// A vector in the groups of the matrix that it will be multiplied with.
struct GroupedVector {
  std::vector<int> values;
  std::vector<float> scales;
};

/// Written apart from workloads/llm, which prepares what the NPU gets. A group with an element that
/// is not finite makes every product with it NaN.
GroupedVector group(std::span<const float> x, std::size_t group_size) {
  GroupedVector grouped;
  for (std::size_t begin = 0; begin < x.size(); begin += group_size) {
    const auto piece = x.subspan(begin, std::min(group_size, x.size() - begin));
    float most = 0;
    for (const float element : piece) most = std::fabs(element) > most ? std::fabs(element) : most;
    const bool finite = std::ranges::all_of(piece, [](float e) { return std::isfinite(e); });
    const float scale = finite ? most / 127.0F : std::numeric_limits<float>::quiet_NaN();
    grouped.scales.push_back(scale);
    for (const float element : piece) {
      const float steps = scale > 0 ? std::round(element / scale) : 0.0F;
      grouped.values.push_back(static_cast<int>(std::clamp(steps, -127.0F, 127.0F)));
    }
  }
  return grouped;
}

void multiply_groups(const Matrix& matrix, std::span<const float> x, std::span<float> y) {
  const GroupedVector vector = group(x, static_cast<std::size_t>(matrix.group_size));
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    float result = 0;
    for (std::int64_t begin = 0; begin < matrix.columns; begin += matrix.group_size) {
      const std::int64_t end = std::min(begin + matrix.group_size, matrix.columns);
      std::int32_t sum = 0;
      for (std::int64_t column = begin; column < end; ++column) {
        sum += matrix.quantized(row, column) * vector.values[static_cast<std::size_t>(column)];
      }
      result += static_cast<float>(sum) * matrix.scale(row, begin) *
                vector.scales[static_cast<std::size_t>(begin / matrix.group_size)];
    }
    y[static_cast<std::size_t>(row)] = result;
  }
}

}  // namespace

void multiply(const Matrix& matrix, std::span<const float> x, std::span<float> y) {
  NPU_CHECK(static_cast<std::int64_t>(x.size()) == matrix.columns &&
                static_cast<std::int64_t>(y.size()) == matrix.rows,
            "shape of the product");
  if (matrix.format == llm::WeightFormat::kFloat32) {
    multiply_floats(matrix, x, y);
  } else {
    multiply_groups(matrix, x, y);
  }
}

}  // namespace npu::llm_reference
