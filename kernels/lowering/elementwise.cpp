#include <algorithm>
#include <array>
#include <cmath>

#include "kernels/lowering/layer_context.h"
#include "sim/base/error.h"

namespace npu::kernels {
namespace {

using graph::OpKind;
using graph::Tensor;
using isa::Opcode;
using isa::Opd;
using mapper::BroadcastDim;
using std::int64_t;

Opcode binary_opcode(OpKind kind) {
  switch (kind) {
    case OpKind::kAdd:
      return Opcode::kAdd;
    case OpKind::kSub:
      return Opcode::kSub;
    case OpKind::kMul:
      return Opcode::kMul;
    case OpKind::kMaximum:
      return Opcode::kMax;
    default:
      return Opcode::kMin;
  }
}

/// Parameter block of vec.add, vec.sub and vec.mul. Source: reference/tflite_format.md §14, ADD,
/// SUB, MUL.
void write_binary_params(const LayerContext& c, std::byte* to) {
  const PerTensor a = per_tensor(c.input(0));
  const PerTensor b = per_tensor(c.input(1));
  const PerTensor y = per_tensor(c.output());
  const Clamp clamp =
      clamp_of(c.output(), std::get<graph::ActivationAttrs>(c.node.attrs).activation);
  FixedMultiplier ma;
  FixedMultiplier mb;
  FixedMultiplier mo;
  int left_shift = 0;
  if (c.node.kind == OpKind::kMul) {
    mo = quantize_multiplier(static_cast<double>(a.scale) * static_cast<double>(b.scale) /
                             static_cast<double>(y.scale));
  } else {
    left_shift = c.output().type == DType::kInt16 ? 15 : 20;
    const auto power = static_cast<double>(1 << left_shift);
    if (c.node.kind == OpKind::kAdd) {
      const double twice = 2.0 * static_cast<double>(std::max(a.scale, b.scale));
      ma = quantize_multiplier(static_cast<double>(a.scale) / twice);
      mb = quantize_multiplier(static_cast<double>(b.scale) / twice);
      mo = quantize_multiplier(twice / (power * static_cast<double>(y.scale)));
    } else {
      const float twice = 2.0F * std::max(a.scale, b.scale);
      ma = quantize_multiplier(static_cast<double>(a.scale / twice));
      mb = quantize_multiplier(static_cast<double>(b.scale / twice));
      mo = quantize_multiplier(static_cast<double>(twice / (static_cast<float>(power) * y.scale)));
    }
  }
  WordWriter w(to);
  w.word(a.zero_point);
  w.word(b.zero_point);
  w.word(left_shift);
  w.multiplier(ma);
  w.multiplier(mb);
  w.multiplier(mo);
  w.word(y.zero_point);
  w.word(clamp.low);
  w.word(clamp.high);
}

/// An operand of a chunked layer: in place if resident, else loaded chunk by chunk.
struct Operand {
  const mapper::Storage* storage;
  Slots slots;
  std::vector<int64_t> stride;  ///< Per dimension [B], 0 where it does not advance.
};

class BinaryLowering {
 public:
  explicit BinaryLowering(LayerContext& c)
      : c_(c),
        dims_(mapper::broadcast_dims(c.input(0).shape, c.input(1).shape, c.output().shape)),
        // chunk_problem() numbers its levels from the third dimension from the inside.
        cut_(c.plan.level + (dims_.size() > 3 ? dims_.size() - 3 : 0)),
        operands_{operand(0, "a"), operand(1, "b"), result()} {}

  void run() {
    const bool raw = c_.node.kind == OpKind::kMaximum || c_.node.kind == OpKind::kMinimum;
    c_.out.begin_step();
    if (!raw) {
      const int64_t block = c_.out.constant(
          fmt::format("parameters {}", c_.plan.name), mapper::kBinaryBytes,
          [&](std::vector<std::byte>& bytes) { write_binary_params(c_, bytes.data()); });
      params_ = load_constant(c_, "params", block, mapper::kBinaryBytes);
    }
    std::vector<int64_t> index(cut_ + 1, 0);
    for (;;) {
      const int64_t units = std::min(c_.plan.chunk, dims_[cut_].size - index[cut_]);
      chunk(index, units);
      // Next chunk: the cut dimension first, then the ones outside it.
      index[cut_] += units;
      std::size_t d = cut_;
      while (index[d] >= dims_[d].size) {
        index[d] = 0;
        if (d == 0) return;
        ++index[--d];
      }
      c_.out.begin_step();
    }
  }

 private:
  Operand operand(std::size_t i, const char* name) {
    Operand o{&c_.storage(c_.node.inputs[i]), Slots(c_.plan.buffer(name)),
              std::vector<int64_t>(dims_.size(), 0)};
    int64_t stride = size_of(c_.input(i).type);
    for (std::size_t d = dims_.size(); d-- > 0;) {
      if (!(i == 0 ? dims_[d].a : dims_[d].b)) continue;
      o.stride[d] = stride;
      stride *= dims_[d].size;
    }
    return o;
  }
  Operand result() {
    Operand o{&c_.storage(c_.node.outputs[0]), Slots(c_.plan.buffer("y")),
              std::vector<int64_t>(dims_.size(), 0)};
    int64_t stride = size_of(c_.output().type);
    for (std::size_t d = dims_.size(); d-- > 0;) {
      o.stride[d] = stride;
      stride *= dims_[d].size;
    }
    return o;
  }

  static int64_t offset(const Operand& o, const std::vector<int64_t>& index) {
    int64_t sum = 0;
    for (std::size_t d = 0; d < index.size(); ++d) sum += index[d] * o.stride[d];
    return sum;
  }
  /// Bytes of an operand in one chunk: contiguous, since everything inside the cut is whole.
  [[nodiscard]] int64_t chunk_bytes(const Operand& o, int64_t units, int64_t element) const {
    int64_t bytes = element * (o.stride[cut_] != 0 ? units : 1);
    for (std::size_t d = cut_ + 1; d < dims_.size(); ++d)
      bytes *= o.stride[d] != 0 ? dims_[d].size : 1;
    return bytes;
  }

  void chunk(const std::vector<int64_t>& index, int64_t units) {
    std::array<int64_t, 3> address{};
    for (std::size_t i = 0; i < 2; ++i) {
      Operand& o = operands_[i];
      const int64_t at = offset(o, index);
      address[i] = o.storage->address + at;
      if (o.storage->resident) continue;
      const int64_t bytes = chunk_bytes(o, units, size_of(c_.input(i).type));
      const auto [slot, held] = o.slots.get({at, bytes});
      if (!held) c_.out.load({address[i], slot, bytes, {}, {}, {}}, "load operand");
      address[i] = slot;
    }
    Operand& y = operands_[2];
    const int64_t y_address = y.storage->address + offset(y, index);
    address[2] = y.storage->resident ? y_address : y.slots.next();
    emit(address, units);
    if (!y.storage->resident) {
      c_.out.store(
          {address[2], y_address, chunk_bytes(y, units, size_of(c_.output().type)), {}, {}, {}},
          "store output");
    }
  }

  void emit(const std::array<int64_t, 3>& address, int64_t units) {
    // Iteration dimensions, innermost first: the ones inside the cut, then the cut.
    std::vector<std::size_t> loops;
    for (std::size_t d = dims_.size(); d-- > cut_;) loops.push_back(d);
    const auto size = [&](std::size_t l) {
      return l >= loops.size() ? 1 : loops[l] == cut_ ? units : dims_[loops[l]].size;
    };
    const auto stride = [&](std::size_t o, std::size_t l) {
      return l >= loops.size() ? 0 : operands_[o].stride[loops[l]];
    };
    c_.out.work(
        Build(binary_opcode(c_.node.kind))(Opd::kA, address[0])(Opd::kB, address[1])(
            Opd::kDst, address[2])(Opd::kParams, params_)(Opd::kN0, size(0))(Opd::kN1, size(1))(
            Opd::kN2, size(2))(Opd::kAStride1, stride(0, 1))(Opd::kAStride2, stride(0, 2))(
            Opd::kBStride1, stride(1, 1))(Opd::kBStride2, stride(1, 2))(
            Opd::kDstStride1, stride(2, 1))(Opd::kDstStride2, stride(2, 2))(
            Opd::kABroadcast, stride(0, 0) == 0 ? 1 : 0)(
            Opd::kBBroadcast, stride(1, 0) == 0 ? 1 : 0)(Opd::kInType, type_code(c_.output().type)),
        "combine");
  }

  LayerContext& c_;
  std::vector<BroadcastDim> dims_;
  std::size_t cut_;
  std::array<Operand, 3> operands_;
  int64_t params_ = 0;
};

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
      clamp = clamp_of(c.output(), graph::Activation::kRelu);
      break;
    case OpKind::kLeakyRelu: {
      const float alpha = std::get<graph::LeakyReluAttrs>(c.node.attrs).alpha;
      negative = quantize_multiplier(std::abs(static_cast<double>(x.scale * alpha / y.scale)));
      if (alpha < 0) {
        fail("{}: a negative alpha ({}) is supported for 8-bit inputs only", describe(c.node),
             alpha);
      }
      break;
    }
    case OpKind::kRelu6:
    case OpKind::kReluN1To1:
      if (x.scale != y.scale || x.zero_point != y.zero_point)
        fail("{}: input and output quantization differ", describe(c.node));
      clamp = clamp_of(c.output(), c.node.kind == OpKind::kRelu6 ? graph::Activation::kRelu6
                                                                 : graph::Activation::kReluN1To1);
      break;
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

}  // namespace

void lower_binary(LayerContext& c) { BinaryLowering(c).run(); }

void lower_unary(LayerContext& c) {
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
