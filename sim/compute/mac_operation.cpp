#include "sim/compute/mac_operation.h"

#include <algorithm>

#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::compute {
namespace {

using isa::Opd;

constexpr std::int64_t kMaxProducts = std::int64_t{1} << 40;

std::string_view mnemonic(const isa::Instruction& i) { return isa::spec_of(i.opcode).mnemonic; }

/// Reads checked operands of one instruction.
class Reader {
 public:
  Reader(const isa::Instruction& instruction, std::int32_t index)
      : in_(instruction), index_(index) {}

  [[nodiscard]] std::int64_t get(Opd opd) const { return in_[opd]; }
  [[nodiscard]] std::int64_t positive(Opd opd) const {
    const std::int64_t v = in_[opd];
    if (v <= 0) {
      throw RunFault(fmt::format("instruction {}: {}: {} must be at least 1, got {}", index_,
                                 mnemonic(in_), name_of(opd), v));
    }
    return v;
  }
  [[nodiscard]] Element multiplicand(Opd opd) const {
    const auto type = static_cast<Element>(in_[opd]);
    if (type == Element::kInt32 || size_of(type) == 0) {
      throw RunFault(
          fmt::format("instruction {}: {}: {} must be int8, uint8, int16 or a float, got code {}",
                      index_, mnemonic(in_), name_of(opd), in_[opd]));
    }
    return type;
  }
  [[nodiscard]] WindowAxis axis(Opd in, Opd origin, Opd kernel, Opd stride, Opd dilation,
                                Opd out) const {
    return {positive(in),  get(origin), positive(kernel), get(stride),
            get(dilation), 1,           positive(out)};
  }
  /// Floats multiply floats of their type.
  void match(const MacOperation& op) const {
    const bool floats = is_float(op.x_type) || is_float(op.w_type);
    if (floats && (op.x_type != op.w_type || op.wide)) {
      throw RunFault(
          fmt::format("instruction {}: {}: types {} and {} with wide = {} do not go together",
                      index_, mnemonic(in_), in_[Opd::kXType], in_[Opd::kWType], in_[Opd::kWide]));
    }
  }
  void limit_products(const MacOperation& op) const {
    std::int64_t products = 0;
    if (__builtin_mul_overflow(op.positions() * op.out_c, op.depth(), &products) ||
        products > kMaxProducts) {
      throw RunFault(
          fmt::format("instruction {}: {}: more than 2^40 products", index_, mnemonic(in_)));
    }
  }

 private:
  const isa::Instruction& in_;
  std::int32_t index_;
};

Extent strided(std::int64_t base, std::int64_t count, std::int64_t stride, std::int64_t run) {
  return {base, base + (count - 1) * stride + run};
}

}  // namespace

AxisUse use_of(const WindowAxis& a) {
  AxisUse use;
  const auto note = [&use](std::int64_t row, std::int64_t pairs) {
    use.low = use.pairs == 0 ? row : std::min(use.low, row);
    use.high = std::max(use.high, row + 1);
    use.pairs += pairs;
  };
  for (std::int64_t k = 0; k < a.kernel; ++k) {
    const std::int64_t base = a.origin + k * a.dilation;
    if (a.up == 1 && a.stride > 0) {
      const std::int64_t first = base >= 0 ? 0 : ceil_div(-base, a.stride);
      const std::int64_t last =
          base >= a.in ? -1 : std::min(a.out - 1, (a.in - 1 - base) / a.stride);
      if (first > last) continue;
      note(base + first * a.stride, last - first + 1);
      note(base + last * a.stride, 0);
      continue;
    }
    for (std::int64_t o = 0; o < a.out; ++o) {
      const std::int64_t row = a.row(o, k);
      if (row >= 0) note(row, 1);
    }
  }
  return use;
}

timing::Precision precision_of(Element type) {
  switch (type) {
    case Element::kFloat16:
      return timing::Precision::kFloat16;
    case Element::kBfloat16:
      return timing::Precision::kBfloat16;
    case Element::kFloat32:
      return timing::Precision::kFloat32;
    default:
      return timing::Precision::kInteger;
  }
}

timing::MacTile MacOperation::tile() const {
  return {.m = positions(),
          .n = out_c,
          .k = depth(),
          .taps = taps(),
          .depthwise = depthwise,
          .wide = x_type == Element::kInt16,
          .wide_weights = w_type == Element::kInt16,
          .precision = precision_of(x_type),
          .weights_loaded = weights_loaded,
          .accumulate = accumulate};
}

MacOperation decode_mac(const isa::Instruction& instruction, std::int32_t index) {
  const Reader in(instruction, index);
  MacOperation op;
  op.x = in.get(Opd::kX);
  op.w = in.get(Opd::kW);
  op.acc = in.get(Opd::kAcc);
  op.row_stride = in.get(Opd::kRowStride);
  op.acc_pitch = in.get(Opd::kAccPitch);
  op.x_zero = static_cast<std::int32_t>(in.get(Opd::kXZero));
  op.w_zero = static_cast<std::int32_t>(in.get(Opd::kWZero));
  op.x_type = in.multiplicand(Opd::kXType);
  op.w_type = in.multiplicand(Opd::kWType);
  op.accumulate = in.get(Opd::kAccumulate) != 0;
  op.wide = in.get(Opd::kWide) != 0;
  in.match(op);
  if (instruction.opcode == isa::Opcode::kGemm) {
    const std::int64_t m = in.positive(Opd::kM);
    op.h = {.in = m, .out = m};
    op.in_c = in.positive(Opd::kK);
    op.out_c = in.positive(Opd::kN);
    op.w_stride = in.get(Opd::kWStride);
    op.weights_loaded = in.get(Opd::kWeightsLoaded) != 0;
    op.stream = in.get(Opd::kStream) != 0;
    op.w_transposed = in.get(Opd::kWTransposed) != 0;
    in.limit_products(op);
    return op;
  }
  op.pixel_stride = in.get(Opd::kPixelStride);
  op.h = in.axis(Opd::kInH, Opd::kY0, Opd::kKernelH, Opd::kStrideH, Opd::kDilationH, Opd::kOutH);
  op.v = in.axis(Opd::kInW, Opd::kX0, Opd::kKernelW, Opd::kStrideW, Opd::kDilationW, Opd::kOutW);
  op.out_c = in.positive(Opd::kOutC);
  if (instruction.opcode == isa::Opcode::kDepthwise) {
    op.depthwise = true;
    op.multiplier = in.positive(Opd::kMultiplier);
    op.in_c = ceil_div(op.out_c, op.multiplier);
    op.w_stride = in.get(Opd::kWTapStride);
  } else {
    NPU_CHECK(instruction.opcode == isa::Opcode::kConv, "not a tile of the MAC array");
    op.h.up = in.positive(Opd::kUpH);
    op.v.up = in.positive(Opd::kUpW);
    op.in_c = in.positive(Opd::kInC);
    op.w_stride = in.get(Opd::kWStride);
    op.weights_loaded = in.get(Opd::kWeightsLoaded) != 0;
    op.stream = in.get(Opd::kStream) != 0;
  }
  in.limit_products(op);
  return op;
}

MacOperands operands_of(const MacOperation& op) {
  MacOperands r;
  const AxisUse rows = use_of(op.h);
  const AxisUse pixels = use_of(op.v);
  r.input_pairs = rows.pairs * pixels.pairs;
  if (r.input_pairs > 0) {
    r.x = {op.x + rows.low * op.row_stride + pixels.low * op.pixel_stride,
           op.x + (rows.high - 1) * op.row_stride + (pixels.high - 1) * op.pixel_stride +
               op.in_c * size_of(op.x_type)};
  }
  r.w = op.depthwise || op.w_transposed
            ? strided(op.w, op.depth(), op.w_stride, op.out_c * size_of(op.w_type))
            : strided(op.w, op.out_c, op.w_stride, op.depth() * size_of(op.w_type));
  const std::int64_t bytes = op.accumulator_bytes();
  if (op.stream) return r;
  r.acc = strided(op.acc, op.positions(), op.acc_pitch * bytes, op.out_c * bytes);
  return r;
}

void check_extent(const isa::Instruction& instruction, std::int32_t index, const char* operand,
                  Extent extent, std::int64_t capacity_bytes) {
  if (extent.low >= 0 && extent.high <= capacity_bytes) return;
  throw RunFault(
      fmt::format("instruction {}: {}: {} covers bytes {} to {}, beyond the memory's {} bytes",
                  index, mnemonic(instruction), operand, extent.low, extent.high, capacity_bytes));
}

}  // namespace npu::compute
