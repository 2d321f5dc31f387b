#include <algorithm>
#include <cmath>

#include "kernels/lowering/curve_tables.h"
#include "kernels/lowering/layer_context.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::OpKind;
using graph::Tensor;
using isa::Opcode;
using isa::Opd;
using std::int64_t;

/// Runs `emit(x address, y address, units)` for each chunk of a layer with one operand and one
/// result of equal length.
template <typename Emit>
void over_chunks(LayerContext& c, int64_t total, int64_t x_unit, int64_t y_unit, Emit&& emit) {
  const mapper::Storage& x = c.storage(c.node.inputs[0]);
  const mapper::Storage& y = c.storage(c.node.outputs[0]);
  Slots x_slots(c.plan.buffer("x"));
  Slots y_slots(c.plan.buffer("y"));
  for (int64_t first = 0; first < total; first += c.plan.chunk) {
    const int64_t units = std::min(c.plan.chunk, total - first);
    if (first > 0) c.out.begin_step();
    int64_t from = x.address + first * x_unit;
    if (!x.resident) {
      const int64_t slot = x_slots.next();
      c.out.load({from, slot, units * x_unit, {}, {}, {}}, "load input");
      from = slot;
    }
    const int64_t to = y.resident ? y.address + first * y_unit : y_slots.next();
    emit(from, to, units);
    if (!y.resident)
      c.out.store({to, y.address + first * y_unit, units * y_unit, {}, {}, {}}, "store output");
  }
}

/// Parameter block of vec.rescale for operators over 16- and 32-bit inputs.
void write_rescale_params(const LayerContext& c, std::byte* to) {
  const PerTensor x = per_tensor(c.input(0));
  const PerTensor y = per_tensor(c.output());
  Clamp clamp = full_range(c.output().type);
  FixedMultiplier positive =
      c.node.kind == OpKind::kQuantize
          ? quantize_multiplier(static_cast<double>(x.scale) / static_cast<double>(y.scale))
          : quantize_multiplier(static_cast<double>(x.scale / y.scale));
  FixedMultiplier negative = positive;
  switch (c.node.kind) {
    case OpKind::kQuantize:
      break;
    case OpKind::kRelu:
    case OpKind::kRelu6:
    case OpKind::kReluN1To1:
      clamp = clamp_of(c.output(), activation_of(c.node.kind));
      break;
    case OpKind::kLeakyRelu: {
      const float alpha = std::get<graph::LeakyReluAttrs>(c.node.attrs).alpha;
      negative = quantize_multiplier(std::abs(static_cast<double>(x.scale * alpha / y.scale)));
      if (alpha < 0) negative.multiplier = -negative.multiplier;
      break;
    }
    default:
      fail("{}: the NPU has no arithmetic for {} input", describe(c.node),
           name_of(c.input(0).type));
  }
  WordWriter w(to);
  w.word(x.zero_point);
  w.multiplier(positive);
  w.multiplier(negative);
  w.word(y.zero_point);
  w.word(clamp.low);
  w.word(clamp.high);
}

/// LOGISTIC and TANH over int16: the samples, then the words of vec.interpolate.
void lower_curve(LayerContext& c) {
  c.out.begin_step();
  const int64_t block = c.out.constant(
      fmt::format("table {}", c.plan.name), mapper::kCurveBytes, [&](std::vector<std::byte>& to) {
        WordWriter w(to.data());
        for (const std::uint16_t v : logistic_samples()) w.word(v, 2);
        const CurveWords k = curve_words(c.node.kind, per_tensor(c.input(0)).scale);
        for (const std::int32_t v :
             {k.multiplier, k.shift, k.fraction, k.limit, k.positive, k.negative, k.out_shift}) {
          w.word(v);
        }
      });
  const int64_t table = load_constant(c, "params", block, mapper::kCurveBytes);
  over_chunks(c, element_count(c.input(0).shape), 2, 2,
              [&](int64_t from, int64_t to, int64_t units) {
                c.out.work(Build(Opcode::kInterpolate)(Opd::kSrc, from)(Opd::kDst, to)(
                               Opd::kParams, table + mapper::kCurveTableBytes)(Opd::kTable, table)(
                               Opd::kN0, units)(Opd::kN1, 1)(Opd::kN2, 1),
                           "interpolate");
              });
}

/// SOFTMAX over int16: both tables, then the words of vec.softmax_table.
void lower_table_softmax(LayerContext& c) {
  c.out.begin_step();
  const Tensor& x = c.input(0);
  const int64_t row = x.shape.back();
  const int64_t block = c.out.constant(
      fmt::format("tables {}", c.plan.name), mapper::kSoftmaxTableBlock,
      [&](std::vector<std::byte>& to) {
        WordWriter w(to.data());
        for (const std::int16_t v : exponential_samples()) w.word(v, 2);
        for (const std::int16_t v : reciprocal_samples()) w.word(v, 2);
        // Differences of 10 / 65535 step through the table of exponentials.
        const double beta = static_cast<double>(std::get<graph::SoftmaxAttrs>(c.node.attrs).beta);
        w.multiplier(quantize_multiplier(static_cast<double>(per_tensor(x).scale) * beta /
                                         (10.0 / 65535.0)));
      });
  const int64_t tables = load_constant(c, "params", block, mapper::kSoftmaxTableBlock);
  over_chunks(c, element_count(x.shape) / row, 2 * row, 2 * row,
              [&](int64_t from, int64_t to, int64_t units) {
                c.out.work(Build(Opcode::kSoftmaxTable)(Opd::kSrc, from)(Opd::kDst, to)(
                               Opd::kParams, tables + mapper::kSoftmaxTableBytes)(
                               Opd::kTable, tables)(Opd::kRows, units)(Opd::kN0, row)(
                               Opd::kSrcStride1, 2 * row)(Opd::kDstStride1, 2 * row),
                           "softmax");
              });
}

}  // namespace

void lower_unary(LayerContext& c) {
  if (mapper::is_curve(c.graph, c.node)) return lower_curve(c);
  c.out.begin_step();
  const int64_t x_size = size_of(c.input(0).type);
  const int64_t y_size = size_of(c.output().type);
  const int64_t elements = element_count(c.input(0).shape);
  const bool table = x_size == 1;
  const int64_t bytes = table ? 256 * y_size : mapper::kRescaleBytes;
  const int64_t block = c.out.constant(
      fmt::format("{} {}", table ? "table" : "parameters", c.plan.name), bytes,
      [&](std::vector<std::byte>& to) {
        if (!table) {
          write_rescale_params(c, to.data());
          return;
        }
        WordWriter w(to.data());
        for (const std::int32_t v : lookup_table(c.graph, c.node, c.config.vector_unit.rounding)) {
          w.word(v, static_cast<int>(y_size));
        }
      });
  const int64_t constants = load_constant(c, "params", block, bytes);
  over_chunks(c, elements, x_size, y_size, [&](int64_t from, int64_t to, int64_t units) {
    Build b(table ? Opcode::kLut : Opcode::kRescale);
    b(Opd::kSrc, from)(Opd::kDst, to)(table ? Opd::kTable : Opd::kParams, constants);
    b(Opd::kN0, units)(Opd::kN1, 1)(Opd::kN2, 1)(Opd::kOutType, type_code(c.output().type));
    if (!table) b(Opd::kInType, type_code(c.input(0).type));
    c.out.work(b, table ? "look up" : "rescale");
  });
}

void lower_softmax(LayerContext& c) {
  if (is_float(c.input(0).type)) return lower_general(c);
  if (c.input(0).type == DType::kInt16) return lower_table_softmax(c);
  c.out.begin_step();
  const Tensor& x = c.input(0);
  const Tensor& y = c.output();
  const int64_t row = x.shape.back();
  const int64_t block = c.out.constant(
      fmt::format("parameters {}", c.plan.name), mapper::kSoftmaxBytes,
      [&](std::vector<std::byte>& bytes) {
        const double beta = static_cast<double>(std::get<graph::SoftmaxAttrs>(c.node.attrs).beta);
        const double real =
            std::min(beta * static_cast<double>(per_tensor(x).scale) * (1 << 26), 2147483647.0);
        const FixedMultiplier m = quantize_multiplier(real);
        WordWriter w(bytes.data());
        w.multiplier(m);
        w.word(static_cast<int64_t>(-std::floor(31.0 * (1 << 26) / std::ldexp(1.0, m.shift))));
      });
  const int64_t params = load_constant(c, "params", block, mapper::kSoftmaxBytes);
  const int64_t x_row = row * size_of(x.type);
  const int64_t y_row = row * size_of(y.type);
  over_chunks(
      c, element_count(x.shape) / row, x_row, y_row, [&](int64_t from, int64_t to, int64_t units) {
        c.out.work(
            Build(Opcode::kSoftmax)(Opd::kSrc, from)(Opd::kDst, to)(Opd::kParams, params)(
                Opd::kRows, units)(Opd::kN0, row)(Opd::kSrcStride1, x_row)(Opd::kDstStride1, y_row)(
                Opd::kInType, type_code(x.type))(Opd::kOutType, type_code(y.type)),
            "softmax");
      });
}

}  // namespace npu::kernels
