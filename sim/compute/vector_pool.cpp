// vec.max_pool and vec.avg_pool: all channels of an output position at once.

#include <algorithm>
#include <vector>

#include "sim/base/error.h"
#include "sim/compute/mac_operation.h"
#include "sim/compute/simd.h"
#include "sim/compute/vector_exec.h"
#include "sim/compute/vector_rows.h"

namespace npu::compute {
namespace {

using isa::Opd;

/// Outputs of one position; channels [0, count) of a block.
struct PoolBlock {
  std::int32_t values[kRowBlock];
  std::int64_t sums[kRowBlock];
};

NPU_VECTOR_CLONES
void take_largest(PoolBlock& b, const std::int32_t* row, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) b.values[i] = std::max(b.values[i], row[i]);
}

NPU_VECTOR_CLONES
void take_sum(PoolBlock& b, const std::int32_t* row, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) b.sums[i] += row[i];
}

void divide(PoolBlock& b, std::int64_t count, std::int64_t taps) {
  const std::int64_t half = taps / 2;
  for (std::int64_t i = 0; i < count; ++i) {
    b.values[i] =
        static_cast<std::int32_t>((b.sums[i] > 0 ? b.sums[i] + half : b.sums[i] - half) / taps);
  }
}

}  // namespace

void run_pool(const VectorContext& x) {
  const bool average = x.in.opcode == isa::Opcode::kAvgPool;
  const auto type = static_cast<Element>(x.get(Opd::kInType));
  if (is_float(type)) return run_float_pool(x);
  const WindowAxis h{.in = x.get(Opd::kInH),
                     .origin = x.get(Opd::kY0),
                     .kernel = x.get(Opd::kKernelH),
                     .stride = x.get(Opd::kStrideH),
                     .out = x.get(Opd::kOutH)};
  const WindowAxis v{.in = x.get(Opd::kInW),
                     .origin = x.get(Opd::kX0),
                     .kernel = x.get(Opd::kKernelW),
                     .stride = x.get(Opd::kStrideW),
                     .out = x.get(Opd::kOutW)};
  const std::int64_t channels = x.get(Opd::kOutC);
  const auto low = static_cast<std::int32_t>(x.get(Opd::kClampMin));
  const auto high = static_cast<std::int32_t>(x.get(Opd::kClampMax));
  const std::byte* in = x.scratchpad + x.get(Opd::kX);
  const std::int64_t row_stride = x.get(Opd::kRowStride);
  const std::int64_t pixel_stride = x.get(Opd::kPixelStride);
  PoolBlock block;
  std::int32_t row[kRowBlock];
  for (std::int64_t oy = 0; oy < h.out; ++oy) {
    for (std::int64_t ox = 0; ox < v.out; ++ox) {
      std::byte* dst = x.scratchpad + x.get(Opd::kDst) + oy * x.get(Opd::kDstRowStride) +
                       ox * x.get(Opd::kDstPixelStride);
      for (std::int64_t c = 0; c < channels; c += kRowBlock) {
        const std::int64_t n = std::min(kRowBlock, channels - c);
        std::fill_n(block.values, n, lowest_of(type));
        std::fill_n(block.sums, n, 0);
        std::int64_t taps = 0;
        for (std::int64_t ky = 0; ky < h.kernel; ++ky) {
          const std::int64_t iy = h.row(oy, ky);
          if (iy < 0) continue;
          for (std::int64_t kx = 0; kx < v.kernel; ++kx) {
            const std::int64_t ix = v.row(ox, kx);
            if (ix < 0) continue;
            load_row(in + iy * row_stride + ix * pixel_stride + c * size_of(type), type, n, row);
            average ? take_sum(block, row, n) : take_largest(block, row, n);
            ++taps;
          }
        }
        if (average) {
          if (taps == 0) {
            throw RunFault(fmt::format(
                "instruction {}: vec.avg_pool: output ({}, {}) averages over no valid tap", x.index,
                oy, ox));
          }
          divide(block, n, taps);
        }
        offset_and_clamp(block.values, n, 0, low, high);
        store_row(block.values, type, n, dst + c * size_of(type));
      }
    }
  }
}

}  // namespace npu::compute
