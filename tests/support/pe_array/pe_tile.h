#pragma once

#include <cstdint>
#include <vector>

#include "sim/timing/mac_timing.h"

namespace npu::test {

/// Largest array that the PE-level model holds; its delay lines are rings of this many places.
inline constexpr int kMaxPes = 16;

/// One T per row, column or lane, or per place of a delay line; indexed by any integer.
template <typename T>
struct PerPe {
  T places[kMaxPes]{};

  template <typename Index>
  [[nodiscard]] T& operator[](Index i) {
    return places[i];
  }
  template <typename Index>
  [[nodiscard]] const T& operator[](Index i) const {
    return places[i];
  }
};
using Lanes = PerPe<std::int32_t>;
using Grid = PerPe<Lanes>;

/// One axis of a window: output o, tap t reads origin + o·stride + t·dilation, nothing outside [0,
/// in).
struct PeAxis {
  int in = 1, origin = 0, kernel = 1, stride = 1, dilation = 1, out = 1;
};

/// A tile with real operands. Inputs lie at y·row_stride + x·pixel_stride + channel, weights at
/// output channel·weight_stride + tap·in_c + channel (depthwise: tap·weight_stride + channel), in
/// elements. A matrix product is a 1×1 window over m rows of one pixel.
struct PeTile {
  timing::MacTile shape;
  PeAxis rows, pixels;
  std::int64_t row_stride = 0, pixel_stride = 0, weight_stride = 0;
  int multiplier = 1;  ///< Depthwise: output channels per input channel.
  const std::int32_t* x = nullptr;
  const std::int32_t* w = nullptr;
  std::vector<std::int32_t> sums;  ///< [m][n], the accumulators.

  [[nodiscard]] int m() const { return static_cast<int>(shape.m); }
  [[nodiscard]] int n() const { return static_cast<int>(shape.n); }
  [[nodiscard]] int k() const { return static_cast<int>(shape.k); }
  [[nodiscard]] int taps() const { return static_cast<int>(shape.taps); }
  [[nodiscard]] int in_c() const { return k() / taps(); }
  [[nodiscard]] int x_bytes() const { return shape.wide ? 2 : 1; }
  [[nodiscard]] int w_bytes() const { return shape.wide_weights ? 2 : 1; }

  /// Input of output position `position`, tap `tap`, input channel `channel`.
  [[nodiscard]] std::int32_t input(int position, int tap, int channel) const {
    const int y =
        rows.origin + position / pixels.out * rows.stride + tap / pixels.kernel * rows.dilation;
    const int p = pixels.origin + position % pixels.out * pixels.stride +
                  tap % pixels.kernel * pixels.dilation;
    if (y < 0 || y >= rows.in || p < 0 || p >= pixels.in) return 0;
    return x[y * row_stride + p * pixel_stride + channel];
  }
  /// Input k of the reduction of output position `position`.
  [[nodiscard]] std::int32_t input(int position, int index) const {
    return taps() == 1 ? input(position, 0, index)
                       : input(position, index / in_c(), index % in_c());
  }
  /// Weight k of the reduction of output channel `channel`.
  [[nodiscard]] std::int32_t weight(int index, int channel) const {
    return shape.depthwise ? w[index * weight_stride + channel]
                           : w[channel * weight_stride + index];
  }
};

}  // namespace npu::test
