#include "kernels/mapper/window_bound.h"

#include <algorithm>
#include <array>
#include <vector>

#include "kernels/mapper/tile_builder.h"
#include "kernels/mapper/window_geometry.h"
#include "sim/base/math.h"
#include "sim/timing/dma_timing.h"
#include "sim/timing/mac_timing.h"
#include "sim/timing/vector_timing.h"

namespace npu::mapper {
namespace {

using std::int64_t;

/// Positions along one dimension of the input that some tap of some output reaches.
int64_t touched(int64_t out, int64_t in, int64_t stride, int64_t kernel, int64_t dilation,
                int64_t pad, int64_t up) {
  if (kernel == 1 && stride == 1 && up == 1 && pad == 0) return std::min(out, in);
  std::vector<bool> reached(static_cast<std::size_t>(in));
  for (int64_t o = 0; o < out; ++o) {
    for (int64_t k = 0; k < kernel; ++k) {
      const int64_t at = o * stride + k * dilation - pad;
      if (at >= 0 && at % up == 0 && at / up < in)
        reached[static_cast<std::size_t>(at / up)] = true;
    }
  }
  return std::count(reached.begin(), reached.end(), true);
}

/// Full tiles along a dimension, and the rest.
struct Cut {
  std::array<int64_t, 2> size{}, count{};
};
Cut cut(int64_t n, const std::optional<int64_t>& tile) {
  const int64_t size = tile.value_or(n);
  return {{size, n % size}, {n / size, n % size == 0 ? 0 : 1}};
}

double array_cycles(const WindowProblem& p, const NpuConfig& config, const WindowPartial& partial,
                    bool whole) {
  if (!uses_array(p)) return 0;
  const bool depthwise = p.kind == WindowKind::kDepthwise;
  const Cut h = cut(p.out_h, partial.out_h);
  const Cut w = cut(p.out_w, partial.out_w);
  const Cut oc = cut(p.out_c, partial.out_c);
  const Cut ic = has_channel_input(p) ? cut(p.in_c, partial.in_c) : Cut{{1, 0}, {1, 0}};
  const bool loaded = !depthwise && config.mac_array.dataflow == Dataflow::kWeightStationary;
  const int64_t passes =
      has_channel_input(p) && splits_taps(p, partial.in_c.value_or(p.in_c)) ? p.taps() : 1;
  const int64_t taps = p.taps() / passes;
  double cycles = 0;
  for (std::size_t i = 0; i < 16; ++i) {
    const std::size_t a = i & 1U, b = i >> 1U & 1U, c = i >> 2U & 1U, d = i >> 3U & 1U;
    const int64_t count = h.count[a] * w.count[b] * oc.count[c] * ic.count[d];
    if (count == 0) continue;
    const timing::MacTiming t =
        timing::mac_tile(config.mac_array, {.m = h.size[a] * w.size[b],
                                            .n = oc.size[c],
                                            .k = depthwise ? taps : taps * ic.size[d],
                                            .taps = taps,
                                            .depthwise = depthwise,
                                            .wide = p.wide,
                                            .precision = precision_of(p.type),
                                            .weights_loaded = loaded});
    cycles += static_cast<double>(count * passes * (whole ? t.total_cycles : t.busy_cycles));
  }
  return cycles * static_cast<double>(p.batch * p.groups);
}

double vector_cycles(const WindowProblem& p, const NpuConfig& config, const WindowPartial& partial,
                     bool whole) {
  constexpr int64_t kMany = 1 << 20;
  const VectorConfig& vector = config.vector_unit;
  const auto rate = [&](timing::VectorClass kind, int64_t steps) {
    return static_cast<double>(
               timing::vector_op(vector, kind, kMany * vector.lanes, steps).busy_cycles) /
           static_cast<double>(kMany * vector.lanes);
  };
  const auto elements = static_cast<double>(p.batch * p.groups * p.out_h * p.out_w * p.out_c);
  double per_element = uses_array(p) ? rate(timing::VectorClass::kRequantize, 1)
                                     : rate(timing::VectorClass::kPool, p.taps());
  if (p.adds_bias) per_element += rate(timing::VectorClass::kReduce, 1);
  double cycles = elements * per_element;
  if (whole && !vector.pipelined) {
    const int64_t tiles = ceil_div(p.out_h, *partial.out_h) * ceil_div(p.out_w, *partial.out_w) *
                          ceil_div(p.out_c, *partial.out_c) * ceil_div(p.batch, partial.images) *
                          p.groups;
    cycles += static_cast<double>(tiles * vector.latency_cycles * (p.adds_bias ? 2 : 1));
  }
  return cycles;
}

}  // namespace

CompulsoryBytes compulsory_bytes(const WindowProblem& p) {
  const auto& w = p.window;
  CompulsoryBytes bytes;
  const int64_t groups = p.kind == WindowKind::kConv ? p.groups : 1;
  if (!p.x_resident) {
    const int64_t images = p.shares_x ? p.batch / p.inner_batch : p.batch;
    bytes.x = images * p.in_c * groups * p.x_size *
              touched(p.out_h, p.in_h, w.stride_h, w.kernel_h, w.dilation_h, w.pad_top, p.up_h) *
              touched(p.out_w, p.in_w, w.stride_w, w.kernel_w, w.dilation_w, w.pad_left, p.up_w);
  }
  if (uses_array(p) && !p.w_resident) {
    const int64_t k = p.kind == WindowKind::kDepthwise ? p.taps() : p.taps() * p.in_c;
    bytes.w = p.groups * p.out_c * k * p.w_size * (p.w_per_image ? p.batch : 1);
  }
  if (!p.y_resident) bytes.y = p.batch * p.groups * p.out_h * p.out_w * p.out_c * p.y_size;
  return bytes;
}

double window_bound(const WindowProblem& p, const NpuConfig& config, const WindowPartial& partial,
                    bool streamed) {
  const bool chosen = partial.out_h && partial.out_w && partial.out_c && partial.in_c;
  const bool whole = chosen && !streamed;
  const CompulsoryBytes bytes = compulsory_bytes(p);
  const double channel = std::min(config.dma.bus_width_bytes, config.interconnect.bytes_per_cycle);
  const bool own = config.dma.channels >= 3;  // weights have a channel of their own
  const int64_t loads = own ? std::max(bytes.x, bytes.w) : bytes.x + bytes.w;
  return std::max({array_cycles(p, config, partial, whole),
                   vector_cycles(p, config, partial, whole),
                   static_cast<double>(std::max(loads, bytes.y)) / channel,
                   static_cast<double>(bytes.total()) / timing::dram_bytes_per_core_cycle(config)});
}

}  // namespace npu::mapper
