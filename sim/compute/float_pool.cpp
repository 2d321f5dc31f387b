// vec.max_pool and vec.avg_pool of floats: all channels of an output position at once, in float32.

#include <algorithm>
#include <bit>
#include <limits>

#include "sim/base/error.h"
#include "sim/compute/float_rows.h"
#include "sim/compute/mac_operation.h"
#include "sim/compute/map_functions.h"
#include "sim/compute/simd.h"
#include "sim/compute/vector_exec.h"
#include "sim/compute/vector_rows.h"

namespace npu::compute {
namespace {

using isa::Opd;

NPU_VECTOR_CLONES
void take_largest(float* values, const float* row, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = larger_of(values[i], row[i]);
}

NPU_VECTOR_CLONES
void take_sum(float* values, const float* row, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) values[i] += row[i];
}

NPU_VECTOR_CLONES
void divide(float* values, float divisor, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) values[i] /= divisor;
}

NPU_VECTOR_CLONES
void clamp(float* values, float low, float high, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float raised = values[i] < low ? low : values[i];
    values[i] = high < raised ? high : raised;
  }
}

struct Pool {
  bool average;
  Element type;
  WindowAxis h, v;
  const std::byte* in;
  std::int64_t row_stride, pixel_stride;

  explicit Pool(const VectorContext& x)
      : average(x.in.opcode == isa::Opcode::kAvgPool),
        type(static_cast<Element>(x.get(Opd::kInType))),
        h{.in = x.get(Opd::kInH),
          .origin = x.get(Opd::kY0),
          .kernel = x.get(Opd::kKernelH),
          .stride = x.get(Opd::kStrideH),
          .out = x.get(Opd::kOutH)},
        v{.in = x.get(Opd::kInW),
          .origin = x.get(Opd::kX0),
          .kernel = x.get(Opd::kKernelW),
          .stride = x.get(Opd::kStrideW),
          .out = x.get(Opd::kOutW)},
        in(x.scratchpad + x.get(Opd::kX)),
        row_stride(x.get(Opd::kRowStride)),
        pixel_stride(x.get(Opd::kPixelStride)) {}

  /// Channels [first, first + count) of output (oy, ox). @return how many taps are valid.
  std::int64_t take_taps(std::int64_t oy, std::int64_t ox, std::int64_t first, std::int64_t count,
                         float* values) const {
    float row[kRowBlock];
    std::int64_t taps = 0;
    std::fill_n(values, count, average ? 0.0F : -std::numeric_limits<float>::infinity());
    for (std::int64_t ky = 0; ky < h.kernel; ++ky) {
      const std::int64_t iy = h.row(oy, ky);
      if (iy < 0) continue;
      for (std::int64_t kx = 0; kx < v.kernel; ++kx) {
        const std::int64_t ix = v.row(ox, kx);
        if (ix < 0) continue;
        load_floats(in + iy * row_stride + ix * pixel_stride + first * size_of(type), type,
                    size_of(type), count, row);
        average ? take_sum(values, row, count) : take_largest(values, row, count);
        ++taps;
      }
    }
    return taps;
  }
};

float as_float(std::int64_t field) {
  return std::bit_cast<float>(static_cast<std::int32_t>(field));
}

}  // namespace

void run_float_pool(const VectorContext& x) {
  const Pool pool(x);
  const std::int64_t size = size_of(pool.type);
  const std::int64_t channels = x.get(Opd::kOutC);
  const float low = as_float(x.get(Opd::kClampMin));
  const float high = as_float(x.get(Opd::kClampMax));
  float values[kRowBlock];
  for (std::int64_t oy = 0; oy < pool.h.out; ++oy) {
    for (std::int64_t ox = 0; ox < pool.v.out; ++ox) {
      std::byte* dst = x.scratchpad + x.get(Opd::kDst) + oy * x.get(Opd::kDstRowStride) +
                       ox * x.get(Opd::kDstPixelStride);
      for (std::int64_t c = 0; c < channels; c += kRowBlock) {
        const std::int64_t n = std::min(kRowBlock, channels - c);
        const std::int64_t taps = pool.take_taps(oy, ox, c, n, values);
        if (pool.average) {
          if (taps == 0) {
            throw RunFault(fmt::format(
                "instruction {}: vec.avg_pool: output ({}, {}) averages over no valid tap", x.index,
                oy, ox));
          }
          divide(values, static_cast<float>(taps), n);
        }
        clamp(values, low, high, n);
        store_floats(values, pool.type, size, n, dst + c * size);
      }
    }
  }
}

}  // namespace npu::compute
