// mac.depthwise: 16 channels at a time. The inputs that some tap touches are first converted to
// int16 rows in which input channel o / multiplier stands at o, so that one loop serves every
// multiplier.

#include <algorithm>
#include <vector>

#include "sim/base/math.h"
#include "sim/compute/matrix_executor.h"
#include "sim/compute/simd.h"

namespace npu::compute {
namespace {

constexpr std::int64_t kChannels = 16;

// GCC's vectors: each clone lowers them to its own registers. Unsigned products and sums wrap.
using Int16s = std::int16_t __attribute__((vector_size(32), aligned(2), may_alias));
using Int32s = std::int32_t __attribute__((vector_size(64)));
using Uint32s = std::uint32_t __attribute__((vector_size(64)));
using Int64s = std::int64_t __attribute__((vector_size(128)));
using Uint64s = std::uint64_t __attribute__((vector_size(128)));

/// The taps of one output position that read something.
struct Tap {
  std::int64_t input, weight;  ///< Offsets of channel 0 in the converted arrays.
};

struct Position {
  const std::int16_t* inputs;
  const std::int16_t* weights;
  const Tap* taps;
  std::int64_t tap_count;
  std::byte* out;
  std::int64_t channels;
  bool accumulate;
};

NPU_VECTOR_CLONES
void sum_position(const Position& p) {
  for (std::int64_t c = 0; c < p.channels; c += kChannels) {
    Uint32s sum = {};
    for (std::int64_t t = 0; t < p.tap_count; ++t) {
      const auto x = *reinterpret_cast<const Int16s*>(p.inputs + p.taps[t].input + c);
      const auto w = *reinterpret_cast<const Int16s*>(p.weights + p.taps[t].weight + c);
      sum += (Uint32s) __builtin_convertvector(x, Int32s) *
             (Uint32s) __builtin_convertvector(w, Int32s);
    }
    alignas(64) std::uint32_t sums[kChannels];
    *reinterpret_cast<Uint32s*>(sums) = sum;
    store_sums(p.out + c * 4, p.accumulate, sums, std::min(kChannels, p.channels - c));
  }
}

NPU_VECTOR_CLONES
void sum_position_wide(const Position& p) {
  for (std::int64_t c = 0; c < p.channels; c += kChannels) {
    Uint64s sum = {};
    for (std::int64_t t = 0; t < p.tap_count; ++t) {
      const auto x = *reinterpret_cast<const Int16s*>(p.inputs + p.taps[t].input + c);
      const auto w = *reinterpret_cast<const Int16s*>(p.weights + p.taps[t].weight + c);
      const Int32s product =
          __builtin_convertvector(x, Int32s) * __builtin_convertvector(w, Int32s);
      sum += (Uint64s) __builtin_convertvector(product, Int64s);
    }
    alignas(128) std::uint64_t sums[kChannels];
    *reinterpret_cast<Uint64s*>(sums) = sum;
    store_sums(p.out + c * 8, p.accumulate, sums, std::min(kChannels, p.channels - c));
  }
}

/// Repeats each of the first values `multiplier` times, in place, from the end.
void spread(std::int16_t* values, std::int64_t count, std::int64_t multiplier) {
  for (std::int64_t o = count - 1; o >= 0; --o) values[o] = values[o / multiplier];
}

}  // namespace

void MatrixExecutor::depthwise(const MacOperation& op, std::span<const std::byte> scratchpad,
                               std::span<std::byte> accumulator) {
  const std::int64_t pitch = round_up(op.out_c, kChannels);
  weights_.assign(static_cast<std::size_t>(op.taps() * pitch), 0);
  for (std::int64_t tap = 0; tap < op.taps(); ++tap) {
    convert_to_int16(scratchpad.data() + op.w + tap * op.w_stride, op.w_type, op.out_c, op.w_zero,
                     weights_.data() + tap * pitch);
  }
  const AxisUse rows = use_of(op.h);
  const AxisUse pixels = use_of(op.v);
  const std::int64_t width = pixels.high - pixels.low;
  inputs_.assign(static_cast<std::size_t>((rows.high - rows.low) * width * pitch), 0);
  for (std::int64_t y = rows.low; y < rows.high; ++y) {
    std::int16_t* out = inputs_.data() + (y - rows.low) * width * pitch;
    for (std::int64_t x = pixels.low; x < pixels.high; ++x, out += pitch) {
      convert_to_int16(scratchpad.data() + op.x + y * op.row_stride + x * op.pixel_stride,
                       op.x_type, op.in_c, op.x_zero, out);
      if (op.multiplier > 1) spread(out, op.out_c, op.multiplier);
    }
  }
  std::vector<Tap> taps(static_cast<std::size_t>(op.taps()));
  Position p{inputs_.data(), weights_.data(), taps.data(), 0, accumulator.data() + op.acc,
             op.out_c,       op.accumulate};
  for (std::int64_t y = 0; y < op.h.out; ++y) {
    for (std::int64_t x = 0; x < op.v.out; ++x) {
      p.tap_count = 0;
      for (std::int64_t ky = 0; ky < op.h.kernel; ++ky) {
        const std::int64_t row = op.h.row(y, ky);
        if (row < 0) continue;
        for (std::int64_t kx = 0; kx < op.v.kernel; ++kx) {
          const std::int64_t pixel = op.v.row(x, kx);
          if (pixel < 0) continue;
          taps[static_cast<std::size_t>(p.tap_count++)] = {
              ((row - rows.low) * width + pixel - pixels.low) * pitch,
              (ky * op.v.kernel + kx) * pitch};
        }
      }
      op.wide ? sum_position_wide(p) : sum_position(p);
      p.out += op.acc_pitch * op.accumulator_bytes();
    }
  }
}

}  // namespace npu::compute
