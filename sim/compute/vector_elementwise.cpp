// vec.add, vec.sub, vec.mul, vec.max, vec.min and vec.lut.

#include <algorithm>

#include "sim/base/error.h"
#include "sim/compute/simd.h"
#include "sim/compute/vector_exec.h"
#include "sim/compute/vector_rows.h"

namespace npu::compute {
namespace {

using isa::Opcode;
using isa::Opd;

/// The parameter words of vec.add, vec.sub and vec.mul.
struct BinaryParams {
  std::int32_t a_zero, b_zero, left_shift;
  FixedMultiplier a, b, out;
  std::int32_t out_zero, low, high;
};

BinaryParams read_params(const VectorContext& x) {
  std::int32_t w[12];
  load_row(x.scratchpad + x.get(Opd::kParams), Element::kInt32, 12, w);
  BinaryParams p{w[0], w[1], w[2], {w[3], w[4]}, {w[5], w[6]}, {w[7], w[8]}, w[9], w[10], w[11]};
  if (x.in.opcode != Opcode::kMul && (p.left_shift < 0 || p.left_shift > 31)) {
    throw RunFault(fmt::format("instruction {}: {}: left_shift in params must be 0 to 31, got {}",
                               x.index, isa::spec_of(x.in.opcode).mnemonic, p.left_shift));
  }
  return p;
}

/// A multiplier as rescale_double takes it: the same shifts as in rescale().
struct DoubleRounding {
  explicit DoubleRounding(FixedMultiplier m)
      : value(m.multiplier),
        left(std::clamp(m.shift, 0, 31)),
        right(std::clamp(-std::max(m.shift, -31), 0, 31)) {}
  [[nodiscard]] std::int32_t operator()(std::int32_t v) const {
    return rescale_double(v, value, left, right);
  }
  std::int32_t value;
  int left, right;
};
struct AnyRounding {
  FixedMultiplier m;
  Rounding rounding;
  [[nodiscard]] std::int32_t operator()(std::int32_t v) const { return rescale(v, m, rounding); }
};

/// a = A ± B rescaled, in place. `sign` is 1 or −1.
template <typename Scale>
inline __attribute__((always_inline)) void add_rows_as(std::int32_t* a, const std::int32_t* b,
                                                       std::int64_t count, const BinaryParams& p,
                                                       std::int32_t sign, const Scale& scale_a,
                                                       const Scale& scale_b,
                                                       const Scale& scale_out) {
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int32_t ta = scale_a(shift_left_wrap(subtract_wrap(a[i], p.a_zero), p.left_shift));
    const std::int32_t tb = scale_b(shift_left_wrap(subtract_wrap(b[i], p.b_zero), p.left_shift));
    a[i] = scale_out(add_wrap(ta, multiply_wrap(tb, sign)));
  }
}

NPU_VECTOR_CLONES
void add_rows_double(std::int32_t* a, const std::int32_t* b, std::int64_t count,
                     const BinaryParams& params, std::int32_t sign) {
  const BinaryParams p = params;
  add_rows_as(a, b, count, p, sign, DoubleRounding(p.a), DoubleRounding(p.b),
              DoubleRounding(p.out));
}

NPU_VECTOR_CLONES
void multiply_rows_double(std::int32_t* a, const std::int32_t* b, std::int64_t count,
                          const BinaryParams& params) {
  const BinaryParams p = params;
  const DoubleRounding scale(p.out);
  for (std::int64_t i = 0; i < count; ++i) {
    a[i] = scale(multiply_wrap(subtract_wrap(a[i], p.a_zero), subtract_wrap(b[i], p.b_zero)));
  }
}

void arithmetic_rows(std::int32_t* a, const std::int32_t* b, std::int64_t count,
                     const BinaryParams& p, Opcode opcode, Rounding rounding) {
  const std::int32_t sign = opcode == Opcode::kSub ? -1 : 1;
  if (rounding == Rounding::kTfliteDouble) {
    if (opcode == Opcode::kMul) return multiply_rows_double(a, b, count, p);
    return add_rows_double(a, b, count, p, sign);
  }
  const AnyRounding out{p.out, rounding};
  if (opcode != Opcode::kMul) {
    return add_rows_as(a, b, count, p, sign, AnyRounding{p.a, rounding}, AnyRounding{p.b, rounding},
                       out);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    a[i] = out(multiply_wrap(subtract_wrap(a[i], p.a_zero), subtract_wrap(b[i], p.b_zero)));
  }
}

NPU_VECTOR_CLONES
void extreme_rows(std::int32_t* a, const std::int32_t* b, std::int64_t count, bool largest) {
  if (largest) {
    for (std::int64_t i = 0; i < count; ++i) a[i] = std::max(a[i], b[i]);
  } else {
    for (std::int64_t i = 0; i < count; ++i) a[i] = std::min(a[i], b[i]);
  }
}

/// Elements [first, first + count) of a row, or its only element repeated.
void load_operand(const std::byte* row, Element type, bool broadcast, std::int64_t first,
                  std::int64_t count, std::int32_t* out) {
  if (broadcast) {
    std::fill_n(out, count, load_element(row, type));
  } else {
    load_row(row + first * size_of(type), type, count, out);
  }
}

}  // namespace

void run_binary(const VectorContext& x) {
  const Opcode opcode = x.in.opcode;
  const bool extreme = opcode == Opcode::kMax || opcode == Opcode::kMin;
  const BinaryParams params = extreme ? BinaryParams{} : read_params(x);
  const auto type = static_cast<Element>(x.get(Opd::kInType));
  const bool a_broadcast = x.get(Opd::kABroadcast) != 0;
  const bool b_broadcast = x.get(Opd::kBBroadcast) != 0;
  const std::int64_t n0 = x.get(Opd::kN0);
  std::int32_t a[kRowBlock];
  std::int32_t b[kRowBlock];
  for (std::int64_t i2 = 0; i2 < x.get(Opd::kN2); ++i2) {
    for (std::int64_t i1 = 0; i1 < x.get(Opd::kN1); ++i1) {
      const std::byte* a_row =
          x.scratchpad + x.get(Opd::kA) + i1 * x.get(Opd::kAStride1) + i2 * x.get(Opd::kAStride2);
      const std::byte* b_row =
          x.scratchpad + x.get(Opd::kB) + i1 * x.get(Opd::kBStride1) + i2 * x.get(Opd::kBStride2);
      std::byte* dst = x.scratchpad + x.get(Opd::kDst) + i1 * x.get(Opd::kDstStride1) +
                       i2 * x.get(Opd::kDstStride2);
      for (std::int64_t c = 0; c < n0; c += kRowBlock) {
        const std::int64_t n = std::min(kRowBlock, n0 - c);
        load_operand(a_row, type, a_broadcast, c, n, a);
        load_operand(b_row, type, b_broadcast, c, n, b);
        if (extreme) {
          extreme_rows(a, b, n, opcode == Opcode::kMax);
        } else {
          arithmetic_rows(a, b, n, params, opcode, x.rounding);
          offset_and_clamp(a, n, params.out_zero, params.low, params.high);
        }
        store_row(a, type, n, dst + c * size_of(type));
      }
    }
  }
}

void run_lut(const VectorContext& x) {
  const std::int64_t n0 = x.get(Opd::kN0);
  with_type(static_cast<Element>(x.get(Opd::kOutType)), [&](auto zero) {
    using T = decltype(zero);
    T table[256];
    std::memcpy(table, x.scratchpad + x.get(Opd::kTable), sizeof table);
    for (std::int64_t i2 = 0; i2 < x.get(Opd::kN2); ++i2) {
      for (std::int64_t i1 = 0; i1 < x.get(Opd::kN1); ++i1) {
        const std::byte* src = x.scratchpad + x.get(Opd::kSrc) + i1 * x.get(Opd::kSrcStride1) +
                               i2 * x.get(Opd::kSrcStride2);
        std::byte* dst = x.scratchpad + x.get(Opd::kDst) + i1 * x.get(Opd::kDstStride1) +
                         i2 * x.get(Opd::kDstStride2);
        for (std::int64_t i = 0; i < n0; ++i) {
          store<T>(dst + i * static_cast<std::int64_t>(sizeof(T)),
                   table[static_cast<std::uint8_t>(src[i])]);
        }
      }
    }
  });
}

}  // namespace npu::compute
