#include "kernels/mapper/window_pipeline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "kernels/cost/pipeline.h"
#include "kernels/mapper/window_bound.h"
#include "kernels/mapper/window_geometry.h"
#include "sim/base/math.h"
#include "sim/timing/mac_timing.h"
#include "sim/timing/stripe_timing.h"
#include "sim/timing/vector_timing.h"

namespace npu::mapper {
namespace {

using cost::Pipeline;
using cost::Range;
using cost::Stream;
using cost::Transfer;
using std::int64_t;

/// Follows the tiles of one layer.
class WindowWalk {
 public:
  WindowWalk(const WindowProblem& problem, const WindowTile& tile, const NpuConfig& config,
             const WindowPlacement& placement)
      : p_(problem),
        t_(tile),
        config_(config),
        pipeline_(config),
        has_array_(uses_array(p_)),
        has_channels_(has_channel_input(p_)),
        preloads_(has_array_ && p_.kind != WindowKind::kDepthwise &&
                  config.mac_array.dataflow == Dataflow::kWeightStationary),
        rows_(runs_of(p_.out_h, t_.out_h, p_, true)),
        columns_(runs_of(p_.out_w, t_.out_w, p_, false)),
        x_(pipeline_.add_slots(t_.x_slots)),
        w_(pipeline_.add_slots(std::min(t_.w_slots, kMostSlots))),
        y_(pipeline_.add_slots(t_.y_slots)),
        acc_(pipeline_.add_slots(t_.acc_slots)),
        geometry_(p_, t_, config, placement) {}

  WindowPrediction run() {
    const int64_t oc_full = p_.out_c / t_.out_c;
    const int64_t oc_rest = p_.out_c % t_.out_c;
    pipeline_.repeat(p_.groups, [&](int64_t g) {
      group_ = g;
      if (t_.order == LoopOrder::kChannelsOuter) {
        over_channels(oc_full, oc_rest, [&](int64_t oc, int64_t n) {
          over_space([&](const TilePlace& at) { tile(at, oc, n); });
        });
      } else {
        over_space([&](const TilePlace& at) {
          over_channels(oc_full, oc_rest, [&](int64_t oc, int64_t n) { tile(at, oc, n); });
        });
      }
    });
    finish_all();
    return {static_cast<int64_t>(std::ceil(pipeline_.end())), pipeline_.traffic()};
  }

 private:
  static constexpr int kMostSlots = 64;

  /// The array's and the vector unit's part of a step whose loads are issued.
  struct Step {
    TilePlace at;
    int64_t channels = 0, depth = 0, first_c = 0, tap = -1;
    Pipeline::Slot* x = nullptr;
    Pipeline::Slot* w = nullptr;
    int x_slot = 0, w_slot = 0;
    bool is_last = false, is_first = false, is_there = false;
    Pipeline::Claim acc;
    double done = 0;
  };

  template <typename Visit>
  void over_channels(int64_t full, int64_t rest, Visit&& visit) {
    pipeline_.repeat(full, [&](int64_t i) { visit(i, t_.out_c); });
    if (rest > 0) visit(full, rest);
  }
  template <typename Visit>
  void over_space(Visit&& visit) {
    over_images([&](int64_t image, int64_t images) {
      for (const TileRun& r : rows_) {
        pipeline_.repeat(r.count, [&](int64_t i) {
          for (const TileRun& c : columns_) {
            pipeline_.repeat(c.count, [&](int64_t j) {
              visit(TilePlace{image, r.first + i, c.first + j, r.out, c.out, r.in, c.in, images});
            });
          }
        });
      }
    });
  }
  /// visit(first, number): images of a step; several are of the innermost dimension.
  template <typename Visit>
  void over_images(Visit&& visit) {
    if (t_.images == 1) {
      pipeline_.repeat(p_.batch, [&](int64_t image) { visit(image, 1); });
      return;
    }
    const int64_t rest = p_.inner_batch % t_.images;
    pipeline_.repeat(p_.batch / p_.inner_batch, [&](int64_t i) {
      const int64_t first = i * p_.inner_batch;
      pipeline_.repeat(p_.inner_batch / t_.images,
                       [&](int64_t j) { visit(first + j * t_.images, t_.images); });
      if (rest > 0) visit(first + p_.inner_batch - rest, rest);
    });
  }

  void tile(const TilePlace& at, int64_t oc, int64_t channels) {
    const int64_t reduction = has_channels_ ? p_.in_c : t_.in_c;
    const int64_t passes = t_.tap_by_tap ? p_.taps() : 1;
    const int64_t blocks = ceil_div(reduction, t_.in_c);
    for (int64_t pass = 0; pass < passes; ++pass) {
      pipeline_.repeat(blocks, [&](int64_t i) {
        const int64_t ic = i * t_.in_c;
        Step s;
        s.at = at;
        s.channels = channels;
        s.depth =
            has_channels_ ? std::min(t_.in_c, p_.in_c - ic) : ceil_div(channels, p_.multiplier);
        s.first_c = has_channels_ ? i : oc;
        s.is_first = i == 0 && pass == 0;
        s.is_last = i + 1 == blocks && pass + 1 == passes;
        step(s, oc);
      });
    }
  }

  void step(Step s, int64_t oc) {
    // With one slot a load waits for the work of the step before.
    const bool reads_late = !has_array_ && t_.x_slots > 0;
    if (t_.x_slots == 1 || t_.w_slots == 1 || reads_late) {
      finish_all();
    } else {
      advance();
    }
    int64_t words = 0;
    if (t_.x_slots > 0) {
      const int64_t image = p_.shares_x ? s.at.image / p_.inner_batch : s.at.image;
      const int64_t space = (image * 65536 + s.at.row) * 65536 + s.at.column;
      const bool by_group = p_.kind == WindowKind::kConv;
      const int64_t key = space * 65536 + s.first_c + (by_group ? group_ * 4096 : 0);
      const Pipeline::Claim c = pipeline_.claim(x_, key);
      s.x = c.slot;
      s.x_slot = c.index;
      if (!c.there) {
        ++words;
        load_input(s, *c.slot);
      }
    }
    if (has_array_ && t_.w_slots > 0) {
      const int64_t image = p_.w_per_image ? s.at.image : 0;
      const int64_t key =
          ((image * 65536 + group_) * 65536 + oc) * 65536 + (has_channels_ ? s.first_c : 0);
      const Pipeline::Claim c = pipeline_.claim(w_, key);
      s.w = c.slot;
      s.w_slot = c.index;
      if (!c.there) {
        ++words;
        load_weights(s, *c.slot);
      }
    }
    words += has_array_ ? (preloads_ ? 2 : 1) * s.at.images : 0;
    if (s.is_last) words += (t_.y_slots > 0 ? 2 : 1) + (p_.adds_bias ? 1 : 0);
    pipeline_.dispatch(words);
    store_output();
    s.is_there = true;
    pending_ = s;
  }

  void load_input(const Step& s, Pipeline::Slot& slot) {
    const Transfer t = geometry_.input(s.at, s.depth);
    const int64_t base = geometry_.at().x + s.x_slot * t_.x_bytes;
    slot.ready = pipeline_.load(Pipeline::Channel::kLoad, t, {base, base + t.bytes()}, slot.free);
  }

  void load_weights(const Step& s, Pipeline::Slot& slot) {
    const Transfer t = geometry_.weights(s.channels, s.depth, s.is_last, s.at.images);
    const int64_t base = geometry_.at().w + s.w_slot * t_.w_bytes;
    const bool own = config_.dma.channels >= 3;
    slot.ready = pipeline_.load(own ? Pipeline::Channel::kWeights : Pipeline::Channel::kLoad, t,
                                {base, base + t.bytes()}, slot.free);
  }

  /// The array's work of the step before, and the vector unit's of the one before that: in the
  /// order in which the units come to their instructions.
  void advance() {
    if (t_.acc_slots == 1) finish_worked();
    Step now = pending_;
    pending_.is_there = false;
    if (now.is_there && t_.streamed) return work_streamed(now);
    if (now.is_there) {
      now.done = now.x != nullptr ? now.x->ready : 0;
      if (has_array_) {
        if (now.is_first) acc_now_ = pipeline_.claim(acc_, ++acc_key_);
        for (int64_t i = 0; i < now.at.images; ++i) now.done = multiply(now);
        if (now.x != nullptr) now.x->free = now.done;
        if (now.w != nullptr) now.w->free = now.done;
      }
    }
    finish_worked();
    if (now.is_there && now.is_last) worked_ = now;
  }
  void finish_worked() {
    if (!worked_.is_there) return;
    worked_.is_there = false;
    store_output();
    const double end = output(worked_);
    if (worked_.x != nullptr && !has_array_) worked_.x->free = end;
    if (worked_.w != nullptr && p_.param_bytes > 0 && t_.params_bytes == 0) worked_.w->free = end;
  }
  void finish_all() {
    advance();
    finish_worked();
    store_output();
  }

  [[nodiscard]] timing::MacTile mac_tile(const Step& s) const {
    const int64_t taps = t_.tap_by_tap ? 1 : p_.taps();
    const bool depthwise = p_.kind == WindowKind::kDepthwise;
    return {.m = s.at.out_h * s.at.out_w,
            .n = s.channels,
            .k = depthwise ? taps : taps * s.depth,
            .taps = taps,
            .depthwise = depthwise,
            .wide = p_.wide,
            .precision = precision_of(p_.type),
            .weights_loaded = preloads_,
            .accumulate = !s.is_first};
  }

  double multiply(Step& s) {
    const timing::MacTile tile = mac_tile(s);
    const timing::MacTiming time = timing::mac_tile(config_.mac_array, tile);
    const double x = s.x != nullptr ? s.x->ready : 0;
    const double w = s.w != nullptr ? s.w->ready : 0;
    const Range w_range = range_of(geometry_.at().w + s.w_slot * t_.w_bytes, t_.w_bytes);
    count(tile, time, s);
    if (preloads_) {
      const timing::Fold fold = timing::first_fold(config_.mac_array, tile);
      const auto cycles = static_cast<double>(
          timing::weight_load_cycles(config_.mac_array, fold.k, fold.n * tile.w_bytes()));
      pipeline_.preload(cycles,
                        {w_range, static_cast<double>(fold.k * fold.n * tile.w_bytes()), false}, w);
    }
    const double sums = tile.sum_bytes() > 0 ? static_cast<double>(p_.acc_size()) /
                                                   static_cast<double>(tile.sum_bytes())
                                             : 1;
    const Range acc = range_of(acc_now_.index * t_.acc_bytes, t_.acc_bytes);
    const std::array<Stream, 2> reads = {
        Stream{geometry_.input_range(s.at, s.x_slot), static_cast<double>(time.input_read_bytes),
               false},
        Stream{w_range, static_cast<double>(time.weight_read_bytes), false}};
    const std::array<Stream, 2> sums_moved = {
        Stream{acc, static_cast<double>(time.accumulator_read_bytes) * sums, false},
        Stream{acc, static_cast<double>(time.accumulator_write_bytes) * sums, true}};
    s.acc = acc_now_;
    return pipeline_.tile(
        {static_cast<double>(time.total_cycles), static_cast<double>(time.shadow_free_cycles)},
        reads, sums_moved, std::max({x, w, acc_now_.slot->free}));
  }

  /// What a tile on the array, and the vector unit after the last one of a sum, read and write.
  void count(const timing::MacTile& tile, const timing::MacTiming& time, const Step& s) {
    cost::Traffic& t = pipeline_.traffic();
    const double sums = static_cast<double>(p_.acc_size()) / static_cast<double>(tile.sum_bytes());
    t.macs += static_cast<double>(time.macs);
    t.scratchpad_read_bytes += static_cast<double>(time.input_read_bytes + time.weight_read_bytes);
    t.register_bytes += static_cast<double>(time.register_write_bytes);
    t.accumulator_read_bytes += static_cast<double>(time.accumulator_read_bytes) * sums;
    t.accumulator_write_bytes += static_cast<double>(time.accumulator_write_bytes) * sums;
    if (!s.is_last) return;
    const int64_t elements = s.at.out_h * s.at.out_w * s.channels;
    t.accumulator_read_bytes += static_cast<double>(elements * p_.acc_size());
    count_vector(timing::VectorClass::kRequantize, elements, 1);
    pipeline_.traffic().scratchpad_write_bytes += static_cast<double>(elements * p_.y_size);
    if (p_.adds_bias) count_vector(timing::VectorClass::kReduce, elements, 1);
  }
  void count_vector(timing::VectorClass kind, int64_t elements, int64_t steps) {
    pipeline_.traffic().vector_ops +=
        static_cast<double>(timing::vector_op(config_.vector_unit, kind, elements, steps).lane_ops);
  }
  /// The vector unit's part. @return when it is done.
  double output(const Step& s) {
    const int64_t elements = s.at.images * s.at.out_h * s.at.out_w * s.channels;
    double after = s.done;
    Pipeline::Claim y;
    if (t_.y_slots > 0) {
      y = pipeline_.claim(y_, ++y_key_);
      after = std::max(after, y.slot->free);
    }
    const Range to = geometry_.output_range(s.at, y.index);
    const Stream written{to, static_cast<double>(elements * p_.y_size), true};
    double end = 0;
    if (has_array_) {
      if (p_.adds_bias) {
        after = pipeline_.vector(busy(timing::VectorClass::kReduce, elements, 1), {}, {}, after);
      }
      const Stream sums{range_of(s.acc.index * t_.acc_bytes, t_.acc_bytes),
                        static_cast<double>(elements * p_.acc_size()), false};
      end = pipeline_.vector(busy(timing::VectorClass::kRequantize, elements, 1), {&written, 1},
                             {&sums, 1}, after);
      s.acc.slot->free = end;
    } else {
      const std::array<Stream, 2> moved = {
          written, Stream{geometry_.input_range(s.at, s.x_slot),
                          static_cast<double>(elements * p_.taps() * p_.x_size), false}};
      end =
          pipeline_.vector(busy(timing::VectorClass::kPool, elements, p_.taps()), moved, {}, after);
    }
    if (t_.y_slots > 0)
      to_store_ = {geometry_.output(s.at, s.at.out_h, s.channels), to, end, y.slot};
    return end;
  }
  void store_output() {
    if (to_store_.slot == nullptr) return;
    to_store_.slot->free = pipeline_.store(to_store_.transfer, to_store_.from, to_store_.after);
    to_store_.slot = nullptr;
  }

  [[nodiscard]] static Range range_of(int64_t low, int64_t bytes) { return {low, low + bytes}; }
  [[nodiscard]] double busy(timing::VectorClass kind, int64_t elements, int64_t steps) const {
    return static_cast<double>(
        timing::vector_op(config_.vector_unit, kind, elements, steps).busy_cycles);
  }

  void work_streamed(const Step& s) {
    const MacArrayConfig& array = config_.mac_array;
    const timing::MacTile tile = mac_tile(s);
    const timing::StripedTile striped = timing::striped_tile(array, tile);
    const double x = s.x != nullptr ? s.x->ready : 0;
    const double w = s.w != nullptr ? s.w->ready : 0;
    if (preloads_) {
      const timing::Fold fold = timing::first_fold(array, tile);
      pipeline_.preload(static_cast<double>(timing::weight_load_cycles(array, fold.k, fold.n)), {},
                        w);
    }
    count(tile, timing::mac_tile(array, tile), s);
    const double entry = busy(timing::VectorClass::kRequantize, array.cols, 1);
    const double end = pipeline_.streamed(striped, entry, std::max(x, w));
    if (s.x != nullptr) s.x->free = end;
    if (s.w != nullptr) s.w->free = end;
    if (t_.y_slots == 0) return;
    for (int64_t row = 0; row < s.at.out_h; row += t_.piece_h) {
      const int64_t rows = std::min(t_.piece_h, s.at.out_h - row);
      const Pipeline::Claim y = pipeline_.claim(y_, ++y_key_);
      const auto left = static_cast<double>((s.at.out_h - row - rows) * s.at.out_w);
      const double part = end - entry * left;
      y.slot->free = pipeline_.store(geometry_.output(s.at, rows, s.channels), {}, part);
    }
  }

  const WindowProblem& p_;
  const WindowTile& t_;
  const NpuConfig& config_;
  Pipeline pipeline_;
  bool has_array_, has_channels_, preloads_;
  std::vector<TileRun> rows_, columns_;
  std::size_t x_, w_, y_, acc_;
  WindowGeometry geometry_;
  int64_t group_ = 0, acc_key_ = 0, y_key_ = 0;
  Pipeline::Claim acc_now_;
  Step pending_;  ///< Its loads are issued.
  Step worked_;   ///< The array is through with it.
  struct Output {
    Transfer transfer;
    Range from;
    double after = 0;
    Pipeline::Slot* slot = nullptr;
  };
  Output to_store_;  ///< The vector unit is through with it.
};

}  // namespace

WindowPrediction predict_window(const WindowProblem& problem, const WindowTile& tile,
                                const NpuConfig& config, const WindowPlacement& placement) {
  WindowPrediction prediction = WindowWalk(problem, tile, config, placement).run();
  const double bound = window_bound(problem, config,
                                    {.out_h = tile.out_h,
                                     .out_w = tile.out_w,
                                     .out_c = tile.out_c,
                                     .in_c = tile.in_c,
                                     .images = tile.images},
                                    tile.streamed);
  prediction.cycles = std::max(prediction.cycles, static_cast<int64_t>(std::ceil(bound)));
  return prediction;
}

}  // namespace npu::mapper
