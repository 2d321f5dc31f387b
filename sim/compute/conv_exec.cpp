// mac.conv and mac.gemm: patches [block of positions, K] × weights [K, N], both as int16 pairs
// along K.

#include <algorithm>
#include <cstring>

#include "sim/base/math.h"
#include "sim/compute/matmul.h"
#include "sim/compute/matrix_executor.h"
#include "sim/compute/simd.h"

namespace npu::compute {
namespace {

constexpr std::int64_t kPatchBytes =
    128 * 1024;  // What a block of patches may take of the processor's caches.
constexpr std::int64_t kMaxPatchRows = 256;

/// Positions [first, first + count) as rows of `stride` int16 values: the taps one after another,
/// padding 0.
void gather_patches(const MacOperation& op, const std::byte* scratchpad, std::int64_t first,
                    std::int64_t count, std::int16_t* out, std::int64_t stride) {
  const std::int64_t x_size = size_of(op.x_type);
  const std::int64_t depth = op.depth();
  // Taps of a row that are neighbours in memory are converted in one run.
  const bool dense = op.v.dilation == 1 && op.v.up == 1 && op.pixel_stride == op.in_c * x_size;
  std::int64_t y = first / op.v.out;
  std::int64_t x = first % op.v.out;
  for (std::int64_t i = 0; i < count; ++i, out += stride) {
    std::int16_t* tap = out;
    for (std::int64_t ky = 0; ky < op.h.kernel; ++ky, tap += op.v.kernel * op.in_c) {
      const std::int64_t row = op.h.row(y, ky);
      if (row < 0) {
        std::fill_n(tap, op.v.kernel * op.in_c, std::int16_t{0});
        continue;
      }
      const std::byte* in = scratchpad + op.x + row * op.row_stride;
      if (dense) {
        const std::int64_t origin = op.v.origin + x * op.v.stride;
        const std::int64_t begin = std::clamp<std::int64_t>(-origin, 0, op.v.kernel);
        const std::int64_t end = std::clamp<std::int64_t>(op.v.in - origin, begin, op.v.kernel);
        std::fill_n(tap, begin * op.in_c, std::int16_t{0});
        if (end > begin) {
          convert_to_int16(in + (origin + begin) * op.pixel_stride, op.x_type,
                           (end - begin) * op.in_c, op.x_zero, tap + begin * op.in_c);
        }
        std::fill_n(tap + end * op.in_c, (op.v.kernel - end) * op.in_c, std::int16_t{0});
        continue;
      }
      for (std::int64_t kx = 0; kx < op.v.kernel; ++kx) {
        const std::int64_t pixel = op.v.row(x, kx);
        if (pixel < 0) {
          std::fill_n(tap + kx * op.in_c, op.in_c, std::int16_t{0});
        } else {
          convert_to_int16(in + pixel * op.pixel_stride, op.x_type, op.in_c, op.x_zero,
                           tap + kx * op.in_c);
        }
      }
    }
    if (depth < stride) out[depth] = 0;
    if (++x == op.v.out) {
      x = 0;
      ++y;
    }
  }
}

/// Rows of a result block into the accumulators.
template <typename T>
void store_block(const MacOperation& op, std::byte* accumulator, std::int64_t first_position,
                 std::int64_t rows, std::int64_t first_column, std::int64_t columns,
                 const T* sums) {
  for (std::int64_t r = 0; r < rows; ++r, sums += kBlockColumns) {
    const std::int64_t index = (first_position + r) * op.acc_pitch + first_column;
    store_sums(accumulator + op.acc + index * static_cast<std::int64_t>(sizeof(T)), op.accumulate,
               sums, columns);
  }
}

}  // namespace

/// Rows of k: two of them make the pairs of all output channels.
void MatrixExecutor::pack_transposed_weights(const MacOperation& op, const ShadowWeights* shadow,
                                             std::span<const std::byte> scratchpad) {
  const std::int64_t depth = op.depth();
  const std::int64_t pairs = ceil_div(depth, 2);
  const std::int64_t size = size_of(op.w_type);
  std::fill(weights_.begin(), weights_.end(), std::int16_t{0});
  const auto at = [&](std::int64_t o, std::int64_t k) {
    return weights_.data() +
           ((o / kPanelColumns * pairs + k / 2) * kPanelColumns + o % kPanelColumns) * 2 + k % 2;
  };
  std::int16_t row[kPanelColumns];
  for (std::int64_t k = 0; k < depth; ++k) {
    const std::byte* in = scratchpad.data() + op.w + k * op.w_stride;
    for (std::int64_t o = 0; o < op.out_c; o += kPanelColumns) {
      const std::int64_t count = std::min(kPanelColumns, op.out_c - o);
      convert_to_int16(in + o * size, op.w_type, count, op.w_zero, row);
      for (std::int64_t i = 0; i < count; ++i) at(o, k)[2 * i] = row[i];
    }
  }
  if (shadow == nullptr) return;
  for (std::int64_t o = 0; o < shadow->n; ++o) {
    for (std::int64_t k = 0; k < shadow->k; ++k) {
      convert_to_int16(shadow->bytes.data() + (o * shadow->k + k) * size, op.w_type, 1, op.w_zero,
                       at(o, k));
    }
  }
}

void MatrixExecutor::pack_weights(const MacOperation& op, const ShadowWeights* shadow,
                                  std::span<const std::byte> scratchpad) {
  const std::int64_t depth = op.depth();
  const std::int64_t pairs = ceil_div(depth, 2);
  const std::int64_t panels = ceil_div(op.out_c, kPanelColumns);
  weights_.resize(static_cast<std::size_t>(panels * pairs * 2 * kPanelColumns));
  if (op.w_transposed) return pack_transposed_weights(op, shadow, scratchpad);
  row_.resize(static_cast<std::size_t>(pairs * 2));
  for (std::int64_t o = 0; o < panels * kPanelColumns; ++o) {
    if (o < op.out_c) {
      convert_to_int16(scratchpad.data() + op.w + o * op.w_stride, op.w_type, depth, op.w_zero,
                       row_.data());
      if (depth % 2 != 0) row_.back() = 0;
      if (shadow != nullptr && o < shadow->n) {
        convert_to_int16(shadow->bytes.data() + o * shadow->k * size_of(op.w_type), op.w_type,
                         shadow->k, op.w_zero, row_.data());
      }
    } else {
      std::fill(row_.begin(), row_.end(), std::int16_t{0});
    }
    std::int16_t* out =
        weights_.data() + (o / kPanelColumns * pairs * kPanelColumns + o % kPanelColumns) * 2;
    for (std::int64_t p = 0; p < pairs; ++p) {
      std::memcpy(out + p * 2 * kPanelColumns, row_.data() + 2 * p, 2 * sizeof(std::int16_t));
    }
  }
}

void MatrixExecutor::convolve(const MacOperation& op, const ShadowWeights* shadow,
                              std::span<const std::byte> scratchpad,
                              std::span<std::byte> accumulator, std::int64_t exact_products) {
  pack_weights(op, shadow, scratchpad);
  const std::int64_t pairs = ceil_div(op.depth(), 2);
  const std::int64_t stride = 2 * pairs;
  const std::int64_t block =
      std::clamp(kPatchBytes / (stride * 2) / kBlockRows * kBlockRows, kBlockRows, kMaxPatchRows);
  const std::int64_t positions = op.positions();
  const std::int64_t panels = ceil_div(op.out_c, kPanelColumns);
  inputs_.resize(
      static_cast<std::size_t>(std::min(block, round_up(positions, kBlockRows)) * stride));

  alignas(64) std::int32_t sums[kBlockRows * kBlockColumns];
  alignas(64) std::uint64_t wide_sums[kBlockRows * kBlockColumns];
  for (std::int64_t first = 0; first < positions; first += block) {
    const std::int64_t count = std::min(block, positions - first);
    gather_patches(op, scratchpad.data(), first, count, inputs_.data(), stride);
    for (std::int64_t panel = 0; panel < panels; panel += 2) {
      const int two = panel + 1 < panels ? 2 : 1;
      const std::int64_t column = panel * kPanelColumns;
      const std::int64_t columns = std::min(op.out_c - column, kBlockColumns);
      const std::int16_t* w = weights_.data() + panel * pairs * 2 * kPanelColumns;
      for (std::int64_t r = 0; r < count;) {
        // A short last block is computed whole: the rows beyond hold old patches and are not
        // stored.
        const std::int64_t rows = count - r == 1 ? 1 : kBlockRows;
        const std::int64_t stored = std::min(rows, count - r);
        BlockOperands b{
            inputs_.data() + r * stride, stride, {w, w + pairs * 2 * kPanelColumns}, pairs, sums};
        if (!op.wide) {
          multiply_block(b, rows, two);
          store_block(op, accumulator.data(), first + r, stored, column, columns,
                      reinterpret_cast<const std::uint32_t*>(sums));
        } else {
          std::fill_n(wide_sums, kBlockRows * kBlockColumns, std::uint64_t{0});
          for (std::int64_t p = 0; p < pairs; p += exact_products / 2) {
            b.a = inputs_.data() + r * stride + 2 * p;
            for (int i = 0; i < two; ++i) b.w[i] = w + (i * pairs + p) * 2 * kPanelColumns;
            b.pairs = std::min(exact_products / 2, pairs - p);
            multiply_block(b, rows, two);
            for (std::int64_t j = 0; j < stored * kBlockColumns; ++j) {
              wide_sums[j] += static_cast<std::uint64_t>(std::int64_t{sums[j]});
            }
          }
          store_block(op, accumulator.data(), first + r, stored, column, columns, wide_sums);
        }
        r += stored;
      }
    }
  }
}

}  // namespace npu::compute
