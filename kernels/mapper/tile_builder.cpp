#include "kernels/mapper/tile_builder.h"

#include <algorithm>
#include <array>

#include "kernels/mapper/chunking.h"
#include "kernels/mapper/window_geometry.h"
#include "sim/base/math.h"
#include "sim/timing/mac_timing.h"
#include "sim/timing/stripe_timing.h"
#include "sim/timing/vector_timing.h"

namespace npu::mapper {

using std::int64_t;

/// Distinct tile extents along one dimension: the full one and the remainder.
struct TileBuilder::Extents {
  std::array<int64_t, 2> size{};
  std::array<int64_t, 2> count{};
  [[nodiscard]] int64_t total() const { return count[0] + count[1]; }
};
TileBuilder::Extents TileBuilder::split(int64_t n, int64_t tile) {
  Extents e;
  e.size = {tile, n % tile};
  e.count = {n / tile, n % tile == 0 ? 0 : 1};
  return e;
}

namespace {

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

/// Calls visit(name, bytes, slots, decided bytes, decided slots) for the buffers that the tile has.
template <typename Tile, typename Visit>
void over_buffers(Tile& t, const WindowDecision& d, Visit&& visit) {
  if (t.x_slots > 0) visit("x", t.x_bytes, t.x_slots, d.x_bytes, d.x_slots);
  if (t.w_slots > 0) visit("w", t.w_bytes, t.w_slots, d.w_bytes, d.w_slots);
  if (t.y_slots > 0) visit("y", t.y_bytes, t.y_slots, d.y_bytes, d.y_slots);
}

}  // namespace

bool slots_suffice(const WindowTile& tile, const WindowDecision& decided) {
  bool suffice = true;
  over_buffers(tile, decided,
               [&](const char*, int64_t bytes, int, const auto& decided_bytes, const auto&) {
                 suffice = suffice && bytes <= decided_bytes.value_or(bytes);
               });
  return suffice;
}

void require_slots(const WindowTile& tile, const WindowDecision& decided,
                   const std::string& layer) {
  over_buffers(
      tile, decided,
      [&](const char* name, int64_t bytes, int slots, const auto& decided_bytes, const auto&) {
        if (bytes <= decided_bytes.value_or(bytes)) return;
        fail_small_slots({{name, bytes, slots, -1}}, {{name, {}, decided_bytes, {}}}, layer);
      });
}

void take_slots(WindowTile& tile, const WindowDecision& decided) {
  over_buffers(tile, decided,
               [](const char*, int64_t& bytes, int& slots, const auto& decided_bytes,
                  const auto& decided_slots) {
                 slots = decided_slots.value_or(slots);
                 bytes = std::max(bytes, decided_bytes.value_or(0));
               });
}

std::optional<WindowTile> TileBuilder::build(WindowTile t) {
  if (t.out_h > kMaxExtent || t.out_w > kMaxExtent || t.out_c > kMaxExtent) return std::nullopt;
  t.tap_by_tap = splits_taps(p_, t.in_c);
  layout(t);
  if (t.streamed) return stream(t);
  take_slots(t, decided_);
  if (uses_array(p_)) {
    t.acc_slots = decided_.acc_slots.value_or(static_cast<int>(
        std::clamp<int64_t>(config_.accumulator.capacity_bytes / t.acc_bytes, 1, 2)));
  }
  if (!fits(t)) {
    note_least(t);
    return std::nullopt;
  }
  estimate(t);
  return t;
}

void TileBuilder::note_least(const WindowTile& t) {
  if (t.scratchpad_bytes() < least_.scratchpad_bytes() || least_.out_h == 0) least_ = t;
}

bool TileBuilder::fits(const WindowTile& t) const {
  return slots_suffice(t, decided_) && t.scratchpad_bytes() <= budget_ &&
         t.acc_bytes * t.acc_slots <= config_.accumulator.capacity_bytes;
}

void TileBuilder::layout(WindowTile& t) const {
  const auto& w = p_.window;
  const bool one_space = t.out_h == p_.out_h && t.out_w == p_.out_w && p_.batch == 1;
  const bool one_out_c = t.out_c == p_.out_c && p_.groups == 1;
  const bool one_in_c = t.in_c == p_.in_c;
  if (!p_.x_resident) {
    const int64_t rows = extent(t.out_h, w.stride_h, w.kernel_h, w.dilation_h, p_.up_h, p_.in_h);
    const int64_t cols = extent(t.out_w, w.stride_w, w.kernel_w, w.dilation_w, p_.up_w, p_.in_w);
    t.x_bytes = round_up(rows * cols * t.in_c * p_.x_size, kAlignment);
    const bool one = one_space && one_in_c && (has_channel_input(p_) ? p_.groups == 1 : one_out_c);
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
int64_t TileBuilder::moved_bytes(const Extents& runs, int64_t all, int64_t element) const {
  int64_t sum = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const int64_t bytes = runs.size[i] * element;
    const int64_t moved =
        runs.size[i] == all ? bytes
                            : std::min(round_up(bytes, config_.dram.burst_bytes()), all * element);
    sum += runs.count[i] * moved;
  }
  return sum;
}

/// Buffers and work of a streamed tile.
std::optional<WindowTile> TileBuilder::stream(WindowTile& t) {
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
  take_slots(t, decided_);
  if (!fits(t)) {
    if (decided_.streamed.value_or(false) || decided_.acc_slots.value_or(1) == 0) note_least(t);
    return std::nullopt;
  }
  if (!decided_.w_slots) {
    t.w_slots += static_cast<int>(
        std::min((budget_ - t.scratchpad_bytes()) / t.w_bytes, weight_tiles - t.w_slots));
  }
  estimate(t);
  return t;
}

/// One streamed tile: its passes of the array, and the vector unit's way through its positions,
/// which starts anew with each stripe where the stream cannot hold a second one.
void TileBuilder::add_streamed(WindowTile& t, int64_t m, int64_t n, int64_t count) const {
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

void TileBuilder::estimate(WindowTile& t) const {
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
    const bool again = has_channel_input(p_) && oc.total() > 1 &&
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

void TileBuilder::arithmetic(WindowTile& t, const Extents& h, const Extents& w, const Extents& oc,
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
              count * timing::vector_op(config_.vector_unit, timing::VectorClass::kReduce, m * n, 1)
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
          t.work.mac_cycles +=
              count * ic.count[d] * passes * timing::mac_tile(config_.mac_array, tile).total_cycles;
        }
      }
    }
  }
}

}  // namespace npu::mapper
