#pragma once

#include <cstdint>

namespace npu::compute {

// Block kernel of the float matrix product: products and sums in float32, each rounded, k
// ascending.

/// Columns of a weight panel. Panel layout: [k][column].
inline constexpr std::int64_t kFloatColumns = 16;
inline constexpr std::int64_t kFloatRows = 8;

/// A range of k that no padding interrupts.
struct Segment {
  std::int64_t first, count;

  friend bool operator==(const Segment&, const Segment&) = default;
};

/// c[r][j] = c[r][j] + a[r·a_stride + k]·w[k·16 + j] for every k of the segments, one after the
/// other; r < rows ≤ kFloatRows, j < 16.
struct FloatBlock {
  const float* a;
  std::int64_t a_stride;  ///< Elements between rows.
  const float* w;
  const Segment* segments;
  std::int64_t segment_count;
  float* c;  ///< [kFloatRows][kFloatColumns]
};
void multiply_floats(const FloatBlock& block, std::int64_t rows);

}  // namespace npu::compute
