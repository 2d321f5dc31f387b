#include <algorithm>
#include <cstring>

#include "kernels/lowering/layer_context.h"
#include "sim/base/math.h"
#include "sim/timing/mac_timing.h"

namespace npu::kernels {
namespace {

using graph::Tensor;
using isa::Opcode;
using isa::Opd;
using std::int64_t;

/// SVDF in chunks of output units: the state is loaded shifted by one element, the features go into
/// its last column, the state goes back, and each unit is the dot product of its `rank` filters'
/// states with the time weights.
class SvdfLowering {
 public:
  explicit SvdfLowering(LayerContext& c)
      : c_(c),
        rank_(std::get<graph::SvdfAttrs>(c.node.attrs).rank),
        inputs_(c.input(0).shape[1]),
        memory_(c.input(2).shape[1]),
        units_(c.output().shape[1]),
        time_size_(size_of(c.input(2).type)),
        state_size_(size_of(c.input(4).type)),
        x_slots_(c.plan.buffer("x")),
        w_slots_(c.plan.buffer("w")),
        state_slots_(c.plan.buffer("state")),
        y_slots_(c.plan.buffer("y")) {}

  void run() {
    const mapper::Storage& x = c_.storage(c_.node.inputs[0]);
    for (int64_t first = 0; first < units_; first += c_.plan.chunk)
      pack(first, std::min(c_.plan.chunk, units_ - first));
    for (int64_t batch = 0; batch < c_.input(0).shape[0]; ++batch) {
      for (int64_t first = 0; first < units_; first += c_.plan.chunk) {
        c_.out.begin_step();
        int64_t from = x.address + batch * inputs_;
        if (!x.resident) {
          const auto [slot, held] = x_slots_.get({batch});
          if (!held) c_.out.load({from, slot, inputs_, {}, {}, {}}, "load input");
          from = slot;
        }
        chunk(batch, first, std::min(c_.plan.chunk, units_ - first), from);
      }
    }
  }

 private:
  struct Block {
    int64_t address = 0, bytes = 0;
    int64_t time_offset = 0, feature_record = 0, unit_records = 0;
  };

  void pack(int64_t first, int64_t units) {
    Block b;
    b.time_offset = round_up(units * rank_ * inputs_, 16);
    b.feature_record = round_up(b.time_offset + units * rank_ * memory_ * time_size_, 16);
    b.unit_records = b.feature_record + mapper::record_bytes(false);
    b.bytes = b.unit_records + units * mapper::record_bytes(false);
    b.address =
        c_.out.constant(fmt::format("weights {} [{}]", c_.plan.name, first), b.bytes,
                        [&](std::vector<std::byte>& to) { write(b, first, units, to.data()); });
    blocks_.push_back(b);
  }

  void write(const Block& b, int64_t first, int64_t units, std::byte* to) const {
    const Tensor& feature = c_.input(1);
    const Tensor& time = c_.input(2);
    std::memcpy(to, feature.data.data() + first * rank_ * inputs_,
                static_cast<std::size_t>(units * rank_ * inputs_));
    const int64_t time_row = memory_ * time_size_;
    std::memcpy(to + b.time_offset, time.data.data() + first * rank_ * time_row,
                static_cast<std::size_t>(units * rank_ * time_row));
    const float state_scale = per_tensor(c_.input(4)).scale;
    // Both products and quotients in float32 (reference/tflite_format.md §14, SVDF).
    const float in = per_tensor(c_.input(0)).scale * per_tensor(feature).scale / state_scale;
    const float out = state_scale * per_tensor(time).scale / per_tensor(c_.output()).scale;
    WordWriter records(to + b.feature_record);
    records.word(0);
    records.multiplier(quantize_multiplier(static_cast<double>(in)));
    const FixedMultiplier m = quantize_multiplier(static_cast<double>(out));
    for (int64_t u = first; u < first + units; ++u) {
      std::int32_t bias = 0;
      if (c_.has_input(3)) std::memcpy(&bias, c_.input(3).data.data() + u * 4, 4);
      records.word(bias);
      records.multiplier(m);
    }
  }

  void chunk(int64_t batch, int64_t first, int64_t units, int64_t x) {
    const Block& b = blocks_[static_cast<std::size_t>(first / c_.plan.chunk)];
    const auto [weights, held] = w_slots_.get({first});
    if (!held) c_.out.load_weights({b.address, weights, b.bytes, {}, {}, {}}, "load weights");
    const int64_t filters = units * rank_;
    const int64_t state_bytes = filters * memory_ * state_size_;
    const int64_t state_dram = c_.storage(c_.node.inputs[4]).address +
                               (batch * units_ + first) * rank_ * memory_ * state_size_;
    const int64_t state = state_slots_.next();
    if (state_bytes > state_size_) {
      c_.out.load({state_dram + state_size_, state, state_bytes - state_size_, {}, {}, {}},
                  "load state shifted by one");
    }
    features(x, weights, weights + b.feature_record, state, filters);
    c_.out.store({state, state_dram, state_bytes, {}, {}, {}}, "store state");
    outputs(batch, first, units, state, weights + b.time_offset, weights + b.unit_records);
  }

  void features(int64_t x, int64_t weights, int64_t record, int64_t state, int64_t filters) {
    const Tensor& state_tensor = c_.input(4);
    const bool preload = c_.config.mac_array.dataflow == Dataflow::kWeightStationary;
    if (preload) {
      const timing::Fold fold =
          timing::first_fold(c_.config.mac_array, {.m = 1, .n = filters, .k = inputs_});
      c_.out.work(Build(Opcode::kLoadWeights)(Opd::kW, weights)(Opd::kWStride, inputs_)(
                      Opd::kN, fold.n)(Opd::kK, fold.k)(Opd::kWType, type_code(c_.input(1).type)),
                  "preload weights");
    }
    c_.out.work(
        Build(Opcode::kGemm)(Opd::kX, x)(Opd::kW, weights)(Opd::kAcc, 0)(Opd::kRowStride, inputs_)(
            Opd::kWStride, inputs_)(Opd::kAccPitch, filters)(Opd::kM, 1)(Opd::kN, filters)(
            Opd::kK, inputs_)(Opd::kXZero, per_tensor(c_.input(0)).zero_point)(
            Opd::kXType, type_code(c_.input(0).type))(Opd::kWType, type_code(c_.input(1).type))(
            Opd::kWeightsLoaded, preload ? 1 : 0),
        "features");
    // TFLite's kernel clamps before it adds the zero point and keeps the low byte of the sum.
    const int32_t zero = per_tensor(state_tensor).zero_point;
    const Clamp range = full_range(state_tensor.type);
    c_.out.work(
        Build(Opcode::kRequantize)(Opd::kAcc, 0)(Opd::kDst, state + (memory_ - 1) * state_size_)(
            Opd::kParams, record)(Opd::kAccPitch, 1)(Opd::kOutH, 1)(Opd::kOutW, filters)(
            Opd::kOutC, 1)(Opd::kDstPixelStride, memory_ * state_size_)(
            Opd::kOutType, type_code(state_tensor.type))(Opd::kOutZero, zero)(
            Opd::kClampMin, range.low + zero)(Opd::kClampMax, range.high + zero),
        "features into the state");
  }

  void outputs(int64_t batch, int64_t first, int64_t units, int64_t state, int64_t time,
               int64_t records) {
    const Tensor& out = c_.output();
    const int64_t length = rank_ * memory_;
    const int64_t acc = units * rank_ * 4;
    c_.out.work(
        Build(Opcode::kDot)(Opd::kA, state)(Opd::kB, time)(Opd::kAcc, acc)(Opd::kRows, units)(
            Opd::kN0, length)(Opd::kAStride1, length * state_size_)(
            Opd::kBStride1, length * time_size_)(Opd::kAZero, per_tensor(c_.input(4)).zero_point)(
            Opd::kAType, type_code(c_.input(4).type))(Opd::kBType, type_code(c_.input(2).type)),
        "time filter");
    const mapper::Storage& y = c_.storage(c_.node.outputs[0]);
    const int64_t size = size_of(out.type);
    const int64_t at = y.address + (batch * units_ + first) * size;
    const int64_t to = y.resident ? at : y_slots_.next();
    const Clamp range = full_range(out.type);
    c_.out.work(Build(Opcode::kRequantize)(Opd::kAcc, acc)(Opd::kDst, to)(Opd::kParams, records)(
                    Opd::kAccPitch, units)(Opd::kOutH, 1)(Opd::kOutW, 1)(Opd::kOutC, units)(
                    Opd::kPerChannel, 1)(Opd::kOutType, type_code(out.type))(
                    Opd::kOutZero, per_tensor(out).zero_point)(Opd::kClampMin, range.low)(
                    Opd::kClampMax, range.high),
                "requantize");
    if (!y.resident) c_.out.store({to, at, units * size, {}, {}, {}}, "store output");
  }

  LayerContext& c_;
  int64_t rank_, inputs_, memory_, units_, time_size_, state_size_;
  Slots x_slots_, w_slots_, state_slots_, y_slots_;
  std::vector<Block> blocks_;
};

}  // namespace

void lower_svdf(LayerContext& c) { SvdfLowering(c).run(); }

}  // namespace npu::kernels
