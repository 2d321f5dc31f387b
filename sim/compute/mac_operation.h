#pragma once

#include <cstdint>

#include "isa/instructions.h"
#include "sim/compute/element.h"
#include "sim/timing/mac_timing.h"

namespace npu::compute {

/// Bytes [low, high) of a memory; low = high = 0: none.
struct Extent {
  std::int64_t low = 0, high = 0;
};

/// One axis of a sliding window: output o, tap k read position p = origin + o·stride + k·dilation,
/// where p is a multiple of `up` and 0 ≤ p < in·up; it is row p / up of the input.
struct WindowAxis {
  std::int64_t in = 1, origin = 0, kernel = 1, stride = 1, dilation = 1, up = 1, out = 1;

  /// Input row of output o, tap k; −1 where it contributes nothing.
  [[nodiscard]] std::int64_t row(std::int64_t o, std::int64_t k) const {
    const std::int64_t p = origin + o * stride + k * dilation;
    if (p < 0 || p >= in * up) return -1;
    if (up == 1) return p;
    return p % up == 0 ? p / up : -1;
  }
};
/// The (output, tap) pairs of an axis that read a row, and the rows [low, high) they read.
struct AxisUse {
  std::int64_t pairs = 0, low = 0, high = 0;
};
[[nodiscard]] AxisUse use_of(const WindowAxis& axis);

[[nodiscard]] timing::Precision precision_of(Element type);

/// mac.conv, mac.depthwise or mac.gemm with checked operands; a GEMM is a 1×1 convolution over m
/// rows of one pixel.
struct MacOperation {
  std::int64_t x = 0, w = 0, acc = 0;
  std::int64_t row_stride = 0, pixel_stride = 0;
  /// Between output channels; depthwise: between taps; w_transposed: between rows of k.
  std::int64_t w_stride = 0;
  std::int64_t acc_pitch = 0;
  WindowAxis h, v;  ///< Vertical position (rows), and position within the row (pixels).
  std::int64_t in_c = 1, out_c = 1, multiplier = 1;
  std::int32_t x_zero = 0, w_zero = 0;
  Element x_type = Element::kInt8, w_type = Element::kInt8;
  bool depthwise = false, accumulate = false, wide = false, weights_loaded = false;
  bool stream = false;        ///< To the result stream; acc is not used.
  bool w_transposed = false;  ///< Weights stand as w[k][o] (mac.gemm).

  [[nodiscard]] std::int64_t taps() const { return h.kernel * v.kernel; }
  [[nodiscard]] std::int64_t positions() const { return h.out * v.out; }
  [[nodiscard]] std::int64_t depth() const { return depthwise ? taps() : taps() * in_c; }
  [[nodiscard]] std::int64_t accumulator_bytes() const { return wide ? 8 : 4; }
  [[nodiscard]] timing::MacTile tile() const;
};

/// Names the instruction in messages: `instruction 12: mac.conv`.
/// @throws RunFault if a size is 0, a type is not one the array multiplies, types do not go
/// together, or the tile has more than 2^40 products.
[[nodiscard]] MacOperation decode_mac(const isa::Instruction& instruction, std::int32_t index);

/// What the operation touches, and how many (position, tap) pairs read an input rather than
/// padding.
struct MacOperands {
  Extent x, w, acc;
  std::int64_t input_pairs = 0;
};
[[nodiscard]] MacOperands operands_of(const MacOperation& op);

/// @throws RunFault if `extent` is not within [0, capacity_bytes), naming the instruction, the
/// operand and both ranges.
void check_extent(const isa::Instruction& instruction, std::int32_t index, const char* operand,
                  Extent extent, std::int64_t capacity_bytes);

}  // namespace npu::compute
