#pragma once

#include <cstdint>
#include <vector>

namespace npu::isa {

/// One axis of a sliding window: output y, tap k read position p = origin + y·stride + k·dilation.
/// Where p is a multiple of `up` and p / up lies in [0, in), the input at p / up is read; elsewhere
/// nothing is.
struct Axis {
  std::int64_t origin, out, stride, kernel, dilation, up, in;
};
struct Window {
  Axis h, w;
};

/// Positions first + i·stride + j, i < count, j < width.
struct Strip {
  std::int64_t first, width, count, stride;
};

/// The input positions that some tap of some output reads, each in exactly one strip.
void touched_positions(const Axis& axis, std::vector<Strip>& strips);

}  // namespace npu::isa
