#include <algorithm>
#include <array>

#include "kernels/lowering/layer_context.h"
#include "kernels/lowering/output_stage.h"
#include "kernels/lowering/window_weights.h"
#include "sim/base/error.h"
#include "sim/base/math.h"
#include "sim/timing/mac_timing.h"

namespace npu::kernels {
namespace {

using graph::OpKind;
using isa::Opcode;
using isa::Opd;
using mapper::InputSpan;
using mapper::WindowKind;
using std::int64_t;

constexpr std::size_t kAnyStep = std::size_t{1} << 20;

/// One output tile: batch image, rows, columns, channels of one group.
struct TileIndex {
  int64_t group = 0, image = 0, row = 0, column = 0, channel = 0;
};

/// One instruction of the array: operands, input spans and extents; `tap` ≥ 0: that tap alone.
struct Product {
  Placed x;
  int64_t weights = 0, acc = 0;
  InputSpan v, h;
  int64_t rows = 0, columns = 0, channels = 0, depth = 0, tap = -1;
  bool accumulate = false;
};

class WindowLowering {
 public:
  explicit WindowLowering(LayerContext& c)
      : c_(c),
        p_(*c.plan.window),
        t_(c.plan.tile),
        x_slots_(c.plan.buffer("x")),
        w_slots_(c.plan.buffer("w")),
        y_slots_(c.plan.buffer("y")),
        x_total_c_(p_.in_c * (has_groups() ? p_.groups : 1)),
        y_total_c_(p_.out_c * p_.groups) {
    if (p_.kind != WindowKind::kPool) blocks_ = pack_weights(c);
    // Weights run ahead as far as their slots go.
    if (t_.streamed) c.out.set_lookahead(kAnyStep);
  }

  void run() {
    for (int64_t group = 0; group < p_.groups; ++group) {
      if (t_.order == mapper::LoopOrder::kChannelsOuter) {
        for (int64_t oc = 0; oc < p_.out_c; oc += t_.out_c) {
          over_space([&](TileIndex i) { tile({group, i.image, i.row, i.column, oc}); });
        }
      } else {
        over_space([&](TileIndex i) {
          for (int64_t oc = 0; oc < p_.out_c; oc += t_.out_c)
            tile({group, i.image, i.row, i.column, oc});
        });
      }
    }
  }

 private:
  [[nodiscard]] bool has_groups() const { return p_.kind == WindowKind::kConv; }
  [[nodiscard]] bool reduces_channels() const {
    return p_.kind == WindowKind::kConv || p_.kind == WindowKind::kGemm;
  }

  template <typename Visit>
  void over_space(Visit&& visit) {
    for (int64_t n = 0; n < p_.batch; ++n) {
      for (int64_t y = 0; y < p_.out_h; y += t_.out_h) {
        for (int64_t x = 0; x < p_.out_w; x += t_.out_w) visit(TileIndex{0, n, y, x, 0});
      }
    }
  }

  void tile(const TileIndex& i) {
    const int64_t rows = std::min(t_.out_h, p_.out_h - i.row);
    const int64_t columns = std::min(t_.out_w, p_.out_w - i.column);
    const int64_t channels = std::min(t_.out_c, p_.out_c - i.channel);
    const auto& w = p_.window;
    const InputSpan v = mapper::input_span(i.row, rows, w.stride_h, w.kernel_h, w.dilation_h,
                                           w.pad_top, p_.up_h, p_.in_h);
    const InputSpan h = mapper::input_span(i.column, columns, w.stride_w, w.kernel_w, w.dilation_w,
                                           w.pad_left, p_.up_w, p_.in_w);
    if (p_.kind == WindowKind::kPool) {
      c_.out.begin_step();
      pool(i, v, h, rows, columns, channels);
      return;
    }
    if (t_.streamed) {
      streamed_tile(i, v, h, rows, columns, channels);
      return;
    }
    const int64_t acc = (acc_slot_++ % t_.acc_slots) * t_.acc_bytes;
    const int64_t reduction = reduces_channels() ? p_.in_c : t_.in_c;
    const int64_t passes = t_.tap_by_tap ? p_.taps() : 1;
    for (int64_t pass = 0; pass < passes; ++pass) {
      for (int64_t ic = 0; ic < reduction; ic += t_.in_c) {
        c_.out.begin_step();
        const int64_t depth = reduces_channels() ? std::min(t_.in_c, p_.in_c - ic)
                                                 : ceil_div(channels, p_.multiplier);
        const Placed x = input(i, v, h, ic, depth);
        const int64_t weights = load_block({i.group, i.channel, ic});
        multiply({x, weights, acc, v, h, rows, columns, channels, depth, t_.tap_by_tap ? pass : -1,
                  ic > 0 || pass > 0});
        if (ic + t_.in_c < reduction || pass + 1 < passes) continue;
        const int64_t params = weights + blocks_.at({i.group, i.channel, ic}).params_offset;
        finish(i, {.acc = acc,
                   .rows = rows,
                   .columns = columns,
                   .channels = channels,
                   .params = params,
                   .bias = params + bias_offset(p_, channels)});
      }
    }
  }

  /// Scratchpad address of a block of weights, loaded if no slot holds it.
  int64_t load_block(const std::array<int64_t, 3>& key) {
    const WeightBlock& block = blocks_.at(key);
    const auto [weights, loaded] = w_slots_.get({key.begin(), key.end()});
    if (!loaded)
      c_.out.load_weights({block.address, weights, block.bytes, {}, {}, {}}, "load weights");
    return weights;
  }

  /// The whole reduction in one instruction, its results taken `piece_h` rows at a time.
  void streamed_tile(const TileIndex& i, const InputSpan& v, const InputSpan& h, int64_t rows,
                     int64_t columns, int64_t channels) {
    c_.out.begin_step();
    const Placed x = input(i, v, h, 0, p_.in_c);
    const std::array<int64_t, 3> key = {i.group, i.channel, 0};
    const int64_t weights = load_block(key);
    int64_t params = weights + blocks_.at(key).params_offset;
    if (const mapper::Buffer* record = c_.plan.buffer("params")) {
      params = record->address;
      if (!record_is_there_) {
        const WeightBlock uniform = pack_uniform_record(c_);
        c_.out.load_in_order({uniform.address, params, uniform.bytes, {}, {}, {}},
                             "load requantization");
        record_is_there_ = true;
      }
    }
    multiply({x, weights, 0, v, h, rows, columns, channels, p_.in_c, -1, false});
    for (int64_t row = 0; row < rows; row += t_.piece_h) {
      TileIndex piece = i;
      piece.row += row;
      finish(piece, {.rows = std::min(t_.piece_h, rows - row),
                     .columns = columns,
                     .channels = channels,
                     .params = params,
                     .streamed = true,
                     .per_channel = t_.params_bytes == 0});
    }
  }

  /// The input block of a tile: in place if resident, else loaded into a slot.
  Placed input(const TileIndex& i, const InputSpan& v, const InputSpan& h, int64_t ic,
               int64_t depth) {
    const mapper::Storage& s = c_.storage(c_.node.inputs[0]);
    const int64_t first_c = reduces_channels() ? i.group * p_.in_c + ic : i.channel / p_.multiplier;
    const int64_t pixel = x_total_c_ * p_.x_size;
    const int64_t row = p_.in_w * pixel;
    const int64_t address =
        s.address + (i.image * p_.in_h + v.begin) * row + h.begin * pixel + first_c * p_.x_size;
    if (s.resident) return {address, row, pixel};
    const int64_t slot_pixel = depth * p_.x_size;
    const int64_t slot_row = h.size * slot_pixel;
    const auto [slot, loaded] = x_slots_.get({i.group, i.image, i.row, i.column, first_c, depth});
    if (!loaded) {
      c_.out.load({address,
                   slot,
                   slot_pixel,
                   {v.size, h.size},
                   {row, pixel},
                   {slot_row, slot_pixel},
                   c_.config.dma.full_rate_run_bytes > 0},
                  "load input");
    }
    return {slot, slot_row, slot_pixel};
  }

  /// Where an output tile goes; a slot is stored by the returned step's end with store().
  Placed output(const TileIndex& i) {
    const mapper::Storage& s = c_.storage(c_.node.outputs[0]);
    const int64_t pixel = y_total_c_ * p_.y_size;
    const int64_t row = p_.out_w * pixel;
    const Placed full{s.address + (i.image * p_.out_h + i.row) * row + i.column * pixel +
                          (i.group * p_.out_c + i.channel) * p_.y_size,
                      row, pixel};
    return full;
  }

  template <typename Emit>
  void write(const TileIndex& i, int64_t rows, int64_t columns, int64_t channels, Emit&& emit) {
    const Placed y = output(i);
    if (c_.storage(c_.node.outputs[0]).resident) {
      emit(y);
      return;
    }
    const int64_t pixel = channels * p_.y_size;
    const Placed slot{y_slots_.next(), columns * pixel, pixel};
    emit(slot);
    c_.out.store({slot.address,
                  y.address,
                  pixel,
                  {rows, columns},
                  {slot.row_stride, pixel},
                  {y.row_stride, y.pixel_stride}},
                 "store output");
  }

  void multiply(const Product& m) {
    const graph::Tensor& w = c_.input(1);
    const bool one_tap = m.tap >= 0;
    const int64_t taps = one_tap ? 1 : p_.taps();
    const bool depthwise = p_.kind == WindowKind::kDepthwise;
    const int64_t k = depthwise ? taps : taps * m.depth;
    const bool preload = !depthwise && c_.config.mac_array.dataflow == Dataflow::kWeightStationary;
    const int64_t w_stride = (depthwise ? taps : p_.taps() * m.depth) * p_.w_size;
    const int64_t weights = m.weights + (one_tap ? m.tap * m.depth * p_.w_size : 0);
    if (preload) {
      const timing::Fold fold = timing::first_fold(
          c_.config.mac_array,
          {.m = m.rows * m.columns, .n = m.channels, .k = k, .taps = taps, .wide = p_.wide});
      c_.out.work(Build(Opcode::kLoadWeights)(Opd::kW, weights)(Opd::kWStride, w_stride)(
                      Opd::kN, fold.n)(Opd::kK, fold.k)(Opd::kWType, type_code(w.type)),
                  "preload weights");
    }
    // int8 weights of a window are symmetric; their zero point is not read.
    const bool symmetric = w.type == DType::kInt8 && c_.node.kind != OpKind::kMatMul;
    Build b(depthwise                      ? Opcode::kDepthwise
            : p_.kind == WindowKind::kGemm ? Opcode::kGemm
                                           : Opcode::kConv);
    b(Opd::kX, m.x.address)(Opd::kW, weights)(Opd::kAcc, m.acc)(Opd::kAccPitch, m.channels);
    b(Opd::kXZero, zero_point_or_0(c_.input(0)))(Opd::kWZero, symmetric ? 0 : zero_point_or_0(w));
    b(Opd::kXType, type_code(c_.input(0).type))(Opd::kWType, type_code(w.type));
    b(Opd::kAccumulate, m.accumulate ? 1 : 0)(Opd::kWide, p_.wide ? 1 : 0);
    if (p_.kind == WindowKind::kGemm) {
      b(Opd::kRowStride, m.x.pixel_stride)(Opd::kWStride, w_stride)(Opd::kM, m.columns)(
          Opd::kN, m.channels)(Opd::kK, m.depth);
      b(Opd::kWeightsLoaded, preload ? 1 : 0)(Opd::kStream, t_.streamed ? 1 : 0);
      c_.out.work(b, "multiply");
      return;
    }
    const auto& win = p_.window;
    const int64_t ky = one_tap ? m.tap / win.kernel_w : 0;
    const int64_t kx = one_tap ? m.tap % win.kernel_w : 0;
    b(Opd::kRowStride, m.x.row_stride)(Opd::kPixelStride, m.x.pixel_stride)(Opd::kInH, m.v.size)(
        Opd::kInW, m.h.size);
    b(Opd::kY0, m.v.origin + ky * win.dilation_h)(Opd::kX0, m.h.origin + kx * win.dilation_w);
    b(Opd::kKernelH, one_tap ? 1 : win.kernel_h)(Opd::kKernelW, one_tap ? 1 : win.kernel_w);
    b(Opd::kStrideH, win.stride_h)(Opd::kStrideW, win.stride_w)(Opd::kDilationH, win.dilation_h)(
        Opd::kDilationW, win.dilation_w);
    b(Opd::kOutH, m.rows)(Opd::kOutW, m.columns)(Opd::kOutC, m.channels);
    if (depthwise) {
      b(Opd::kWTapStride, m.channels * p_.w_size)(Opd::kMultiplier, p_.multiplier);
      c_.out.work(b, "multiply per channel");
    } else {
      b(Opd::kWStride, w_stride)(Opd::kInC, m.depth)(Opd::kUpH, p_.up_h)(Opd::kUpW, p_.up_w)(
          Opd::kWeightsLoaded, preload ? 1 : 0)(Opd::kStream, t_.streamed ? 1 : 0);
      c_.out.work(b, "convolve");
    }
  }

  /// Sums to a tile of the output.
  void finish(const TileIndex& i, const Sums& sums) {
    write(i, sums.rows, sums.columns, sums.channels,
          [&](const Placed& y) { emit_output(c_, sums, y); });
  }

  void pool(const TileIndex& i, const InputSpan& v, const InputSpan& h, int64_t rows,
            int64_t columns, int64_t channels) {
    const Placed x = input(i, v, h, 0, channels);
    write(i, rows, columns, channels, [&](const Placed& y) {
      const auto& win = p_.window;
      const Clamp clamp = clamp_of(c_.output(), fused_activation(c_.node));
      c_.out.work(
          Build(c_.node.kind == OpKind::kMaxPool2d ? Opcode::kMaxPool : Opcode::kAvgPool)(
              Opd::kX, x.address)(Opd::kDst, y.address)(Opd::kRowStride, x.row_stride)(
              Opd::kPixelStride, x.pixel_stride)(Opd::kInH, v.size)(Opd::kInW, h.size)(
              Opd::kY0, v.origin)(Opd::kX0, h.origin)(Opd::kKernelH, win.kernel_h)(
              Opd::kKernelW, win.kernel_w)(Opd::kStrideH, win.stride_h)(
              Opd::kStrideW, win.stride_w)(Opd::kOutH, rows)(Opd::kOutW, columns)(
              Opd::kOutC, channels)(Opd::kDstRowStride, y.row_stride)(
              Opd::kDstPixelStride, y.pixel_stride)(Opd::kInType, type_code(c_.input(0).type))(
              Opd::kClampMin, clamp.low)(Opd::kClampMax, clamp.high),
          "pool");
    });
  }

  LayerContext& c_;
  const mapper::WindowProblem& p_;
  const mapper::WindowTile& t_;
  Slots x_slots_, w_slots_, y_slots_;
  int64_t x_total_c_, y_total_c_;
  WeightBlocks blocks_;
  int64_t acc_slot_ = 0;
  bool record_is_there_ = false;
};

}  // namespace

void lower_window(LayerContext& c) { WindowLowering(c).run(); }

}  // namespace npu::kernels
