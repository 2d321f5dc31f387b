#include "kernels/mapper/window_geometry.h"

#include <algorithm>

#include "sim/base/math.h"

namespace npu::mapper {

using cost::Range;
using cost::Transfer;
using std::int64_t;

std::vector<TileRun> runs_of(int64_t out, int64_t tile, const WindowProblem& p, bool vertical) {
  const auto& w = p.window;
  std::vector<TileRun> runs;
  int64_t index = 0;
  for (int64_t first = 0; first < out; first += tile, ++index) {
    const int64_t count = std::min(tile, out - first);
    const InputSpan span = vertical ? input_span(first, count, w.stride_h, w.kernel_h, w.dilation_h,
                                                 w.pad_top, p.up_h, p.in_h)
                                    : input_span(first, count, w.stride_w, w.kernel_w, w.dilation_w,
                                                 w.pad_left, p.up_w, p.in_w);
    if (!runs.empty() && runs.back().out == count && runs.back().in == span.size) {
      ++runs.back().count;
    } else {
      runs.push_back({1, index, count, span.size});
    }
  }
  return runs;
}

Transfer WindowGeometry::input(const TilePlace& at, int64_t depth) const {
  const int64_t pixel = p_.in_c * (p_.kind == WindowKind::kConv ? p_.groups : 1) * p_.x_size;
  const int64_t run = depth * p_.x_size;
  const int64_t kept = config_.dma.full_rate_run_bytes == 0 ? 0 : run;
  if (run == pixel) {
    return {.rows = at.in_h * inputs(at),
            .run = at.in_w * pixel,
            .pitch = p_.in_w * pixel,
            .kept_run = kept};
  }
  return {.rows = at.in_h * at.in_w, .run = run, .pitch = pixel, .kept_run = kept};
}

Transfer WindowGeometry::weights(int64_t channels, int64_t depth, bool is_last,
                                 int64_t images) const {
  const int64_t k = p_.kind == WindowKind::kDepthwise ? p_.taps() : p_.taps() * depth;
  int64_t bytes = channels * k * p_.w_size;
  if (t_.params_bytes == 0 && is_last) bytes = round_up(bytes, 16) + channels * p_.param_bytes;
  return {.rows = images, .run = bytes, .pitch = bytes};
}

Transfer WindowGeometry::output(const TilePlace& at, int64_t rows, int64_t channels) const {
  const int64_t pixel = p_.out_c * p_.groups * p_.y_size;
  const int64_t run = channels * p_.y_size;
  if (run == pixel) {
    return {.rows = rows * at.images, .run = at.out_w * pixel, .pitch = p_.out_w * pixel};
  }
  return {.rows = rows * at.out_w, .run = run, .pitch = pixel};
}

Range WindowGeometry::input_range(const TilePlace& at, int slot) const {
  if (t_.x_slots > 0) {
    const int64_t low = at_.x + slot * t_.x_bytes;
    return {low, low + t_.x_bytes};
  }
  const int64_t row = p_.in_w * p_.in_c * p_.groups * p_.x_size;
  const int64_t first =
      std::max<int64_t>(0, (at.row * t_.out_h * p_.window.stride_h - p_.window.pad_top) / p_.up_h);
  const int64_t low = at_.x + (at.image * p_.in_h + first) * row;
  return {low, low + at.in_h * inputs(at) * row};
}

Range WindowGeometry::output_range(const TilePlace& at, int slot) const {
  if (t_.y_slots > 0) {
    const int64_t low = at_.y + slot * t_.y_bytes;
    return {low, low + t_.y_bytes};
  }
  const int64_t row = p_.out_w * p_.out_c * p_.groups * p_.y_size;
  const int64_t low = at_.y + (at.image * p_.out_h + at.row * t_.out_h) * row;
  return {low, low + at.out_h * at.images * row};
}

timing::Precision precision_of(DType type) {
  switch (type) {
    case DType::kFloat16:
      return timing::Precision::kFloat16;
    case DType::kBfloat16:
      return timing::Precision::kBfloat16;
    case DType::kFloat32:
      return timing::Precision::kFloat32;
    default:
      return timing::Precision::kInteger;
  }
}

bool splits_taps(const WindowProblem& p, int64_t in_c) {
  return is_float(p.type) && p.kind == WindowKind::kConv && p.taps() > 1 && in_c < p.in_c;
}

}  // namespace npu::mapper
