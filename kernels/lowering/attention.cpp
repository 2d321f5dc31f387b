// ATTENTION in one layer: scores, softmax and weighted sums of a block of rows stay on chip, block
// of keys by block of keys (online softmax). docs/numerics.md has the arithmetic.
#include <algorithm>
#include <bit>
#include <limits>
#include <optional>

#include "kernels/lowering/attention_expand.h"
#include "kernels/lowering/layer_context.h"
#include "kernels/lowering/output_stage.h"
#include "sim/base/error.h"
#include "sim/base/math.h"
#include "sim/timing/mac_timing.h"

namespace npu::kernels {
namespace {

using isa::Opcode;
using isa::Opd;
using std::int64_t;

constexpr int kInt32Code = 3;
constexpr int kFloatCode = 6;
constexpr int64_t kRecordBytes = 8;
constexpr float kLowest = std::numeric_limits<float>::lowest();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

int64_t bits_of(double value) { return std::bit_cast<std::uint32_t>(static_cast<float>(value)); }
int64_t signed_bits(float value) { return std::bit_cast<std::int32_t>(value); }

/// An operand of vec.map: address, element type and steps of its three loops [B].
struct Operand {
  int64_t at = 0;
  int code = kFloatCode;
  int64_t step0 = 4, stride1 = 0, stride2 = 0;
};
struct Loops {
  int64_t n0 = 1, n1 = 1, n2 = 1;
};
/// Rows that are worked on together: of `heads` query heads, `rows` of each.
struct RowBlock {
  int64_t batch = 0, key_head = 0, head = 0, heads = 1, row = 0, rows = 1;

  [[nodiscard]] int64_t positions() const { return heads * rows; }
};
/// Keys of a step.
struct KeyBlock {
  int64_t index = 0, first = 0, count = 0;
};

class FusedAttention {
 public:
  explicit FusedAttention(LayerContext& c)
      : c_(c),
        s_(mapper::attention_shape(c.graph, c.node)),
        t_(c.plan.attention),
        floats_(is_float(s_.type)),
        code_(type_code(s_.type)),
        q_slots_(c.plan.buffer("q")),
        k_slots_(c.plan.buffer("k")),
        v_slots_(c.plan.buffer("v")),
        mask_slots_(c.plan.buffer("mask")),
        y_slots_(c.plan.buffer("y")),
        state_bytes_(round_up(t_.positions() * 4, mapper::kAlignment)) {}

  void run() {
    for (int64_t b = 0; b < s_.batch; ++b) {
      for (int64_t g = 0; g < s_.key_heads; ++g) {
        for (int64_t h = 0; h < s_.group; h += t_.heads) {
          for (int64_t r = 0; r < s_.rows; r += t_.rows) {
            block({b, g, g * s_.group + h, std::min(t_.heads, s_.group - h), r,
                   std::min(t_.rows, s_.rows - r)});
          }
        }
      }
    }
  }

 private:
  [[nodiscard]] KeyBlock keys(const RowBlock& at, int64_t index) const {
    const int64_t visible = s_.visible(at.row + at.rows - 1);
    const int64_t first = index * t_.keys;
    return {index, first, std::min(t_.keys, visible - first)};
  }
  [[nodiscard]] int64_t buffer(std::string_view name) const {
    return c_.plan.buffer(name)->address;
  }
  [[nodiscard]] int64_t state(int64_t i) const { return buffer("state") + i * state_bytes_; }
  [[nodiscard]] int64_t maximum(int64_t index) const { return state(index % 2); }
  [[nodiscard]] int64_t factor(int64_t index) const { return state(2 + index % 2); }
  [[nodiscard]] int64_t sum() const { return state(4); }
  [[nodiscard]] int64_t reciprocal() const { return state(5); }
  [[nodiscard]] int64_t weights(int64_t index) const {
    const mapper::Buffer* p = c_.plan.buffer("p");
    return p->address + index % p->slots * p->slot_bytes;
  }
  [[nodiscard]] int64_t score_sums(int64_t index) const { return index % 2 * t_.score_bytes; }
  [[nodiscard]] int64_t value_sums(int64_t index) const {
    return mapper::kAttentionSlots * t_.score_bytes + index % 2 * t_.sum_bytes;
  }

  /// The array computes the scores of the next keys while the vector unit weights these.
  void block(const RowBlock& at) {
    const int64_t blocks = ceil_div(s_.visible(at.row + at.rows - 1), t_.keys);
    c_.out.begin_step();
    if (params_ < 0) load_params();
    scores(at, keys(at, 0));
    for (int64_t j = 0; j < blocks; ++j) {
      c_.out.begin_step();
      if (j + 1 < blocks) scores(at, keys(at, j + 1));
      weigh(at, keys(at, j));
      values(at, keys(at, j));
      if (j > 0) add_values(at, j - 1);
    }
    add_values(at, blocks - 1);
    finish(at);
  }

  /// Records of vec.output for scores and for weighted sums; for causal attention 0 and −∞ by
  /// difference of positions.
  void load_params() {
    const mapper::Buffer* buffer = c_.plan.buffer("params");
    const int64_t table = s_.causal && s_.rows > 1 ? 2 * (t_.rows + t_.keys) : 0;
    const int64_t bytes = mapper::kAlignment + table * 4;
    const int64_t address = c_.out.constant(
        fmt::format("parameters {}", c_.plan.name), bytes, [&](std::vector<std::byte>& to) {
          WordWriter writer(to.data());
          writer.word(signed_bits(score_scale()));
          writer.word(0);
          writer.word(signed_bits(value_scale()));
          writer.word(0);
          WordWriter band(to.data() + mapper::kAlignment);
          for (int64_t i = 0; i < table; ++i)
            band.word(signed_bits(i > table / 2 ? -kInfinity : 0.0F));
        });
    params_ = load_constant(c_, buffer->name, address, bytes);
  }
  [[nodiscard]] float score_scale() const {
    const float scale = std::get<graph::AttentionAttrs>(c_.node.attrs).scale;
    if (floats_) return scale;
    const float product = per_tensor(c_.input(0)).scale * per_tensor(c_.input(1)).scale;
    return product * scale;
  }
  [[nodiscard]] float value_scale() const {
    return floats_ ? 1.0F : per_tensor(c_.input(2)).scale * kWeightScale;
  }

  /// Accumulators = q · kᵀ.
  void scores(const RowBlock& at, const KeyBlock& key) {
    const int64_t row = s_.depth * s_.in_size;
    const mapper::Storage& qs = c_.storage(c_.node.inputs[0]);
    const int64_t first =
        (at.batch * s_.key_heads * s_.group + at.head) * s_.rows + at.row;  // whole heads follow
    int64_t q = qs.address + first * row;
    if (!qs.resident) {
      const auto [slot, there] = q_slots_.get({first});
      if (!there) c_.out.load({q, slot, at.positions() * row, {}, {}, {}, false}, "load queries");
      q = slot;
    }
    const int64_t k = keys_or_values(1, k_slots_, at, key, row, "load keys");
    gemm(q, row, k, row, false, score_sums(key.index), at.positions(), key.count, s_.depth,
         zero_point_or_0(c_.input(0)), zero_point_or_0(c_.input(1)));
  }

  /// Accumulators = weights · v.
  void values(const RowBlock& at, const KeyBlock& key) {
    const int64_t row = s_.value_depth * s_.in_size;
    const int64_t v = keys_or_values(2, v_slots_, at, key, row, "load values");
    gemm(weights(key.index), key.count * s_.in_size, v, row, true, value_sums(key.index),
         at.positions(), s_.value_depth, key.count, weight_zero(), zero_point_or_0(c_.input(2)));
  }

  int64_t keys_or_values(std::size_t input, Slots& slots, const RowBlock& at, const KeyBlock& key,
                         int64_t row, std::string_view comment) {
    const mapper::Storage& s = c_.storage(c_.node.inputs[input]);
    const int64_t first = (at.batch * s_.key_heads + at.key_head) * s_.keys + key.first;
    const int64_t address = s.address + first * row;
    if (s.resident) return address;
    // The last block of a causal row block may stop short: whole blocks are loaded, so that the
    // next rows find them.
    const int64_t count = std::min(t_.keys, s_.keys - key.first);
    const auto [slot, there] = slots.get({first});
    if (!there) c_.out.load_weights({address, slot, count * row, {}, {}, {}, false}, comment);
    return slot;
  }

  void gemm(int64_t x, int64_t x_stride, int64_t w, int64_t w_stride, bool transposed, int64_t acc,
            int64_t m, int64_t n, int64_t k, int64_t x_zero, int64_t w_zero) {
    const bool preload = c_.config.mac_array.dataflow == Dataflow::kWeightStationary;
    if (preload) {
      const timing::Fold fold = timing::first_fold(c_.config.mac_array, {.m = m, .n = n, .k = k});
      c_.out.work(Build(Opcode::kLoadWeights)(Opd::kW, w)(Opd::kWStride, w_stride)(Opd::kN, fold.n)(
                      Opd::kK, fold.k)(Opd::kWType, code_)(Opd::kWTransposed, transposed ? 1 : 0),
                  transposed ? "preload values" : "preload keys");
    }
    c_.out.work(
        Build(Opcode::kGemm)(Opd::kX, x)(Opd::kW, w)(Opd::kAcc, acc)(Opd::kRowStride, x_stride)(
            Opd::kWStride, w_stride)(Opd::kAccPitch, n)(Opd::kM, m)(Opd::kN, n)(Opd::kK, k)(
            Opd::kXZero, x_zero)(Opd::kWZero, w_zero)(Opd::kXType, code_)(Opd::kWType, code_)(
            Opd::kWeightsLoaded, preload ? 1 : 0)(Opd::kWTransposed, transposed ? 1 : 0),
        transposed ? "weigh values" : "multiply queries and keys");
  }

  /// fp32 at `dst` (+)= sums · record.
  void output(int64_t acc, int64_t dst, int64_t record, int64_t positions, int64_t columns,
              bool accumulate, std::string_view comment) {
    c_.out.work(
        Build(Opcode::kOutput)(Opd::kAcc, acc)(Opd::kDst, dst)(Opd::kParams, params_ + record)(
            Opd::kAccPitch, columns)(Opd::kOutH, 1)(Opd::kOutW, positions)(Opd::kOutC, columns)(
            Opd::kDstPixelStride, columns * 4)(Opd::kInType, floats_ ? kFloatCode : kInt32Code)(
            Opd::kOutType, kFloatCode)(Opd::kAccumulate, accumulate ? 1 : 0)(
            Opd::kClampMin, signed_bits(-kInfinity))(Opd::kClampMax, signed_bits(kInfinity)),
        comment);
  }

  void map(MapFunction function, const Loops& n, const Operand& a, const std::optional<Operand>& b,
           const Operand& dst, std::string_view comment, int64_t imm0 = 0, int64_t imm1 = 0) {
    Build i(Opcode::kMap);
    i(Opd::kA, a.at)(Opd::kAStep0, a.step0)(Opd::kAStride1, a.stride1)(Opd::kAStride2, a.stride2)(
        Opd::kAType, a.code);
    if (b) {
      i(Opd::kB, b->at)(Opd::kBStep0, b->step0)(Opd::kBStride1, b->stride1)(
          Opd::kBStride2, b->stride2)(Opd::kBType, b->code);
    } else {
      i(Opd::kBImmediate, info_of(function).operands == 2 ? 1 : 0)(Opd::kBType, kFloatCode);
    }
    i(Opd::kDst, dst.at)(Opd::kDstStep0, dst.step0)(Opd::kDstStride1, dst.stride1)(
        Opd::kDstStride2, dst.stride2)(Opd::kOutType, dst.code);
    i(Opd::kN0, n.n0)(Opd::kN1, n.n1)(Opd::kN2, n.n2)(
        Opd::kFunction, static_cast<int64_t>(function))(Opd::kImm0, imm0)(Opd::kImm1, imm1);
    c_.out.work(i, comment);
  }

  /// One result per row of `columns` elements.
  void reduce(ReduceFunction function, int64_t positions, int64_t columns, int64_t src, int code,
              int64_t dst, bool accumulate, std::string_view comment) {
    const int64_t size = isa::element_bytes(code);
    c_.out.work(Build(Opcode::kReduce)(Opd::kSrc, src)(Opd::kDst, dst)(Opd::kN0, columns)(
                    Opd::kR1, 1)(Opd::kN1, positions)(Opd::kN2, 1)(Opd::kSrcStep0, size)(
                    Opd::kSrcStride1, columns * size)(Opd::kDstStride1, 4)(Opd::kInType, code)(
                    Opd::kOutType, kFloatCode)(Opd::kFunction, static_cast<int64_t>(function))(
                    Opd::kAccumulate, accumulate ? 1 : 0),
                comment);
  }

  /// Scores to weights exp(s − maximum); the running maximum and sum.
  void weigh(const RowBlock& at, const KeyBlock& key) {
    const int64_t r = at.positions();
    const int64_t n = key.count;
    const int64_t s = buffer("s");
    const Operand score{s, kFloatCode, 4, n * 4, 0};
    const Operand highest{maximum(key.index), kFloatCode, 4, 0, 0};
    const Operand before{maximum(key.index + 1), kFloatCode, 4, 0, 0};
    const Operand shrink{factor(key.index), kFloatCode, 4, 0, 0};
    const Operand total{sum(), kFloatCode, 4, 0, 0};
    const bool first = key.index == 0;
    output(score_sums(key.index), s, 0, r, n, false, "scale scores");
    add_masks(at, key);
    if (!first) map(MapFunction::kCopy, {r}, before, {}, highest, "keep maximum");
    reduce(ReduceFunction::kMax, r, n, s, kFloatCode, highest.at, !first, "maximum");
    if (first) {
      map(MapFunction::kMax, {r}, highest, {}, highest, "bound maximum", bits_of(double{kLowest}));
    } else {
      map(MapFunction::kSub, {r}, before, highest, shrink, "change of maximum");
      map(MapFunction::kExp, {r}, shrink, {}, shrink, "rescale factor");
    }
    map(MapFunction::kSub, {n, r}, score, Operand{highest.at, kFloatCode, 0, 4, 0}, score,
        "subtract maximum");
    const Operand weight{weights(key.index), code_, s_.in_size, n * s_.in_size, 0};
    map(MapFunction::kExp, {n, r}, score, {}, floats_ ? weight : score, "exp");
    if (!floats_) {
      map(MapFunction::kQuantize, {n, r}, score, {}, weight, "quantize weights",
          bits_of(double{kWeightScale}), static_cast<std::uint32_t>(weight_zero()));
    }
    if (!first) map(MapFunction::kMul, {r}, total, shrink, total, "rescale sum");
    reduce(ReduceFunction::kSum, r, n, floats_ ? weight.at : s, floats_ ? code_ : kFloatCode,
           total.at, !first, "sum");
  }

  void add_masks(const RowBlock& at, const KeyBlock& key) {
    const int64_t n = key.count;
    const Loops loops{n, at.rows, at.heads};
    const Operand score{buffer("s"), kFloatCode, 4, n * 4, at.rows * n * 4};
    if (s_.mask_size > 0) map(MapFunction::kAdd, loops, score, mask(at, key), score, "add mask");
    const int64_t seen = s_.visible(at.row);
    if (key.first + n <= seen) return;
    const int64_t origin = key.first - (seen - 1) + t_.rows + t_.keys;
    const Operand band{params_ + mapper::kAlignment + origin * 4, kFloatCode, 4, -4, 0};
    map(MapFunction::kAdd, loops, score, band, score, "causal mask");
  }

  /// The mask's block: in place if resident, else loaded.
  Operand mask(const RowBlock& at, const KeyBlock& key) {
    const graph::Tensor& tensor = c_.input(3);
    const mapper::Storage& storage = c_.storage(c_.node.inputs[3]);
    const int64_t size = s_.mask_size;
    const auto dim = [&](std::size_t back) {
      return back > tensor.shape.size() ? int64_t{1} : tensor.shape[tensor.shape.size() - back];
    };
    const int64_t row = dim(1) * size;
    const int64_t head = dim(2) * row;
    const int64_t b = s_.mask_batch ? at.batch : 0;
    const int64_t h = s_.mask_heads ? at.head : 0;
    const int64_t r = s_.mask_rows ? at.row : 0;
    const int64_t k = s_.mask_keys ? key.first : 0;
    const int64_t address = storage.address + b * dim(3) * head + h * head + r * row + k * size;
    Operand in_place{address, type_code(tensor.type), s_.mask_keys ? size : 0,
                     s_.mask_rows ? row : 0, s_.mask_heads ? head : 0};
    if (storage.resident) return in_place;
    const int64_t heads = s_.mask_heads ? at.heads : 1;
    const int64_t rows = s_.mask_rows ? at.rows : 1;
    const int64_t run = (s_.mask_keys ? key.count : 1) * size;
    const auto [slot, there] = mask_slots_.get({b, h, r, k, rows, run});
    if (!there) {
      c_.out.load({address, slot, run, {heads, rows}, {head, row}, {rows * run, run}, false},
                  "load mask");
    }
    return {slot, in_place.code, in_place.step0, s_.mask_rows ? run : 0,
            s_.mask_heads ? rows * run : 0};
  }

  /// o = o · factor + weighted values.
  void add_values(const RowBlock& at, int64_t index) {
    const int64_t e = s_.value_depth;
    const Operand o{buffer("o"), kFloatCode, 4, e * 4, 0};
    if (index > 0) {
      map(MapFunction::kMul, {e, at.positions()}, o, Operand{factor(index), kFloatCode, 0, 4, 0}, o,
          "rescale output");
    }
    output(value_sums(index), o.at, kRecordBytes, at.positions(), e, index > 0, "add values");
  }

  /// y = o / sum.
  void finish(const RowBlock& at) {
    const int64_t r = at.positions();
    const int64_t e = s_.value_depth;
    map(MapFunction::kReciprocal, {r}, {sum()}, {}, {reciprocal()}, "reciprocal");
    const int64_t row = e * s_.y_size;
    const mapper::Storage& ys = c_.storage(c_.node.outputs[0]);
    const int64_t first = (at.batch * s_.key_heads * s_.group + at.head) * s_.rows + at.row;
    const int64_t address = ys.address + first * row;
    const int64_t to = ys.resident ? address : y_slots_.next();
    const graph::Tensor& y = c_.output();
    const Operand o{buffer("o"), kFloatCode, 4, e * 4, 0};
    const Operand out{to, type_code(y.type), s_.y_size, row, 0};
    map(MapFunction::kMul, {e, r}, o, Operand{reciprocal(), kFloatCode, 0, 4, 0},
        is_float(y.type) ? out : o, "divide by sum");
    if (!is_float(y.type)) {
      const PerTensor q = per_tensor(y);
      map(MapFunction::kQuantize, {e, r}, o, {}, out, "quantize output", bits_of(double{q.scale}),
          static_cast<std::uint32_t>(q.zero_point));
    }
    if (!ys.resident) c_.out.store({to, address, r * row, {}, {}, {}, false}, "store output");
  }

  [[nodiscard]] int64_t weight_zero() const { return floats_ ? 0 : attention_weight_zero(s_.type); }

  LayerContext& c_;
  const mapper::AttentionShape s_;
  const mapper::AttentionTile& t_;
  bool floats_;
  int code_;
  Slots q_slots_, k_slots_, v_slots_, mask_slots_, y_slots_;
  int64_t state_bytes_;
  int64_t params_ = -1;
};

}  // namespace

void lower_attention(LayerContext& c) { FusedAttention(c).run(); }

}  // namespace npu::kernels
