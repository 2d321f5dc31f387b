#include "kernels/mapper/window_tiling.h"

#include <algorithm>
#include <array>
#include <optional>

#include "sim/base/error.h"
#include "sim/base/math.h"
#include "sim/timing/mac_timing.h"
#include "sim/timing/stripe_timing.h"
#include "sim/timing/vector_timing.h"

namespace npu::mapper {
namespace {

using std::int64_t;

/// A split of the input channels must promise 1 / kSplitGain fewer cycles than the best tile
/// without: its loads lie in short pieces, which the cost model does not see.
constexpr int64_t kSplitGain = 4;
constexpr int64_t kMaxExtent = 65535;  ///< Of a tile: what the instructions' fields hold.

bool uses_array(const WindowProblem& p) { return p.kind != WindowKind::kPool; }
bool has_channel_input(const WindowProblem& p) {
  return p.kind == WindowKind::kConv || p.kind == WindowKind::kGemm;
}

/// Sizes to try along a dimension of `n`: n, its ceil-fractions, in steps of `unit` where that is
/// smaller, down to 1.
std::vector<int64_t> sizes_to_try(int64_t n, int64_t unit) {
  std::vector<int64_t> sizes;
  for (int64_t parts = 1; parts <= n; parts = parts < 4 ? parts + 1 : parts * 2) {
    int64_t size = ceil_div(n, parts);
    if (size > unit && size < n) size = round_up(size, unit);
    if (sizes.empty() || size < sizes.back()) sizes.push_back(size);
  }
  if (sizes.back() != 1) sizes.push_back(1);
  return sizes;
}

/// Distinct tile extents along one dimension: the full one and the remainder.
struct Extents {
  std::array<int64_t, 2> size{};
  std::array<int64_t, 2> count{};
  [[nodiscard]] int64_t total() const { return count[0] + count[1]; }
};
Extents split(int64_t n, int64_t tile) {
  Extents e;
  e.size = {tile, n % tile};
  e.count = {n / tile, n % tile == 0 ? 0 : 1};
  return e;
}

/// Sum of the input rows that the tiles of one dimension load.
int64_t loaded(const WindowProblem& p, int64_t out, int64_t tile, bool vertical) {
  int64_t sum = 0;
  const auto& w = p.window;
  for (int64_t first = 0; first < out; first += tile) {
    const int64_t count = std::min(tile, out - first);
    sum += vertical ? input_span(first, count, w.stride_h, w.kernel_h, w.dilation_h, w.pad_top,
                                 p.up_h, p.in_h)
                          .size
                    : input_span(first, count, w.stride_w, w.kernel_w, w.dilation_w, w.pad_left,
                                 p.up_w, p.in_w)
                          .size;
  }
  return sum;
}

/// Largest input extent of any tile, an upper bound.
int64_t extent(int64_t tile, int64_t stride, int64_t kernel, int64_t dilation, int64_t up,
               int64_t in_size) {
  return std::min(in_size, ((tile - 1) * stride + (kernel - 1) * dilation) / up + 1);
}

/// Fills in bytes, slots and work of a tile. Nullopt if it does not fit.
class TileBuilder {
 public:
  TileBuilder(const WindowProblem& problem, const NpuConfig& config, int64_t scratchpad_bytes)
      : p_(problem), config_(config), budget_(scratchpad_bytes) {}

  std::optional<WindowTile> build(WindowTile t) {
    if (t.out_h > kMaxExtent || t.out_w > kMaxExtent || t.out_c > kMaxExtent) return std::nullopt;
    t.tap_by_tap =
        is_float(p_.type) && p_.kind == WindowKind::kConv && p_.taps() > 1 && t.in_c < p_.in_c;
    layout(t);
    if (t.streamed) return stream(t);
    if (t.scratchpad_bytes() > budget_ || t.acc_bytes > config_.accumulator.capacity_bytes) {
      if (t.scratchpad_bytes() < least_.scratchpad_bytes() || least_.out_h == 0) least_ = t;
      return std::nullopt;
    }
    t.acc_slots = uses_array(p_) ? static_cast<int>(std::min<int64_t>(
                                       2, config_.accumulator.capacity_bytes / t.acc_bytes))
                                 : 0;
    estimate(t);
    return t;
  }
  /// The smallest tile that did not fit.
  [[nodiscard]] const WindowTile& least() const { return least_; }

 private:
  void layout(WindowTile& t) const {
    const auto& w = p_.window;
    const bool one_space = t.out_h == p_.out_h && t.out_w == p_.out_w && p_.batch == 1;
    const bool one_out_c = t.out_c == p_.out_c && p_.groups == 1;
    const bool one_in_c = t.in_c == p_.in_c;
    if (!p_.x_resident) {
      const int64_t rows = extent(t.out_h, w.stride_h, w.kernel_h, w.dilation_h, p_.up_h, p_.in_h);
      const int64_t cols = extent(t.out_w, w.stride_w, w.kernel_w, w.dilation_w, p_.up_w, p_.in_w);
      t.x_bytes = round_up(rows * cols * t.in_c * p_.x_size, kAlignment);
      const bool one =
          one_space && one_in_c && (has_channel_input(p_) ? p_.groups == 1 : one_out_c);
      t.x_slots = one ? 1 : 2;
    }
    if (uses_array(p_) && !p_.w_resident) {
      const int64_t k = p_.kind == WindowKind::kDepthwise ? p_.taps() : p_.taps() * t.in_c;
      t.w_bytes =
          round_up(round_up(t.out_c * k * p_.w_size, 16) + t.out_c * p_.param_bytes, kAlignment);
      t.w_slots = one_out_c && one_in_c && (!p_.w_per_image || p_.batch == 1) ? 1 : 2;
    }
    if (uses_array(p_)) {
      t.acc_bytes = round_up(t.out_h * t.out_w * t.out_c * p_.acc_size(), kAlignment);
    }
    if (!p_.y_resident) {
      t.y_bytes = round_up(t.out_h * t.out_w * t.out_c * p_.y_size, kAlignment);
      t.y_slots = one_space && one_out_c ? 1 : 2;
    }
  }

  /// Bytes that the DRAM moves per position whose channels are cut into runs, `all` of them side by
  /// side: a run costs whole bursts, but never more than all channels.
  [[nodiscard]] int64_t moved_bytes(const Extents& runs, int64_t all, int64_t element) const {
    int64_t sum = 0;
    for (std::size_t i = 0; i < 2; ++i) {
      const int64_t bytes = runs.size[i] * element;
      const int64_t moved =
          runs.size[i] == all
              ? bytes
              : std::min(round_up(bytes, config_.dram.burst_bytes()), all * element);
      sum += runs.count[i] * moved;
    }
    return sum;
  }

  /// Buffers and work of a streamed tile.
  std::optional<WindowTile> stream(WindowTile& t) const {
    constexpr int64_t kOutputBytes = 1024;
    constexpr int64_t kMostOutputSlots = 16;
    t.acc_bytes = 0;
    t.piece_h = 1;
    if (p_.uniform_params) {
      t.params_bytes = kAlignment;
      t.w_bytes = round_up(t.out_c * p_.taps() * t.in_c * p_.w_size, kAlignment);
    }
    const int64_t pieces = ceil_div(p_.out_h, t.piece_h) * ceil_div(p_.out_w, t.out_w) *
                           ceil_div(p_.out_c, t.out_c) * p_.batch * p_.groups;
    if (!p_.y_resident) {
      t.y_bytes = round_up(t.piece_h * t.out_w * t.out_c * p_.y_size, kAlignment);
      t.y_slots = static_cast<int>(
          std::min(pieces, std::clamp<int64_t>(kOutputBytes / t.y_bytes, 2, kMostOutputSlots)));
    }
    const int64_t weight_tiles = ceil_div(p_.out_c, t.out_c) * p_.groups;
    t.w_slots = 1;
    if (t.scratchpad_bytes() > budget_) return std::nullopt;
    t.w_slots += static_cast<int>(
        std::min((budget_ - t.scratchpad_bytes()) / t.w_bytes, weight_tiles - t.w_slots));
    estimate(t);
    return t;
  }

  /// One streamed tile: its passes of the array, and the vector unit's way through its positions,
  /// which starts anew with each stripe where the stream cannot hold a second one.
  void add_streamed(WindowTile& t, int64_t m, int64_t n, int64_t count) const {
    const MacArrayConfig& array = config_.mac_array;
    const timing::StripedTile striped = timing::striped_tile(
        array, {.m = m, .n = n, .k = p_.taps() * p_.in_c, .taps = p_.taps(), .wide = p_.wide});
    const int64_t entry =
        timing::vector_op(config_.vector_unit, timing::VectorClass::kRequantize, array.cols, 1)
            .busy_cycles;
    for (int64_t i = 0; i < striped.stripes.count(); ++i) {
      const int64_t positions = striped.stripes.length(i);
      t.work.mac_cycles += count * striped.passes * striped.fold_cycles(positions);
      t.work.vector_cycles += count * positions * entry;
      if (array.result_stream_entries < 2 * array.stripe_positions && positions > 1) {
        t.work.vector_cycles += count * (positions + array.result_stream_latency_cycles +
                                         array.result_credit_latency_cycles);
      }
    }
  }

  void estimate(WindowTile& t) const {
    const Extents h = split(p_.out_h, t.out_h), w = split(p_.out_w, t.out_w),
                  oc = split(p_.out_c, t.out_c),
                  ic = split(p_.in_c, has_channel_input(p_) ? t.in_c : p_.in_c);
    cost::LayerWork& work = t.work;
    const int64_t outer = p_.batch * p_.groups;
    const int64_t space = h.total() * w.total() * outer;
    const int64_t images = p_.w_per_image ? p_.batch : 1;  // with weights of their own
    const int64_t passes = t.tap_by_tap ? p_.taps() : 1;
    work.tiles = space * oc.total() * ic.total();
    arithmetic(t, h, w, oc, ic, outer);

    if (!p_.x_resident) {
      const Extents channels = split(p_.in_c, t.in_c);
      const int64_t once = loaded(p_, p_.out_h, t.out_h, true) *
                           loaded(p_, p_.out_w, t.out_w, false) * outer *
                           moved_bytes(channels, p_.in_c * p_.groups, p_.x_size);
      // A space tile stays for all output channels unless channels are outside or its channels are
      // split.
      const bool again =
          has_channel_input(p_) && oc.total() > 1 &&
          (ic.total() > 1 || (t.order == LoopOrder::kChannelsOuter && space > images));
      const int64_t times = (again ? oc.total() : 1) * passes;
      work.load_bytes += once * times;
      work.descriptors += space * channels.total() * times;
      work.first_load_bytes += t.x_bytes;
    }
    if (uses_array(p_) && !p_.w_resident) {
      const int64_t k = p_.kind == WindowKind::kDepthwise ? p_.taps() : p_.taps() * p_.in_c;
      const int64_t once = p_.groups * (p_.out_c * k * p_.w_size + p_.out_c * p_.param_bytes);
      const int64_t tiles = space / p_.groups / images;  // with the same weights
      const bool again =
          tiles > 1 && ((ic.total() > 1) || (t.order == LoopOrder::kSpaceOuter && oc.total() > 1));
      const int64_t times = (again ? tiles : 1) * images * passes;
      work.load_bytes += once * times;
      work.descriptors += p_.groups * oc.total() * ic.total() * times;
      work.first_load_bytes += t.w_bytes;
    }
    if (!p_.y_resident) {
      work.store_bytes +=
          outer * p_.out_h * p_.out_w * moved_bytes(oc, p_.out_c * p_.groups, p_.y_size);
      work.descriptors += space * oc.total();
      work.last_store_bytes += t.y_bytes;
    }
    if (t.streamed) work.tiles = p_.out_h * oc.total() * outer;
    t.predicted_cycles = cost::layer_cycles(config_, work);
  }

  void arithmetic(WindowTile& t, const Extents& h, const Extents& w, const Extents& oc,
                  const Extents& ic, int64_t outer) const {
    for (std::size_t a = 0; a < 2; ++a) {
      for (std::size_t b = 0; b < 2; ++b) {
        for (std::size_t c = 0; c < 2; ++c) {
          const int64_t m = h.size[a] * w.size[b];
          const int64_t n = oc.size[c];
          const int64_t count = h.count[a] * w.count[b] * oc.count[c] * outer;
          if (count == 0) continue;
          if (t.streamed) {
            add_streamed(t, m, n, count);
            continue;
          }
          t.work.vector_cycles +=
              count * timing::vector_op(config_.vector_unit,
                                        uses_array(p_) ? timing::VectorClass::kRequantize
                                                       : timing::VectorClass::kPool,
                                        m * n, uses_array(p_) ? 1 : p_.taps())
                          .total_cycles;
          if (!uses_array(p_)) continue;
          if (p_.adds_bias) {
            t.work.vector_cycles +=
                count *
                timing::vector_op(config_.vector_unit, timing::VectorClass::kReduce, m * n, 1)
                    .total_cycles;
          }
          for (std::size_t d = 0; d < 2; ++d) {
            if (ic.count[d] == 0) continue;
            const int64_t passes = t.tap_by_tap ? p_.taps() : 1;
            const int64_t taps = p_.taps() / passes;
            timing::MacTile tile{.m = m,
                                 .n = n,
                                 .k = p_.kind == WindowKind::kDepthwise ? taps : taps * ic.size[d],
                                 .taps = taps,
                                 .depthwise = p_.kind == WindowKind::kDepthwise,
                                 .wide = p_.wide,
                                 .weights_loaded = p_.kind != WindowKind::kDepthwise};
            t.work.mac_cycles += count * ic.count[d] * passes *
                                 timing::mac_tile(config_.mac_array, tile).total_cycles;
          }
        }
      }
    }
  }

  const WindowProblem& p_;
  const NpuConfig& config_;
  int64_t budget_;
  WindowTile least_{.out_h = 0};
};

[[noreturn]] void does_not_fit(const WindowTile& t, const NpuConfig& config, int64_t budget,
                               const std::string& layer) {
  if (t.acc_bytes > config.accumulator.capacity_bytes) {
    fail("{}: accumulator: the smallest tile needs {} bytes, {} are there", layer, t.acc_bytes,
         config.accumulator.capacity_bytes);
  }
  fail(
      "{}: scratchpad: the smallest tile needs {} bytes (input {}, weights {}, output {}), {} are "
      "there",
      layer, t.scratchpad_bytes(), t.x_bytes * t.x_slots, t.w_bytes * t.w_slots,
      t.y_bytes * t.y_slots, budget);
}

}  // namespace

std::string_view name_of(LoopOrder order) {
  return order == LoopOrder::kChannelsOuter ? "channels_outer" : "space_outer";
}

InputSpan input_span(int64_t first, int64_t count, int64_t stride, int64_t kernel, int64_t dilation,
                     int64_t pad, int64_t up, int64_t in_size) {
  const int64_t low = first * stride - pad;
  const int64_t high = low + (count - 1) * stride + (kernel - 1) * dilation;  // inclusive
  const int64_t begin = low <= 0 ? 0 : std::min(ceil_div(low, up), in_size - 1);
  const int64_t end = std::clamp<int64_t>(high < 0 ? 0 : high / up + 1, begin + 1, in_size);
  return {begin, end - begin, low - begin * up};
}

WindowTile choose_window_tile(const WindowProblem& p, const NpuConfig& config,
                              int64_t scratchpad_bytes, const std::string& layer) {
  TileBuilder builder(p, config, scratchpad_bytes);
  std::optional<WindowTile> best;
  const auto better = [&](const WindowTile& t) {
    if (!best) return true;
    if (has_channel_input(p) && t.in_c < best->in_c) {
      return t.predicted_cycles * kSplitGain < best->predicted_cycles * (kSplitGain - 1);
    }
    if (t.predicted_cycles != best->predicted_cycles)
      return t.predicted_cycles < best->predicted_cycles;
    return t.scratchpad_bytes() < best->scratchpad_bytes();
  };
  std::vector<std::pair<int64_t, int64_t>> spaces;
  for (const int64_t h : sizes_to_try(p.out_h, 1)) spaces.emplace_back(h, p.out_w);
  for (const int64_t w : sizes_to_try(p.out_w, 1)) {
    if (w < p.out_w) spaces.emplace_back(1, w);
  }
  // Depthwise and pooling tie the input channels to the output channels: multiplier outputs per
  // input.
  const int64_t unit = p.kind == WindowKind::kDepthwise ? p.multiplier : 1;
  const auto consider = [&](const WindowTile& t) {
    const std::optional<WindowTile> built = builder.build(t);
    if (built && better(*built)) best = built;
  };
  if (has_channel_input(p) && config.mac_array.result_stream_entries > 0 &&
      p.output == OutputKind::kRequantize) {
    for (const auto& [h, w] : spaces) {
      for (const LoopOrder order : {LoopOrder::kChannelsOuter, LoopOrder::kSpaceOuter}) {
        consider({.out_h = h,
                  .out_w = w,
                  .out_c = std::min<int64_t>(p.out_c, config.mac_array.cols),
                  .in_c = p.in_c,
                  .order = order,
                  .streamed = true});
      }
      if (best) return *best;
    }
  }
  const bool ordered = is_float(p.type) && p.taps() > 1;
  for (const int64_t in_c : has_channel_input(p) ? sizes_to_try(p.in_c, config.mac_array.rows)
                                                 : std::vector<int64_t>{p.in_c}) {
    if (ordered && best && in_c < p.in_c) break;
    for (int64_t out_c :
         sizes_to_try(p.out_c / unit, std::max<int64_t>(1, config.mac_array.cols / unit))) {
      out_c *= unit;
      for (const auto& [h, w] : spaces) {
        for (const LoopOrder order : {LoopOrder::kChannelsOuter, LoopOrder::kSpaceOuter}) {
          WindowTile t{.out_h = h, .out_w = w, .out_c = out_c, .in_c = in_c, .order = order};
          if (!has_channel_input(p)) t.in_c = out_c / unit;
          consider(t);
        }
      }
    }
  }
  if (!best) does_not_fit(builder.least(), config, scratchpad_bytes, layer);
  return *best;
}

}  // namespace npu::mapper
