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

}  // namespace

void lower_binary(LayerContext& c) { BinaryLowering(c).run(); }

}  // namespace npu::kernels
