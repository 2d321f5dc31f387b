#include <algorithm>
#include <array>
#include <initializer_list>

#include "workloads/graph/node_rules.h"

namespace npu::graph {
namespace {

constexpr int kMaxWindow = 65535;  ///< Bound on kernel, stride, dilation and padding.

void check_window(const NodeView& view, const Window& w) {
  const auto bounded = [&](const char* name, int value, int low) {
    view.require(value >= low && value <= kMaxWindow, "{} must be in [{}, {}], got {}", name, low,
                 kMaxWindow, value);
  };
  bounded("kernel height", w.kernel_h, 1);
  bounded("kernel width", w.kernel_w, 1);
  bounded("stride height", w.stride_h, 1);
  bounded("stride width", w.stride_w, 1);
  bounded("dilation height", w.dilation_h, 1);
  bounded("dilation width", w.dilation_w, 1);
  for (const int pad : {w.pad_top, w.pad_bottom, w.pad_left, w.pad_right})
    bounded("padding", pad, 0);
}

/// Outputs along one axis, or 0 if the window does not fit.
std::int64_t outputs_along(std::int64_t in, int kernel, int stride, int dilation, int before,
                           int after) {
  const std::int64_t span = std::int64_t{kernel - 1} * dilation + 1;
  const std::int64_t room = in + before + after - span;
  return room < 0 ? 0 : room / stride + 1;
}

std::array<std::int64_t, 2> outputs_of(const Shape& x, const Window& w) {
  return {outputs_along(x[1], w.kernel_h, w.stride_h, w.dilation_h, w.pad_top, w.pad_bottom),
          outputs_along(x[2], w.kernel_w, w.stride_w, w.dilation_w, w.pad_left, w.pad_right)};
}

void require_rank(const NodeView& view, const Tensor& t, std::size_t rank, const char* what) {
  view.require(t.shape.size() == rank, "{} must have rank {}, got {}", what, rank,
               to_string(t.shape));
}

void require_output(const NodeView& view, const Shape& expected) {
  view.require(view.out().shape == expected, "output shape must be {}, got {}", to_string(expected),
               to_string(view.out().shape));
}

void require_bias(const NodeView& view, std::size_t index, std::int64_t channels) {
  if (!view.has(index)) return;
  const Tensor& bias = view.in(index);
  view.require(element_count(bias.shape) == channels && bias.shape.size() <= 1,
               "bias must have shape [{}], got {}", channels, to_string(bias.shape));
}

void require_taps(const NodeView& view, const Shape& w, const Window& window) {
  view.require(w[1] == window.kernel_h && w[2] == window.kernel_w,
               "weights {} do not fit the kernel {}x{}", to_string(w), window.kernel_h,
               window.kernel_w);
}

void check_conv(const NodeView& view) {
  const auto& a = view.attrs<WindowAttrs>();
  const Shape& x = view.in(0).shape;
  const Shape& w = view.in(1).shape;
  require_taps(view, w, a.window);
  view.require(a.depth_multiplier == 1, "depth multiplier belongs to DEPTHWISE_CONV_2D");
  view.require(a.groups >= 1 && x[3] == w[3] * a.groups && w[0] % a.groups == 0,
               "weights {} do not fit input {} in {} groups", to_string(w), to_string(x), a.groups);
  require_bias(view, 2, w[0]);
  const auto [h, width] = outputs_of(x, a.window);
  require_output(view, {x[0], h, width, w[0]});
}

void check_depthwise(const NodeView& view) {
  const auto& a = view.attrs<WindowAttrs>();
  const Shape& x = view.in(0).shape;
  const Shape& w = view.in(1).shape;
  require_taps(view, w, a.window);
  view.require(a.groups == 1, "groups belong to CONV_2D");
  view.require(a.depth_multiplier >= 1 && w[0] == 1 && w[3] == x[3] * a.depth_multiplier,
               "weights {} do not fit input {} with depth multiplier {}", to_string(w),
               to_string(x), a.depth_multiplier);
  require_bias(view, 2, w[3]);
  const auto [h, width] = outputs_of(x, a.window);
  require_output(view, {x[0], h, width, w[3]});
}

void check_transpose_conv(const NodeView& view) {
  const auto& a = view.attrs<WindowAttrs>();
  const Window& window = a.window;
  const Shape& x = view.in(0).shape;
  const Shape& w = view.in(1).shape;
  const Shape& y = view.out().shape;
  require_taps(view, w, window);
  view.require(
      a.groups == 1 && a.depth_multiplier == 1 && window.dilation_h == 1 && window.dilation_w == 1,
      "groups, depth multiplier and dilation must be 1");
  view.require(w[3] == x[3], "weights {} do not fit input {}", to_string(w), to_string(x));
  view.require(y[0] == x[0] && y[3] == w[0], "output {} does not fit input {} and weights {}",
               to_string(y), to_string(x), to_string(w));
  // The convolution from y back to x has to give x's size.
  const auto [h, width] = outputs_of(y, window);
  view.require(h == x[1] && width == x[2], "output {} does not fit input {} with {}x{} strides",
               to_string(y), to_string(x), window.stride_h, window.stride_w);
  require_bias(view, 2, w[0]);
}

void check_pool(const NodeView& view) {
  const auto& a = view.attrs<WindowAttrs>();
  const Window& w = a.window;
  const Shape& x = view.in(0).shape;
  view.require(a.groups == 1 && a.depth_multiplier == 1 && w.dilation_h == 1 && w.dilation_w == 1,
               "groups, depth multiplier and dilation must be 1");
  view.require(std::max(w.pad_top, w.pad_bottom) < w.kernel_h &&
                   std::max(w.pad_left, w.pad_right) < w.kernel_w,
               "a pooling window lies wholly in the padding");
  const auto [h, width] = outputs_of(x, w);
  require_output(view, {x[0], h, width, x[3]});
}

void check_fully_connected(const NodeView& view) {
  const Shape& x = view.in(0).shape;
  const Shape& w = view.in(1).shape;
  const Shape& y = view.out().shape;
  require_rank(view, view.in(1), 2, "weights");
  view.require(element_count(x) % w[1] == 0, "weights {} do not fit input {}", to_string(w),
               to_string(x));
  const std::int64_t batch = element_count(x) / w[1];
  view.require(!y.empty() && y.back() == w[0] && element_count(y) / w[0] == batch,
               "output {} does not fit input {} and weights {}", to_string(y), to_string(x),
               to_string(w));
  require_bias(view, 2, w[0]);
}

}  // namespace

void check_window_shapes(const NodeView& view) {
  if (view.node.kind == OpKind::kFullyConnected) return check_fully_connected(view);
  check_window(view, view.attrs<WindowAttrs>().window);
  require_rank(view, view.in(0), 4, "input");
  require_rank(view, view.out(), 4, "output");
  if (view.node.kind == OpKind::kAveragePool2d || view.node.kind == OpKind::kMaxPool2d) {
    return check_pool(view);
  }
  require_rank(view, view.in(1), 4, "weights");
  if (view.node.kind == OpKind::kConv2d) return check_conv(view);
  if (view.node.kind == OpKind::kDepthwiseConv2d) return check_depthwise(view);
  check_transpose_conv(view);
}

void check_svdf_shapes(const NodeView& view) {
  const auto& a = view.attrs<SvdfAttrs>();
  const Shape& x = view.in(0).shape;
  const Shape& feature = view.in(1).shape;
  const Shape& time = view.in(2).shape;
  for (const std::size_t i : std::initializer_list<std::size_t>{0, 1, 2, 4}) {
    require_rank(view, view.in(i), 2, "operands of SVDF");
  }
  view.require(a.rank >= 1 && feature[0] % a.rank == 0, "rank {} does not divide {} features",
               a.rank, feature[0]);
  view.require(feature[1] == x[1] && time[0] == feature[0], "weights {} and {} do not fit input {}",
               to_string(feature), to_string(time), to_string(x));
  const Shape state = {x[0], time[1] * feature[0]};
  view.require(view.in(4).shape == state, "state must be {}, got {}", to_string(state),
               to_string(view.in(4).shape));
  require_bias(view, 3, feature[0] / a.rank);
  require_output(view, {x[0], feature[0] / a.rank});
}

}  // namespace npu::graph
