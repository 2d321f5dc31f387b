#include "sim/compute/float_matmul.h"

#include "sim/compute/simd.h"

namespace npu::compute {
namespace {

// GCC's vectors: each clone lowers them to its own registers. Contraction is off everywhere.
using Floats = float __attribute__((vector_size(64), aligned(4), may_alias));

template <int kRows>
inline __attribute__((always_inline)) void multiply_rows(const FloatBlock& b,
                                                         std::int64_t first_row) {
  Floats sum[kRows];
  const float* a = b.a + first_row * b.a_stride;
  float* c = b.c + first_row * kFloatColumns;
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
    sum[r] = *reinterpret_cast<const Floats*>(c + r * kFloatColumns);
  }
  for (std::int64_t s = 0; s < b.segment_count; ++s) {
    const std::int64_t end = b.segments[s].first + b.segments[s].count;
    for (std::int64_t k = b.segments[s].first; k < end; ++k) {
      const Floats w = *reinterpret_cast<const Floats*>(b.w + k * kFloatColumns);
#pragma GCC unroll 8
      for (int r = 0; r < kRows; ++r) sum[r] += a[r * b.a_stride + k] * w;
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) *reinterpret_cast<Floats*>(c + r * kFloatColumns) = sum[r];
}

}  // namespace

NPU_VECTOR_CLONES
void multiply_floats(const FloatBlock& block, std::int64_t rows) {
  const FloatBlock b = block;
  std::int64_t r = 0;
  for (; r + 8 <= rows; r += 8) multiply_rows<8>(b, r);
  if (r + 4 <= rows) {
    multiply_rows<4>(b, r);
    r += 4;
  }
  for (; r < rows; ++r) multiply_rows<1>(b, r);
}

}  // namespace npu::compute
