#include "sim/compute/matmul.h"

#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace npu::compute {
namespace {

#if defined(__x86_64__)

std::int32_t load_pair(const std::int16_t* at) {
  std::int32_t pair = 0;
  std::memcpy(&pair, at, sizeof pair);
  return pair;
}

template <int kRows, int kPanels>
__attribute__((target("avx512f,avx512bw"))) void block_avx512(const BlockOperands& b) {
  __m512i sum[kRows][kPanels];
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; ++p) sum[r][p] = _mm512_setzero_si512();
  }
  const std::int16_t* a = b.a;
  for (std::int64_t k = 0; k < b.pairs; ++k, a += 2) {
    __m512i w[kPanels];
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; ++p) w[p] = _mm512_loadu_si512(b.w[p] + k * 2 * kPanelColumns);
#pragma GCC unroll 8
    for (int r = 0; r < kRows; ++r) {
      const __m512i x = _mm512_set1_epi32(load_pair(a + r * b.a_stride));
#pragma GCC unroll 2
      for (int p = 0; p < kPanels; ++p)
        sum[r][p] = _mm512_add_epi32(sum[r][p], _mm512_madd_epi16(x, w[p]));
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < kRows; ++r) {
#pragma GCC unroll 2
    for (int p = 0; p < kPanels; ++p)
      _mm512_storeu_si512(b.c + r * kBlockColumns + p * kPanelColumns, sum[r][p]);
  }
}

/// `kRows` rows by half a panel pair at a time: 16 vector registers.
template <int kRows>
__attribute__((target("avx2"))) void half_block_avx2(const BlockOperands& b, int first_row,
                                                     int panel) {
  __m256i sum[kRows][2];
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
  const std::int16_t* a = b.a + first_row * b.a_stride;
  const std::int16_t* w = b.w[panel];
  for (std::int64_t k = 0; k < b.pairs; ++k, a += 2, w += 2 * kPanelColumns) {
    const __m256i w0 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w));
    const __m256i w1 = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(w + kPanelColumns));
#pragma GCC unroll 4
    for (int r = 0; r < kRows; ++r) {
      const __m256i x = _mm256_set1_epi32(load_pair(a + r * b.a_stride));
      sum[r][0] = _mm256_add_epi32(sum[r][0], _mm256_madd_epi16(x, w0));
      sum[r][1] = _mm256_add_epi32(sum[r][1], _mm256_madd_epi16(x, w1));
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r) {
    std::int32_t* c = b.c + (first_row + r) * kBlockColumns + panel * kPanelColumns;
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(c), sum[r][0]);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(c + kPanelColumns / 2), sum[r][1]);
  }
}

void multiply_avx512(const BlockOperands& b, std::int64_t rows, int panels) {
  if (rows == 1) {
    panels == 1 ? block_avx512<1, 1>(b) : block_avx512<1, 2>(b);
  } else {
    panels == 1 ? block_avx512<kBlockRows, 1>(b) : block_avx512<kBlockRows, 2>(b);
  }
}

void multiply_avx2(const BlockOperands& b, std::int64_t rows, int panels) {
  for (int panel = 0; panel < panels; ++panel) {
    if (rows == 1) {
      half_block_avx2<1>(b, 0, panel);
      continue;
    }
    for (int row = 0; row < kBlockRows; row += 4) half_block_avx2<4>(b, row, panel);
  }
}

#endif

void multiply_plain(const BlockOperands& b, std::int64_t rows, int panels) {
  for (std::int64_t r = 0; r < rows; ++r) {
    for (int p = 0; p < panels; ++p) {
      std::uint32_t sum[kPanelColumns] = {};
      const std::int16_t* a = b.a + r * b.a_stride;
      const std::int16_t* w = b.w[p];
      for (std::int64_t k = 0; k < b.pairs; ++k, a += 2, w += 2 * kPanelColumns) {
        for (std::int64_t j = 0; j < kPanelColumns; ++j) {
          sum[j] += static_cast<std::uint32_t>(a[0] * w[2 * j]) +
                    static_cast<std::uint32_t>(a[1] * w[2 * j + 1]);
        }
      }
      std::memcpy(b.c + r * kBlockColumns + p * kPanelColumns, sum, sizeof sum);
    }
  }
}

std::vector<BlockKernel> find_kernels() {
  std::vector<BlockKernel> kernels;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw")) kernels.push_back(multiply_avx512);
  if (__builtin_cpu_supports("avx2")) kernels.push_back(multiply_avx2);
#endif
  kernels.push_back(multiply_plain);
  return kernels;
}

}  // namespace

const std::vector<BlockKernel>& block_kernels() {
  static const std::vector<BlockKernel> kernels = find_kernels();
  return kernels;
}

}  // namespace npu::compute
