#include "kernels/reference/dot.h"

#include <algorithm>

// The inner loops are compiled for several instruction sets and chosen at load time; the results
// are the same. Not under AddressSanitizer, whose start-up runs after the choice.
#if defined(__GNUC__) && !defined(__clang__)
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__)
#define NPU_INNER_LOOP \
  __attribute__((target_clones("arch=skylake-avx512", "avx2", "default"), optimize("O3")))
#else
#define NPU_INNER_LOOP __attribute__((optimize("O3")))
#endif
#else
#define NPU_INNER_LOOP
#endif

namespace npu::reference {

NPU_INNER_LOOP
void dot_rows(const std::int16_t* x, const std::int16_t* w, std::size_t rows, std::size_t depth,
              std::size_t run, std::int64_t* out) {
  for (std::size_t r = 0; r < rows; ++r) out[r] = 0;
  for (std::size_t begin = 0; begin < depth; begin += run) {
    const std::size_t count = std::min(run, depth - begin) & ~(kRowUnit - 1);
    const std::int16_t* a = x + begin;
    std::size_t r = 0;
    for (; r + 4 <= rows; r += 4) {
      const std::int16_t* b0 = w + r * depth + begin;
      const std::int16_t* b1 = b0 + depth;
      const std::int16_t* b2 = b1 + depth;
      const std::int16_t* b3 = b2 + depth;
      std::int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (std::size_t k = 0; k < count; ++k) {
        s0 += a[k] * b0[k];
        s1 += a[k] * b1[k];
        s2 += a[k] * b2[k];
        s3 += a[k] * b3[k];
      }
      out[r] += s0;
      out[r + 1] += s1;
      out[r + 2] += s2;
      out[r + 3] += s3;
    }
    for (; r < rows; ++r) {
      const std::int16_t* b = w + r * depth + begin;
      std::int32_t s = 0;
      for (std::size_t k = 0; k < count; ++k) s += a[k] * b[k];
      out[r] += s;
    }
  }
}

NPU_INNER_LOOP
void multiply_accumulate(const std::int16_t* x, const std::int16_t* w, std::size_t count,
                         std::int32_t* sums) {
  for (std::size_t c = 0; c < count; ++c) {
    // Unsigned addition: wraps as the 32-bit accumulator does.
    sums[c] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sums[c]) +
                                        static_cast<std::uint32_t>(x[c] * w[c]));
  }
}

NPU_INNER_LOOP
void multiply_accumulate(const std::int16_t* x, const std::int16_t* w, std::size_t count,
                         std::int64_t* sums) {
  for (std::size_t c = 0; c < count; ++c) sums[c] += x[c] * w[c];
}

NPU_INNER_LOOP
void multiply_accumulate(const float* x, const float* w, std::size_t count, float* sums) {
  for (std::size_t c = 0; c < count; ++c) sums[c] += x[c] * w[c];
}

NPU_INNER_LOOP
void accumulate_columns(const float* x, const float* w, std::size_t depth, std::size_t count,
                        float* sums) {
  for (std::size_t k = 0; k < depth; ++k) {
    const float value = x[k];
    const float* row = w + k * count;
    for (std::size_t c = 0; c < count; ++c) sums[c] += value * row[c];
  }
}

}  // namespace npu::reference
