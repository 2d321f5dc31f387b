#pragma once

#include <cstdint>
#include <vector>

namespace npu::compute {

// Block kernels of the int16 matrix product: both operands are int8, uint8 or int16 with the zero
// points already taken off; sums are exact modulo 2^32.

/// Columns of a weight panel. Panel layout: [pair][column][2], pairs of consecutive k.
inline constexpr std::int64_t kPanelColumns = 16;
inline constexpr std::int64_t kBlockRows = 8;
/// Columns of a result block: one or two panels.
inline constexpr std::int64_t kBlockColumns = 2 * kPanelColumns;

/// One block: c[r][j] = sum over p < pairs of a[r·a_stride + 2p]·w[p][j][0] + a[r·a_stride + 2p +
/// 1]·w[p][j][1].
struct BlockOperands {
  const std::int16_t* a;
  std::int64_t a_stride;     ///< Elements between rows.
  const std::int16_t* w[2];  ///< Panels; the second is unused when panels = 1.
  std::int64_t pairs;
  std::int32_t* c;  ///< [kBlockRows][kBlockColumns]
};

/// @param rows  1 or kBlockRows rows of a are read and of c written.  @param panels  1 or 2.
using BlockKernel = void (*)(const BlockOperands& block, std::int64_t rows, int panels);

/// Every kernel that this processor runs, the fastest first: AVX-512BW, AVX2, plain C++. All give
/// the same sums.
[[nodiscard]] const std::vector<BlockKernel>& block_kernels();

inline void multiply_block(const BlockOperands& block, std::int64_t rows, int panels) {
  static const BlockKernel kFastest = block_kernels().front();
  kFastest(block, rows, panels);
}

}  // namespace npu::compute
