// mac.depthwise of floats: 16 channels at a time, over the taps that read something.

#include <algorithm>
#include <vector>

#include "sim/base/math.h"
#include "sim/compute/float_rows.h"
#include "sim/compute/matrix_executor.h"
#include "sim/compute/simd.h"

namespace npu::compute {
namespace {

constexpr std::int64_t kChannels = 16;

using Floats = float __attribute__((vector_size(64), aligned(4), may_alias));

/// The taps of one output position that read something.
struct Tap {
  std::int64_t input, weight;  ///< Offsets of channel 0 in the converted arrays.
};

/// sums[c] = sums[c] + x[c] · w[c], tap after tap; `channels` a multiple of 16.
NPU_VECTOR_CLONES
void sum_taps(const float* inputs, const float* weights, const std::vector<Tap>& taps,
              std::int64_t channels, float* sums) {
  for (std::int64_t c = 0; c < channels; c += kChannels) {
    Floats sum = *reinterpret_cast<const Floats*>(sums + c);
    for (const Tap& t : taps) {
      sum += *reinterpret_cast<const Floats*>(inputs + t.input + c) *
             *reinterpret_cast<const Floats*>(weights + t.weight + c);
    }
    *reinterpret_cast<Floats*>(sums + c) = sum;
  }
}

/// Repeats each of the first values `multiplier` times, in place, from the end.
void spread(float* values, std::int64_t count, std::int64_t multiplier) {
  for (std::int64_t o = count - 1; o >= 0; --o) values[o] = values[o / multiplier];
}

}  // namespace

void MatrixExecutor::depthwise_floats(const MacOperation& op, std::span<const std::byte> scratchpad,
                                      std::span<std::byte> accumulator) {
  const std::int64_t size = size_of(op.x_type);
  const std::int64_t pitch = round_up(op.out_c, kChannels);
  float_weights_.assign(static_cast<std::size_t>(op.taps() * pitch), 0.0F);
  for (std::int64_t tap = 0; tap < op.taps(); ++tap) {
    load_floats(scratchpad.data() + op.w + tap * op.w_stride, op.w_type, size, op.out_c,
                float_weights_.data() + tap * pitch);
  }
  const AxisUse rows = use_of(op.h);
  const AxisUse pixels = use_of(op.v);
  const std::int64_t width = pixels.high - pixels.low;
  float_inputs_.assign(static_cast<std::size_t>((rows.high - rows.low) * width * pitch), 0.0F);
  for (std::int64_t y = rows.low; y < rows.high; ++y) {
    float* out = float_inputs_.data() + (y - rows.low) * width * pitch;
    for (std::int64_t x = pixels.low; x < pixels.high; ++x, out += pitch) {
      load_floats(scratchpad.data() + op.x + y * op.row_stride + x * op.pixel_stride, op.x_type,
                  size, op.in_c, out);
      if (op.multiplier > 1) spread(out, op.out_c, op.multiplier);
    }
  }
  std::vector<Tap> taps;
  float_row_.resize(static_cast<std::size_t>(pitch));
  std::byte* acc = accumulator.data() + op.acc;
  for (std::int64_t y = 0; y < op.h.out; ++y) {
    for (std::int64_t x = 0; x < op.v.out; ++x, acc += op.acc_pitch * 4) {
      taps.clear();
      for (std::int64_t ky = 0; ky < op.h.kernel; ++ky) {
        const std::int64_t row = op.h.row(y, ky);
        if (row < 0) continue;
        for (std::int64_t kx = 0; kx < op.v.kernel; ++kx) {
          const std::int64_t pixel = op.v.row(x, kx);
          if (pixel < 0) continue;
          taps.push_back({((row - rows.low) * width + pixel - pixels.low) * pitch,
                          (ky * op.v.kernel + kx) * pitch});
        }
      }
      std::fill(float_row_.begin(), float_row_.end(), 0.0F);
      if (op.accumulate) load_floats(acc, Element::kFloat32, 4, op.out_c, float_row_.data());
      sum_taps(float_inputs_.data(), float_weights_.data(), taps, pitch, float_row_.data());
      store_floats(float_row_.data(), Element::kFloat32, 4, op.out_c, acc);
    }
  }
}

}  // namespace npu::compute
