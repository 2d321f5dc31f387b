#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::reference {

/// Input sizes of a window operator, NHWC.
struct ImageShape {
  std::int64_t batch, height, width, channels;

  explicit ImageShape(const Shape& shape)
      : batch(shape.at(0)), height(shape.at(1)), width(shape.at(2)), channels(shape.at(3)) {}
};

/// Taps of a window that fall inside [0, size): first … last − 1 of `taps`, whose positions are
/// begin + tap · dilation.
struct TapRange {
  std::int64_t first, last;

  TapRange(std::int64_t begin, std::int64_t taps, std::int64_t dilation, std::int64_t size)
      : first(0), last(taps) {
    if (begin < 0) first = std::min(taps, (-begin + dilation - 1) / dilation);
    if (begin >= size) {
      last = first;
    } else {
      last = std::max(first, std::min(taps, (size - 1 - begin) / dilation + 1));
    }
  }
};

/// Copies the window of output position (oy, ox) of image n, channels [channel, channel + count),
/// to `patch` in the order [kernel_h, kernel_w, count]. Samples outside the image are T{}: x holds
/// real zeros as 0.
template <typename T>
void gather_patch(std::span<const T> x, const ImageShape& shape, const graph::Window& window,
                  std::int64_t n, std::int64_t oy, std::int64_t ox, std::int64_t channel,
                  std::int64_t count, T* patch) {
  const std::int64_t y0 = oy * window.stride_h - window.pad_top;
  const std::int64_t x0 = ox * window.stride_w - window.pad_left;
  const TapRange rows(y0, window.kernel_h, window.dilation_h, shape.height);
  const TapRange columns(x0, window.kernel_w, window.dilation_w, shape.width);
  const std::int64_t row_length = window.kernel_w * count;
  for (std::int64_t ky = 0; ky < window.kernel_h; ++ky, patch += row_length) {
    if (ky < rows.first || ky >= rows.last) {
      std::fill_n(patch, row_length, T{});
      continue;
    }
    std::fill_n(patch, columns.first * count, T{});
    std::fill_n(patch + columns.last * count, (window.kernel_w - columns.last) * count, T{});
    const std::int64_t row = (n * shape.height + y0 + ky * window.dilation_h) * shape.width;
    for (std::int64_t kx = columns.first; kx < columns.last; ++kx) {
      const std::int64_t from = (row + x0 + kx * window.dilation_w) * shape.channels + channel;
      std::copy_n(x.data() + from, count, patch + kx * count);
    }
  }
}

}  // namespace npu::reference
