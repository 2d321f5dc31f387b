// vec.output: accumulators of int32 or float32, scaled and biased in float32.

#include <algorithm>
#include <bit>
#include <cstring>

#include "sim/compute/float_rows.h"
#include "sim/compute/simd.h"
#include "sim/compute/vector_exec.h"
#include "sim/compute/vector_rows.h"

namespace npu::compute {
namespace {

using isa::Opd;

/// What a block of channels is multiplied with and added to.
struct Scaling {
  float scale[kRowBlock], bias[kRowBlock];
  float low, high;

  /// The records of channels [first, first + count).
  void load_records(const std::byte* at, bool per_channel, std::int64_t first, std::int64_t count) {
    const std::int64_t step = per_channel ? 8 : 0;
    load_floats(at + first * step, Element::kFloat32, step, count, scale);
    load_floats(at + first * step + 4, Element::kFloat32, step, count, bias);
  }
};

NPU_VECTOR_CLONES
void scale_row(const Scaling& s, const float* row_scale, const float* added, std::int64_t count,
               float* v) {
  for (std::int64_t i = 0; i < count; ++i) v[i] = v[i] * s.scale[i];
  if (row_scale != nullptr) {
    for (std::int64_t i = 0; i < count; ++i) v[i] = v[i] * *row_scale;
  }
  for (std::int64_t i = 0; i < count; ++i) v[i] = v[i] + s.bias[i];
  if (added != nullptr) {
    for (std::int64_t i = 0; i < count; ++i) v[i] = v[i] + added[i];
  }
  const float low = s.low;
  const float high = s.high;
  for (std::int64_t i = 0; i < count; ++i) {
    const float raised = v[i] < low ? low : v[i];
    v[i] = high < raised ? high : raised;
  }
}

float as_float(std::int64_t field) {
  return std::bit_cast<float>(static_cast<std::int32_t>(field));
}

/// The rows of positions of an output: accumulators in, destination out.
struct Positions {
  std::int64_t width, count, acc_bytes;
  const std::byte* acc;
  std::byte* dst;
  std::int64_t row_stride, pixel_stride;

  explicit Positions(const VectorContext& x)
      : width(x.get(Opd::kOutW)),
        count(x.get(Opd::kOutH) * width),
        acc_bytes(x.get(Opd::kAccPitch) * 4),
        acc(x.accumulator + x.get(Opd::kAcc)),
        dst(x.scratchpad + x.get(Opd::kDst)),
        row_stride(x.get(Opd::kDstRowStride)),
        pixel_stride(x.get(Opd::kDstPixelStride)) {}
  [[nodiscard]] const std::byte* source(std::int64_t i) const { return acc + i * acc_bytes; }
  [[nodiscard]] std::byte* destination(std::int64_t i) const {
    return dst + i / width * row_stride + i % width * pixel_stride;
  }
};

}  // namespace

void run_output(const VectorContext& x) {
  const Positions positions(x);
  const std::int64_t channels = x.get(Opd::kOutC);
  if (x.get(Opd::kRaw) != 0) {
    for (std::int64_t i = 0; i < positions.count; ++i) {
      std::memcpy(positions.destination(i), positions.source(i),
                  static_cast<std::size_t>(channels) * 4);
    }
    return;
  }
  const auto in_type = static_cast<Element>(x.get(Opd::kInType));
  const auto out_type = static_cast<Element>(x.get(Opd::kOutType));
  const std::int64_t size = size_of(out_type);
  const bool accumulate = x.get(Opd::kAccumulate) != 0;
  const bool has_rows = x.get(Opd::kScaleRows) != 0;
  const auto zero = static_cast<std::int32_t>(x.get(Opd::kOutZero));
  Scaling s;
  s.low = as_float(x.get(Opd::kClampMin));
  s.high = as_float(x.get(Opd::kClampMax));
  float v[kRowBlock];
  float added[kRowBlock];
  for (std::int64_t c = 0; c < channels; c += kRowBlock) {
    const std::int64_t n = std::min(kRowBlock, channels - c);
    s.load_records(x.scratchpad + x.get(Opd::kParams), x.get(Opd::kPerChannel) != 0, c, n);
    for (std::int64_t i = 0; i < positions.count; ++i) {
      std::byte* dst = positions.destination(i) + c * size;
      const float row = has_rows ? load<float>(x.scratchpad + x.get(Opd::kRowsAt) + i * 4) : 0.0F;
      load_floats(positions.source(i) + c * 4, in_type, 4, n, v);
      if (accumulate) load_floats(dst, out_type, size, n, added);
      scale_row(s, has_rows ? &row : nullptr, accumulate ? added : nullptr, n, v);
      if (is_float(out_type)) {
        store_floats(v, out_type, size, n, dst);
      } else {
        store_quantized(v, zero, out_type, size, n, dst);
      }
    }
  }
}

}  // namespace npu::compute
