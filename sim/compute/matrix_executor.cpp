#include "sim/compute/matrix_executor.h"

#include <algorithm>
#include <cstring>

#include "sim/compute/simd.h"

namespace npu::compute {
namespace {

/// The largest magnitude of an element less its zero point, or 0 if some difference leaves int16.
std::int64_t magnitude(Element type, std::int64_t zero) {
  const std::int64_t low = lowest_of(type) - zero;
  const std::int64_t high = highest_of(type) - zero;
  if (low < INT16_MIN || high > INT16_MAX) return 0;
  return std::max(-low, high);
}

/// Bounds what an instruction with strides of zero could make us allocate.
constexpr double kMaxWorkspace = 1 << 27;

double workspace_elements(const MacOperation& op) {
  constexpr double kPadded = 16;
  const double columns = static_cast<double>(op.out_c) + kPadded;
  const double weights = columns * static_cast<double>(op.depth() + 1);
  if (!op.depthwise) return weights;
  const AxisUse rows = use_of(op.h);
  const AxisUse pixels = use_of(op.v);
  return weights + static_cast<double>(rows.high - rows.low) *
                       static_cast<double>(pixels.high - pixels.low) * columns;
}

template <typename T>
void accumulate_into(std::byte* at, bool accumulate, T sum) {
  store<T>(at, accumulate ? static_cast<T>(load<T>(at) + sum) : sum);
}

}  // namespace

NPU_VECTOR_CLONES
void convert_to_int16(const std::byte* source, Element type, std::int64_t count, std::int32_t zero,
                      std::int16_t* out) {
  const auto z = static_cast<std::uint16_t>(zero);
  if (type == Element::kInt8) {
    const auto* in = reinterpret_cast<const std::int8_t*>(source);
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = static_cast<std::int16_t>(static_cast<std::uint16_t>(std::int16_t{in[i]}) - z);
    }
  } else if (type == Element::kUint8) {
    const auto* in = reinterpret_cast<const std::uint8_t*>(source);
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = static_cast<std::int16_t>(std::uint16_t{in[i]} - z);
    }
  } else {
    std::memcpy(out, source, static_cast<std::size_t>(count) * sizeof(std::int16_t));
    if (z == 0) return;
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = static_cast<std::int16_t>(static_cast<std::uint16_t>(out[i]) - z);
    }
  }
}

void MatrixExecutor::run(const MacOperation& op, const ShadowWeights* shadow,
                         std::span<const std::byte> scratchpad, std::span<std::byte> accumulator) {
  if (is_float(op.x_type)) {
    if (workspace_elements(op) > kMaxWorkspace) {
      return run_plain_floats(op, shadow, scratchpad, accumulator);
    }
    return op.depthwise ? depthwise_floats(op, scratchpad, accumulator)
                        : convolve_floats(op, shadow, scratchpad, accumulator);
  }
  const std::int64_t x = magnitude(op.x_type, op.x_zero);
  const std::int64_t w = magnitude(op.w_type, op.w_zero);
  if (x == 0 || w == 0 || workspace_elements(op) > kMaxWorkspace) {
    return run_plain(op, shadow, scratchpad, accumulator);
  }
  if (op.depthwise) return depthwise(op, scratchpad, accumulator);
  // Products whose sum is exact in int32; any number modulo 2^32.
  const std::int64_t exact_products = op.wide ? INT32_MAX / (x * w) / 2 * 2 : INT64_MAX;
  if (exact_products < 2) return run_plain(op, shadow, scratchpad, accumulator);
  convolve(op, shadow, scratchpad, accumulator, exact_products);
}

const std::byte* weight_at(const MacOperation& op, const ShadowWeights* shadow,
                           std::span<const std::byte> scratchpad, std::int64_t tap, std::int64_t c,
                           std::int64_t o) {
  const std::int64_t size = size_of(op.w_type);
  const std::int64_t k = tap * op.in_c + c;
  if (shadow != nullptr && o < shadow->n && k < shadow->k) {
    return shadow->bytes.data() + (o * shadow->k + k) * size;
  }
  const std::byte* w = scratchpad.data() + op.w;
  if (op.depthwise) return w + tap * op.w_stride + o * size;
  return op.w_transposed ? w + k * op.w_stride + o * size : w + o * op.w_stride + k * size;
}

void run_plain(const MacOperation& op, const ShadowWeights* shadow,
               std::span<const std::byte> scratchpad, std::span<std::byte> accumulator) {
  const std::int64_t x_size = size_of(op.x_type);
  for (std::int64_t position = 0; position < op.positions(); ++position) {
    const std::int64_t y = position / op.v.out;
    const std::int64_t x = position % op.v.out;
    for (std::int64_t o = 0; o < op.out_c; ++o) {
      std::uint64_t sum = 0;
      for (std::int64_t tap = 0; tap < op.taps(); ++tap) {
        const std::int64_t row = op.h.row(y, tap / op.v.kernel);
        const std::int64_t pixel = op.v.row(x, tap % op.v.kernel);
        if (row < 0 || pixel < 0) continue;
        const std::byte* in =
            scratchpad.data() + op.x + row * op.row_stride + pixel * op.pixel_stride;
        const std::int64_t first = op.depthwise ? o / op.multiplier : 0;
        const std::int64_t channels = op.depthwise ? 1 : op.in_c;
        for (std::int64_t c = 0; c < channels; ++c) {
          const std::int64_t a =
              std::int64_t{load_element(in + (first + c) * x_size, op.x_type)} - op.x_zero;
          const std::byte* w = weight_at(op, shadow, scratchpad, tap, c, o);
          const std::int64_t b = std::int64_t{load_element(w, op.w_type)} - op.w_zero;
          sum += static_cast<std::uint64_t>(a * b);
        }
      }
      std::byte* at =
          accumulator.data() + op.acc + (position * op.acc_pitch + o) * op.accumulator_bytes();
      if (op.wide) {
        accumulate_into<std::uint64_t>(at, op.accumulate, sum);
      } else {
        accumulate_into<std::uint32_t>(at, op.accumulate, static_cast<std::uint32_t>(sum));
      }
    }
  }
}

}  // namespace npu::compute
