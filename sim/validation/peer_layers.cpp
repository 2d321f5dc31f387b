#include "sim/validation/peer_layers.h"

#include <algorithm>

#include "sim/base/error.h"
#include "workloads/graph/network_builder.h"

namespace npu::validation {
namespace {

std::int64_t outputs(std::int64_t in, int kernel, int stride, int pads) {
  return (in + pads - kernel) / stride + 1;
}

/// Positions below `in` that a window of one dimension reaches.
std::int64_t reached(std::int64_t in, std::int64_t out, int kernel, int stride, int pad) {
  std::int64_t count = 0;
  std::int64_t next = 0;  // First position not counted yet.
  for (std::int64_t o = 0; o < out; ++o) {
    const std::int64_t begin = std::max(o * stride - pad, next);
    const std::int64_t end = std::min(o * stride - pad + kernel, in);
    count += std::max<std::int64_t>(0, end - begin);
    next = std::max(next, end);
  }
  return count;
}

}  // namespace

std::int64_t PeerLayer::out_height() const {
  return outputs(height, window.kernel_h, window.stride_h, window.pad_top + window.pad_bottom);
}

std::int64_t PeerLayer::out_width() const {
  return outputs(width, window.kernel_w, window.stride_w, window.pad_left + window.pad_right);
}

std::int64_t PeerLayer::k() const {
  const std::int64_t taps = std::int64_t{window.kernel_h} * window.kernel_w;
  return depthwise ? taps : taps * channels;
}

std::int64_t PeerLayer::input_bytes() const {
  return reached(height, out_height(), window.kernel_h, window.stride_h, window.pad_top) *
         reached(width, out_width(), window.kernel_w, window.stride_w, window.pad_left) * channels;
}

std::int64_t PeerLayer::weight_bytes() const { return k() * filters; }

std::string PeerLayer::key() const {
  const graph::Window& w = window;
  return fmt::format("{}x{}x{} {} {}x{}/{}x{} {}.{}.{}.{}{}", height, width, channels, filters,
                     w.kernel_h, w.kernel_w, w.stride_h, w.stride_w, w.pad_top, w.pad_bottom,
                     w.pad_left, w.pad_right, depthwise ? " depthwise" : "");
}

PeerLayer product_layer(std::int64_t m, std::int64_t n, std::int64_t k) {
  PeerLayer layer;
  layer.height = m;
  layer.channels = k;
  layer.filters = n;
  return layer;
}

graph::Graph network_of(const PeerLayer& layer) {
  graph::NetworkBuilder net("layer " + layer.key());
  const graph::TensorId x = net.input({1, layer.height, layer.width, layer.channels});
  const graph::TensorId y =
      layer.depthwise ? net.depthwise(x, layer.window) : net.conv(x, layer.filters, layer.window);
  return net.finish({y});
}

std::uint64_t dram_read_bytes(const RunStats& stats) {
  std::uint64_t bytes = 0;
  for (const LayerStats& layer : stats.layers) bytes += layer.dram_read_bytes;
  return bytes;
}

const std::string& one_of(const CsvTable& rows, std::size_t row, std::string_view column,
                          std::string_view names) {
  const std::string& text = rows.text(row, column);
  for (std::string_view rest = names; !rest.empty();) {
    const std::size_t end = std::min(rest.find(", "), rest.size());
    if (rest.substr(0, end) == text) return text;
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  fail("{}: {}: expected one of {}, got \"{}\"", rows.place(row), column, names, text);
}

}  // namespace npu::validation
