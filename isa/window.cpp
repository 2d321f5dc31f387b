#include "isa/window.h"

#include <algorithm>

#include "sim/base/math.h"

namespace npu::isa {
namespace {

/// [low, high), clipped to [0, in).
void add_range(std::int64_t low, std::int64_t high, std::int64_t in, std::vector<Strip>& strips) {
  low = std::max<std::int64_t>(low, 0);
  high = std::min(high, in);
  if (low < high) strips.push_back({low, high - low, 1, 0});
}

/// `count` groups of `width` positions, `stride` > `width` apart, clipped to [0, in): a cut first
/// group, whole ones, a cut last one.
void add_groups(std::int64_t first, std::int64_t width, std::int64_t count, std::int64_t stride,
                std::int64_t in, std::vector<Strip>& strips) {
  const std::int64_t begin = first >= 0 ? 0 : ceil_div(-first, stride);
  const std::int64_t end =
      first + width > in ? 0 : std::min(count, (in - width - first) / stride + 1);
  if (begin > 0) {
    const std::int64_t at = first + std::min(begin - 1, count - 1) * stride;
    add_range(at, at + width, in, strips);
  }
  if (begin >= count) return;
  if (begin < end) {
    strips.push_back({first + begin * stride, width, end - begin, end - begin > 1 ? stride : 0});
  }
  const std::int64_t tail = std::max(begin, end);
  if (tail < count) add_range(first + tail * stride, first + tail * stride + width, in, strips);
}

/// Any axis, by marking every position.
void add_marked(const Axis& a, std::vector<Strip>& strips) {
  std::vector<bool> mark(static_cast<std::size_t>(a.in));
  const std::int64_t limit = a.in * a.up;
  for (std::int64_t k = 0; k < a.kernel; ++k) {
    const std::int64_t first = a.origin + k * a.dilation;
    for (std::int64_t y = first < 0 ? ceil_div(-first, a.stride) : 0; y < a.out; ++y) {
      const std::int64_t p = first + y * a.stride;
      if (p >= limit) break;
      if (p % a.up == 0) mark[static_cast<std::size_t>(p / a.up)] = true;
    }
  }
  const std::size_t size = mark.size();
  for (std::size_t i = 0; i < size;) {
    if (!mark[i]) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < size && mark[end]) ++end;
    const auto first = static_cast<std::int64_t>(i);
    const auto width = static_cast<std::int64_t>(end - i);
    i = end;
    if (!strips.empty() && strips.back().width == width) {
      Strip& last = strips.back();
      const std::int64_t step = first - (last.first + (last.count - 1) * last.stride);
      if (last.count == 1 || step == last.stride) {
        last.stride = step;
        ++last.count;
        continue;
      }
    }
    strips.push_back({first, width, 1, 0});
  }
}

}  // namespace

void touched_positions(const Axis& axis, std::vector<Strip>& strips) {
  strips.clear();
  Axis a = axis;
  if (a.out < 1 || a.kernel < 1 || a.stride < 1 || a.dilation < 1 || a.up < 1 || a.in < 1) return;
  // One step of an axis that has one position is of no consequence; 1 lets the dense cases take it.
  if (a.out == 1) a.stride = 1;
  if (a.kernel == 1) a.dilation = 1;
  const std::int64_t end = a.origin + (a.out - 1) * a.stride + (a.kernel - 1) * a.dilation + 1;
  const bool dense =
      (a.dilation == 1 && a.stride <= a.kernel) || (a.stride == 1 && a.dilation <= a.out);
  if (dense) {
    const std::int64_t low = std::max<std::int64_t>(a.origin, 0);
    if (end > low) add_range(ceil_div(low, a.up), (end - 1) / a.up + 1, a.in, strips);
    return;
  }
  if (a.up == 1 && a.dilation == 1) {
    add_groups(a.origin, a.kernel, a.out, a.stride, a.in, strips);
  } else if (a.up == 1 && a.stride == 1) {
    add_groups(a.origin, a.out, a.kernel, a.dilation, a.in, strips);
  } else {
    add_marked(a, strips);
  }
}

}  // namespace npu::isa
