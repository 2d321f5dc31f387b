#include "kernels/mapper/window_tiling.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "kernels/mapper/chunking.h"
#include "kernels/mapper/mapping_error.h"
#include "kernels/mapper/tile_builder.h"
#include "sim/base/math.h"

namespace npu::mapper {
namespace {

using std::int64_t;

/// A split of the input channels must promise 1 / kSplitGain fewer cycles than the best tile
/// without: its loads lie in short pieces, which the cost model does not see.
constexpr int64_t kSplitGain = 4;

/// Sizes to try along a dimension of `n`: n, its ceil-fractions, in steps of `unit` where that is
/// smaller, down to 1.
std::vector<int64_t> sizes_to_try(int64_t n, int64_t unit, const std::optional<int64_t>& decided) {
  if (decided) return {*decided};
  std::vector<int64_t> sizes;
  for (int64_t parts = 1; parts <= n; parts = parts < 4 ? parts + 1 : parts * 2) {
    int64_t size = ceil_div(n, parts);
    if (size > unit && size < n) size = round_up(size, unit);
    if (sizes.empty() || size < sizes.back()) sizes.push_back(size);
  }
  if (sizes.back() != 1) sizes.push_back(1);
  return sizes;
}

/// Rows and columns of a tile: all columns, or one row in pieces, unless decided otherwise.
std::vector<std::pair<int64_t, int64_t>> spaces_to_try(const WindowProblem& p,
                                                       const WindowDecision& decided) {
  std::vector<std::pair<int64_t, int64_t>> spaces;
  const int64_t width = decided.out_w.value_or(p.out_w);
  for (const int64_t h : sizes_to_try(p.out_h, 1, decided.out_h)) spaces.emplace_back(h, width);
  if (decided.out_w) return spaces;
  const int64_t height = decided.out_h.value_or(1);
  for (const int64_t w : sizes_to_try(p.out_w, 1, {})) {
    if (w < p.out_w) spaces.emplace_back(height, w);
  }
  return spaces;
}

std::vector<int64_t> channels_to_try(const WindowProblem& p, const NpuConfig& config, int64_t unit,
                                     const WindowDecision& decided) {
  if (decided.out_c) return {*decided.out_c};
  if (decided.in_c && !has_channel_input(p)) return {*decided.in_c * unit};
  std::vector<int64_t> channels =
      sizes_to_try(p.out_c / unit, std::max<int64_t>(1, config.mac_array.cols / unit), {});
  for (int64_t& c : channels) c *= unit;
  return channels;
}

bool may_stream(const WindowProblem& p, const NpuConfig& config, const WindowDecision& decided) {
  return has_channel_input(p) && config.mac_array.result_stream_entries > 0 &&
         p.output == OutputKind::kRequantize && decided.streamed.value_or(true) &&
         decided.in_c.value_or(p.in_c) == p.in_c &&
         decided.out_c.value_or(1) <= config.mac_array.cols && decided.acc_slots.value_or(0) == 0;
}

/// Which of the tile's buffers is the largest.
std::string largest_of(const WindowTile& t) {
  return largest_buffer({{"x", t.x_bytes, t.x_slots, -1},
                         {"w", t.w_bytes, t.w_slots, -1},
                         {"y", t.y_bytes, t.y_slots, -1}});
}

[[noreturn]] void does_not_fit(const WindowTile& t, const NpuConfig& config, int64_t budget,
                               const std::string& layer, const WindowDecision& d) {
  // A tile of which everything is decided is no smallest one.
  const bool whole = d.out_h && d.out_w && d.out_c && d.in_c;
  const std::string_view which = whole ? "decided" : "smallest";
  require_slots(t, d, layer);
  const int64_t sums = t.acc_bytes * std::max(1, t.acc_slots);
  if (sums > config.accumulator.capacity_bytes) {
    fail_mapping({.kind = FaultKind::kCapacity,
                  .layer = layer,
                  .key = d.acc_slots && *d.acc_slots > 1 ? "accumulator.slots" : "tile",
                  .level = MemoryLevel::kAccumulator,
                  .object = "sums",
                  .needed = sums,
                  .there = config.accumulator.capacity_bytes},
                 "{}: accumulator: the {} tile needs {} bytes, {} are there", layer, which, sums,
                 config.accumulator.capacity_bytes);
  }
  fail_mapping({.kind = FaultKind::kCapacity,
                .layer = layer,
                .key = "tile",
                .level = MemoryLevel::kScratchpad,
                .object = largest_of(t),
                .needed = t.scratchpad_bytes(),
                .there = budget},
               "{}: scratchpad: the {} tile needs {} bytes (input {}, weights {}, output {}), {} "
               "are there",
               layer, which, t.scratchpad_bytes(), t.x_bytes * t.x_slots, t.w_bytes * t.w_slots,
               t.y_bytes * t.y_slots, budget);
}

/// Refuses decisions that the layer or the array does not have.
class DecisionCheck {
 public:
  DecisionCheck(const WindowProblem& p, const NpuConfig& config, const std::string& layer)
      : p_(p), config_(config), layer_(layer) {}

  void run(const WindowDecision& d) const {
    output_extent("tile.out_h", d.out_h, p_.out_h);
    output_extent("tile.out_w", d.out_w, p_.out_w);
    output_extent("tile.out_c", d.out_c, p_.out_c);
    extent("tile.in_c", d.in_c, p_.in_c);
    extent("images", d.images, p_.w_per_image ? p_.batch : 1);
    tied_channels(d);
    if (d.streamed.value_or(false)) streamed(d);
    accumulators(d);
  }

 private:
  template <typename T>
  [[noreturn]] void refuse(FaultKind kind, std::string_view key, const T& value,
                           std::string_view why) const {
    fail_mapping({.kind = kind, .layer = layer_, .key = std::string(key)}, "{}: {}: {}: {}", layer_,
                 key, value, why);
  }
  void extent(std::string_view key, const std::optional<int64_t>& value, int64_t size) const {
    if (!value || (*value >= 1 && *value <= size)) return;
    refuse(FaultKind::kRange, key, *value, fmt::format("the layer allows 1 to {}", size));
  }
  void output_extent(std::string_view key, const std::optional<int64_t>& value,
                     int64_t size) const {
    extent(key, value, size);
    if (value.value_or(1) <= kMaxExtent) return;
    refuse(FaultKind::kUnsupported, key, *value, fmt::format("a tile has at most {}", kMaxExtent));
  }
  /// Depthwise and pooling tie the input channels to the output channels.
  void tied_channels(const WindowDecision& d) const {
    if (has_channel_input(p_)) return;
    const int64_t unit = p_.kind == WindowKind::kDepthwise ? p_.multiplier : 1;
    if (d.out_c && *d.out_c % unit != 0) {
      refuse(FaultKind::kUnsupported, "tile.out_c", *d.out_c,
             fmt::format("it must be a multiple of the depth multiplier, {}", unit));
    }
    if (d.in_c && d.out_c && *d.in_c != *d.out_c / unit) {
      refuse(FaultKind::kUnsupported, "tile.in_c", *d.in_c,
             fmt::format("{} output channels have {} input channels", *d.out_c, *d.out_c / unit));
    }
  }
  void accumulators(const WindowDecision& d) const {
    if (!d.acc_slots) return;
    const std::string_view key = "accumulator.slots";
    if (*d.acc_slots > 0 && (!uses_array(p_) || d.streamed.value_or(false)))
      refuse(FaultKind::kRange, key, *d.acc_slots, "the layer has no sums there, it is 0");
    const bool needs_sums = uses_array(p_) && !may_stream(p_, config_, d);
    if (*d.acc_slots < 1 && needs_sums)
      refuse(FaultKind::kSlots, key, *d.acc_slots, "the layer's sums need at least 1");
  }
  void streamed(const WindowDecision& d) const {
    if (config_.mac_array.result_stream_entries == 0) {
      refuse(FaultKind::kUnsupported, "streamed", "true",
             "the array has no result stream (mac_array.result_stream_entries is 0)");
    }
    if (!has_channel_input(p_) || p_.output != OutputKind::kRequantize) {
      refuse(FaultKind::kUnsupported, "streamed", "true",
             "only requantized convolutions and fully connected layers are streamed");
    }
    if (d.in_c && *d.in_c < p_.in_c) {
      refuse(FaultKind::kUnsupported, "tile.in_c", *d.in_c,
             fmt::format("a streamed tile has all {} input channels", p_.in_c));
    }
    if (d.out_c && *d.out_c > config_.mac_array.cols) {
      refuse(FaultKind::kUnsupported, "tile.out_c", *d.out_c,
             fmt::format("a streamed tile has at most the array's {} columns",
                         config_.mac_array.cols));
    }
  }

  const WindowProblem& p_;
  const NpuConfig& config_;
  const std::string& layer_;
};

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
                              int64_t scratchpad_bytes, const std::string& layer,
                              const WindowDecision& decided) {
  DecisionCheck(p, config, layer).run(decided);
  TileBuilder builder(p, config, scratchpad_bytes, decided);
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
  const std::vector<std::pair<int64_t, int64_t>> spaces = spaces_to_try(p, decided);
  std::vector<LoopOrder> orders = {LoopOrder::kChannelsOuter, LoopOrder::kSpaceOuter};
  if (decided.order) orders = {*decided.order};
  // Depthwise and pooling tie the input channels to the output channels: multiplier outputs per
  // input.
  const int64_t unit = p.kind == WindowKind::kDepthwise ? p.multiplier : 1;
  const auto consider = [&](const WindowTile& t) {
    const std::optional<WindowTile> built = builder.build(t);
    if (built && better(*built)) best = built;
  };
  if (may_stream(p, config, decided)) {
    const int64_t columns = std::min<int64_t>(p.out_c, config.mac_array.cols);
    for (const auto& [h, w] : spaces) {
      for (const LoopOrder order : orders) {
        consider({.out_h = h,
                  .out_w = w,
                  .out_c = decided.out_c.value_or(columns),
                  .in_c = p.in_c,
                  .order = order,
                  .streamed = true});
      }
      if (best) return *best;
    }
  }
  const bool must_stream = uses_array(p) && decided.acc_slots.value_or(1) == 0;
  if (must_stream || decided.streamed.value_or(false))
    does_not_fit(builder.least(), config, scratchpad_bytes, layer, decided);
  const bool ordered = is_float(p.type) && p.taps() > 1;
  std::vector<int64_t> depths = {p.in_c};
  if (has_channel_input(p)) depths = sizes_to_try(p.in_c, config.mac_array.rows, decided.in_c);
  for (const int64_t in_c : depths) {
    if (ordered && best && in_c < p.in_c) break;
    for (const int64_t out_c : channels_to_try(p, config, unit, decided)) {
      for (const auto& [h, w] : spaces) {
        for (const LoopOrder order : orders) {
          WindowTile t{.out_h = h, .out_w = w, .out_c = out_c, .in_c = in_c, .order = order};
          if (!has_channel_input(p)) t.in_c = out_c / unit;
          consider(t);
        }
      }
    }
  }
  if (!best) does_not_fit(builder.least(), config, scratchpad_bytes, layer, decided);
  return *best;
}

}  // namespace npu::mapper
