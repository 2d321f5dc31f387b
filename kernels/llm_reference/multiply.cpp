#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/llm_reference/forward.h"

namespace npu::llm_reference {
namespace {

using llm::Matrix;

/// To a multiple of 2^-10 of its power of two, in fp64: adding a number whose last place that is
/// rounds.
float to_half(float value) {
  if (!std::isfinite(value) || value == 0) return value;
  const int last = std::max(std::ilogb(value), -14) - 10;
  const double shifter = std::ldexp(1.5, last + 52);
  const double result = (static_cast<double>(value) + shifter) - shifter;
  if (std::fabs(result) < 65536) return static_cast<float>(std::copysign(result, value));
  return std::copysign(std::numeric_limits<float>::infinity(), value);
}

float to_bfloat(float value) {
  if (std::isnan(value)) return value;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t lost = bits & 0xffffU;
  std::uint32_t kept = bits - lost;
  if (lost > 0x8000U || (lost == 0x8000U && (kept & 0x10000U) != 0)) kept += 0x10000U;
  return std::bit_cast<float>(kept);
}

void multiply_rounded(const Matrix& matrix, std::span<const float> x, std::span<float> y,
                      llm::Precision precision) {
  std::vector<float> narrow;
  for (const float v : x) narrow.push_back(rounded(v, precision));
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    float sum = 0;
    for (std::int64_t column = 0; column < matrix.columns; ++column) {
      sum += rounded(matrix.at(row, column), precision) * narrow[static_cast<std::size_t>(column)];
    }
    y[static_cast<std::size_t>(row)] = sum;
  }
}

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
GroupedVector group(std::span<const float> x, std::size_t group_size, Rules rules) {
  GroupedVector grouped;
  for (std::size_t begin = 0; begin < x.size(); begin += group_size) {
    const auto piece = x.subspan(begin, std::min(group_size, x.size() - begin));
    float most = 0;
    for (const float element : piece) most = std::fabs(element) > most ? std::fabs(element) : most;
    const bool finite = std::ranges::all_of(piece, [](float e) { return std::isfinite(e); });
    const float scale = finite ? most / 127.0F : std::numeric_limits<float>::quiet_NaN();
    grouped.scales.push_back(scale);
    for (const float element : piece) {
      const float quotient = scale > 0 ? element / scale : 0.0F;
      const float steps = rules == Rules::kNpu ? std::nearbyint(quotient) : std::round(quotient);
      grouped.values.push_back(static_cast<int>(std::clamp(steps, -127.0F, 127.0F)));
    }
  }
  return grouped;
}

void multiply_groups(const Matrix& matrix, std::span<const float> x, std::span<float> y,
                     Rules rules) {
  const GroupedVector vector = group(x, static_cast<std::size_t>(matrix.group_size), rules);
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

float rounded(float value, llm::Precision precision) {
  switch (precision) {
    case llm::Precision::kFloat32:
      return value;
    case llm::Precision::kFloat16:
      return to_half(value);
    case llm::Precision::kBfloat16:
      return to_bfloat(value);
  }
  return value;
}

void multiply(const Matrix& matrix, std::span<const float> x, std::span<float> y,
              llm::Precision precision, Rules rules) {
  NPU_CHECK(static_cast<std::int64_t>(x.size()) == matrix.columns &&
                static_cast<std::int64_t>(y.size()) == matrix.rows,
            "shape of the product");
  if (matrix.format != llm::WeightFormat::kFloat32) return multiply_groups(matrix, x, y, rules);
  if (precision == llm::Precision::kFloat32) return multiply_floats(matrix, x, y);
  multiply_rounded(matrix, x, y, precision);
}

}  // namespace npu::llm_reference
