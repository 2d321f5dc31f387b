#include "tests/unit/compute/interpreter.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <stdexcept>

#include "tests/unit/compute/float_interpreter.h"

namespace npu::test {
namespace {

using isa::Opcode;
using isa::Opd;
using Int = std::int64_t;

constexpr Int kElementBytes[] = {1, 1, 2, 4};

template <typename T>
T get(const std::vector<std::byte>& memory, Int at) {
  T v;
  if (at < 0 || at + static_cast<Int>(sizeof v) > static_cast<Int>(memory.size())) {
    throw std::out_of_range("interpreter: read");
  }
  std::memcpy(&v, memory.data() + at, sizeof v);
  return v;
}

void put(std::vector<std::byte>& memory, Int at, Int value, Int bytes) {
  if (at < 0 || at + bytes > static_cast<Int>(memory.size()))
    throw std::out_of_range("interpreter: write");
  std::memcpy(memory.data() + at, &value, static_cast<std::size_t>(bytes));
}

Int element(const std::vector<std::byte>& memory, Int at, Int type) {
  switch (type) {
    case 0:
      return get<std::int8_t>(memory, at);
    case 1:
      return get<std::uint8_t>(memory, at);
    case 2:
      return get<std::int16_t>(memory, at);
    default:
      return get<std::int32_t>(memory, at);
  }
}

std::int32_t low32(Int v) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(v)));
}
Int limit(Int v, Int low, Int high) { return std::min(std::max(v, low), high); }

struct Machine {
  const isa::Instruction& i;
  Rounding rounding;
  Memories& m;

  [[nodiscard]] Int op(Opd o) const { return i[o]; }
  [[nodiscard]] Int word(Int k) const {
    return get<std::int32_t>(m.scratchpad, op(Opd::kParams) + 4 * k);
  }
  [[nodiscard]] std::int32_t scale(Int v, Int multiplier, Int shift) const {
    return rescale(low32(v),
                   {static_cast<std::int32_t>(multiplier), static_cast<std::int32_t>(shift)},
                   rounding);
  }

  void add_to_accumulator(Int index, Int value, bool wide) const {
    const Int at = op(Opd::kAcc) + index * (wide ? 8 : 4);
    const bool accumulate = op(Opd::kAccumulate) != 0;
    const Int old = !accumulate ? 0
                    : wide      ? get<Int>(m.accumulator, at)
                                : get<std::int32_t>(m.accumulator, at);
    put(m.accumulator, at, old + value, wide ? 8 : 4);
  }

  void conv(bool depthwise) const {
    const Int xb = kElementBytes[op(Opd::kXType)];
    const Int wb = kElementBytes[op(Opd::kWType)];
    const Int up_h = depthwise ? 1 : op(Opd::kUpH);
    const Int up_w = depthwise ? 1 : op(Opd::kUpW);
    for (Int y = 0; y < op(Opd::kOutH); ++y) {
      for (Int x = 0; x < op(Opd::kOutW); ++x) {
        for (Int o = 0; o < op(Opd::kOutC); ++o) {
          Int sum = 0;
          for (Int ky = 0; ky < op(Opd::kKernelH); ++ky) {
            for (Int kx = 0; kx < op(Opd::kKernelW); ++kx) {
              const Int iy = op(Opd::kY0) + y * op(Opd::kStrideH) + ky * op(Opd::kDilationH);
              const Int ix = op(Opd::kX0) + x * op(Opd::kStrideW) + kx * op(Opd::kDilationW);
              if (iy < 0 || iy >= op(Opd::kInH) * up_h || iy % up_h != 0) continue;
              if (ix < 0 || ix >= op(Opd::kInW) * up_w || ix % up_w != 0) continue;
              const Int at =
                  op(Opd::kX) + iy / up_h * op(Opd::kRowStride) + ix / up_w * op(Opd::kPixelStride);
              const Int tap = ky * op(Opd::kKernelW) + kx;
              const Int channels = depthwise ? 1 : op(Opd::kInC);
              for (Int c = 0; c < channels; ++c) {
                const Int channel = depthwise ? o / op(Opd::kMultiplier) : c;
                const Int w_at = depthwise ? op(Opd::kW) + tap * op(Opd::kWTapStride) + o * wb
                                           : op(Opd::kW) + o * op(Opd::kWStride) +
                                                 (tap * op(Opd::kInC) + c) * wb;
                sum +=
                    (element(m.scratchpad, at + channel * xb, op(Opd::kXType)) - op(Opd::kXZero)) *
                    (element(m.scratchpad, w_at, op(Opd::kWType)) - op(Opd::kWZero));
              }
            }
          }
          add_to_accumulator((y * op(Opd::kOutW) + x) * op(Opd::kAccPitch) + o, sum,
                             op(Opd::kWide) != 0);
        }
      }
    }
  }

  void gemm() const {
    const bool transposed = op(Opd::kWTransposed) != 0;
    const Int xb = kElementBytes[op(Opd::kXType)];
    const Int wb = kElementBytes[op(Opd::kWType)];
    for (Int row = 0; row < op(Opd::kM); ++row) {
      for (Int j = 0; j < op(Opd::kN); ++j) {
        Int sum = 0;
        for (Int k = 0; k < op(Opd::kK); ++k) {
          sum += (element(m.scratchpad, op(Opd::kX) + row * op(Opd::kRowStride) + k * xb,
                          op(Opd::kXType)) -
                  op(Opd::kXZero)) *
                 (element(m.scratchpad,
                          op(Opd::kW) + (transposed ? k : j) * op(Opd::kWStride) +
                              (transposed ? j : k) * wb,
                          op(Opd::kWType)) -
                  op(Opd::kWZero));
        }
        add_to_accumulator(row * op(Opd::kAccPitch) + j, sum, op(Opd::kWide) != 0);
      }
    }
  }

  void requantize() const {
    const bool wide = op(Opd::kWide) != 0;
    const Int bytes = kElementBytes[op(Opd::kOutType)];
    for (Int y = 0; y < op(Opd::kOutH); ++y) {
      for (Int x = 0; x < op(Opd::kOutW); ++x) {
        for (Int c = 0; c < op(Opd::kOutC); ++c) {
          const Int record =
              op(Opd::kParams) + (op(Opd::kPerChannel) != 0 ? c : 0) * (wide ? 16 : 12);
          const Int bias =
              wide ? get<Int>(m.scratchpad, record) : get<std::int32_t>(m.scratchpad, record);
          const Int multiplier = get<std::int32_t>(m.scratchpad, record + (wide ? 8 : 4));
          const Int shift = get<std::int32_t>(m.scratchpad, record + (wide ? 12 : 8));
          const Int at =
              op(Opd::kAcc) + ((y * op(Opd::kOutW) + x) * op(Opd::kAccPitch) + c) * (wide ? 8 : 4);
          Int v =
              (wide ? get<Int>(m.accumulator, at) : get<std::int32_t>(m.accumulator, at)) + bias;
          if (!wide) v = low32(v);
          Int r = 0;
          if (op(Opd::kReduced) != 0) {
            r = rescale_wide(
                v, {static_cast<std::int32_t>(multiplier), static_cast<std::int32_t>(shift)});
          } else {
            r = scale(limit(v, std::numeric_limits<std::int32_t>::min(),
                            std::numeric_limits<std::int32_t>::max()),
                      multiplier, shift);
          }
          put(m.scratchpad,
              op(Opd::kDst) + y * op(Opd::kDstRowStride) + x * op(Opd::kDstPixelStride) + c * bytes,
              limit(r + op(Opd::kOutZero), op(Opd::kClampMin), op(Opd::kClampMax)), bytes);
        }
      }
    }
  }

  template <typename Body>
  void for_each_element(Body body) const {
    for (Int i2 = 0; i2 < op(Opd::kN2); ++i2) {
      for (Int i1 = 0; i1 < op(Opd::kN1); ++i1)
        for (Int i0 = 0; i0 < op(Opd::kN0); ++i0) body(i0, i1, i2);
    }
  }
  [[nodiscard]] Int unary_source(Int i0, Int i1, Int i2, Int bytes) const {
    return op(Opd::kSrc) + i0 * bytes + i1 * op(Opd::kSrcStride1) + i2 * op(Opd::kSrcStride2);
  }
  [[nodiscard]] Int destination(Int i0, Int i1, Int i2, Int bytes) const {
    return op(Opd::kDst) + i0 * bytes + i1 * op(Opd::kDstStride1) + i2 * op(Opd::kDstStride2);
  }

  void rescale_tensor() const {
    const Int in_bytes = kElementBytes[op(Opd::kInType)];
    const Int out_bytes = kElementBytes[op(Opd::kOutType)];
    for_each_element([&](Int i0, Int i1, Int i2) {
      const Int d =
          element(m.scratchpad, unary_source(i0, i1, i2, in_bytes), op(Opd::kInType)) - word(0);
      const Int below =
          word(3) < 0 ? -Int{scale(d, -word(3), word(4))} : scale(d, word(3), word(4));
      const Int r = (d >= 0 ? scale(d, word(1), word(2)) : below) + word(5);
      put(m.scratchpad, destination(i0, i1, i2, out_bytes), limit(r, word(6), word(7)), out_bytes);
    });
  }

  void lut() const {
    const Int bytes = kElementBytes[op(Opd::kOutType)];
    for_each_element([&](Int i0, Int i1, Int i2) {
      const Int entry = get<std::uint8_t>(m.scratchpad, unary_source(i0, i1, i2, 1));
      put(m.scratchpad, destination(i0, i1, i2, bytes),
          element(m.scratchpad, op(Opd::kTable) + entry * bytes, op(Opd::kOutType)), bytes);
    });
  }

  void binary() const {
    const Int type = op(Opd::kInType);
    const Int bytes = kElementBytes[type];
    for_each_element([&](Int i0, Int i1, Int i2) {
      const Int a = element(m.scratchpad,
                            op(Opd::kA) + (op(Opd::kABroadcast) != 0 ? 0 : i0) * bytes +
                                i1 * op(Opd::kAStride1) + i2 * op(Opd::kAStride2),
                            type);
      const Int b = element(m.scratchpad,
                            op(Opd::kB) + (op(Opd::kBBroadcast) != 0 ? 0 : i0) * bytes +
                                i1 * op(Opd::kBStride1) + i2 * op(Opd::kBStride2),
                            type);
      Int r = 0;
      if (i.opcode == Opcode::kMax) {
        r = std::max(a, b);
      } else if (i.opcode == Opcode::kMin) {
        r = std::min(a, b);
      } else {
        Int t = 0;
        if (i.opcode == Opcode::kMul) {
          t = Int{low32(a - word(0))} * low32(b - word(1));
        } else {
          const Int ta = scale(Int{low32(a - word(0))} << word(2), word(3), word(4));
          const Int tb = scale(Int{low32(b - word(1))} << word(2), word(5), word(6));
          t = i.opcode == Opcode::kAdd ? ta + tb : ta - tb;
        }
        r = limit(scale(t, word(7), word(8)) + word(9), word(10), word(11));
      }
      put(m.scratchpad, destination(i0, i1, i2, bytes), r, bytes);
    });
  }

  void pool() const {
    const Int type = op(Opd::kInType);
    const Int bytes = kElementBytes[type];
    constexpr Int kLowest[] = {-128, 0, -32768, std::numeric_limits<std::int32_t>::min()};
    for (Int y = 0; y < op(Opd::kOutH); ++y) {
      for (Int x = 0; x < op(Opd::kOutW); ++x) {
        for (Int c = 0; c < op(Opd::kOutC); ++c) {
          Int sum = 0;
          Int count = 0;
          Int highest = kLowest[type];
          for (Int ky = 0; ky < op(Opd::kKernelH); ++ky) {
            for (Int kx = 0; kx < op(Opd::kKernelW); ++kx) {
              const Int iy = op(Opd::kY0) + y * op(Opd::kStrideH) + ky;
              const Int ix = op(Opd::kX0) + x * op(Opd::kStrideW) + kx;
              if (iy < 0 || iy >= op(Opd::kInH) || ix < 0 || ix >= op(Opd::kInW)) continue;
              const Int v = element(
                  m.scratchpad,
                  op(Opd::kX) + iy * op(Opd::kRowStride) + ix * op(Opd::kPixelStride) + c * bytes,
                  type);
              sum += v;
              ++count;
              highest = std::max(highest, v);
            }
          }
          if (count == 0 && i.opcode == Opcode::kAvgPool) throw std::domain_error("no valid tap");
          const Int r = i.opcode == Opcode::kMaxPool ? highest
                        : sum > 0                    ? (sum + count / 2) / std::max<Int>(count, 1)
                                                     : (sum - count / 2) / std::max<Int>(count, 1);
          put(m.scratchpad,
              op(Opd::kDst) + y * op(Opd::kDstRowStride) + x * op(Opd::kDstPixelStride) + c * bytes,
              limit(r, op(Opd::kClampMin), op(Opd::kClampMax)), bytes);
        }
      }
    }
  }

  void reduce_sum() const {
    for (Int row = 0; row < op(Opd::kRows); ++row) {
      for (Int c = 0; c < op(Opd::kN0); ++c) {
        Int sum = 0;
        for (Int j2 = 0; j2 < op(Opd::kR2); ++j2) {
          for (Int j1 = 0; j1 < op(Opd::kR1); ++j1) {
            sum += element(m.scratchpad,
                           op(Opd::kSrc) + row * op(Opd::kSrcStride1) + c * op(Opd::kSrcStep0) +
                               j1 * op(Opd::kRStride1) + j2 * op(Opd::kRStride2),
                           op(Opd::kInType));
          }
        }
        add_to_accumulator(row * op(Opd::kAccPitch) + c, sum, false);
      }
    }
  }

  void dot() const {
    for (Int row = 0; row < op(Opd::kRows); ++row) {
      Int sum = 0;
      for (Int k = 0; k < op(Opd::kN0); ++k) {
        const Int a =
            element(m.scratchpad,
                    op(Opd::kA) + row * op(Opd::kAStride1) + k * kElementBytes[op(Opd::kAType)],
                    op(Opd::kAType)) -
            op(Opd::kAZero);
        const Int b =
            element(m.scratchpad,
                    op(Opd::kB) + row * op(Opd::kBStride1) + k * kElementBytes[op(Opd::kBType)],
                    op(Opd::kBType)) -
            op(Opd::kBZero);
        sum += low32(a * b);
      }
      add_to_accumulator(row, sum, false);
    }
  }

  void softmax() const {
    const Int in = op(Opd::kInType);
    const Int out = op(Opd::kOutType);
    const int bits = out == 2 ? 16 : 8;
    const Int offset = out == 0 ? -128 : out == 2 ? -32768 : 0;
    const Int low = out == 1 ? 0 : offset;
    const Int high = low + (Int{1} << bits) - 1;
    for (Int row = 0; row < op(Opd::kRows); ++row) {
      const Int src = op(Opd::kSrc) + row * op(Opd::kSrcStride1);
      const Int dst = op(Opd::kDst) + row * op(Opd::kDstStride1);
      std::vector<Int> v;
      for (Int k = 0; k < op(Opd::kN0); ++k)
        v.push_back(element(m.scratchpad, src + k * kElementBytes[in], in));
      const Int highest = *std::max_element(v.begin(), v.end());
      const auto exponential = [&](Int d) {
        return exp_on_negative(
            high_multiply(low32(d << word(1)), static_cast<std::int32_t>(word(0))), 5);
      };
      Int sum = 0;
      for (const Int q : v) {
        if (q - highest >= word(2)) sum += rounding_shift_right(exponential(q - highest), 12);
      }
      const int zeros = std::countl_zero(static_cast<std::uint32_t>(sum));
      const std::int32_t reciprocal = one_over_one_plus(low32((sum << zeros) - (Int{1} << 31)));
      for (std::size_t k = 0; k < v.size(); ++k) {
        Int r = low;
        if (v[k] - highest >= word(2)) {
          const int shift = 12 - zeros + 31 - bits;
          const std::int32_t ratio = high_multiply(reciprocal, exponential(v[k] - highest));
          r = (shift > 31 ? 0 : rounding_shift_right(ratio, shift)) + offset;
        }
        put(m.scratchpad, dst + static_cast<Int>(k) * kElementBytes[out], limit(r, low, high),
            kElementBytes[out]);
      }
    }
  }
};

}  // namespace

void interpret(const isa::Instruction& instruction, Rounding rounding, Memories& memories) {
  if (interpret_floats(instruction, memories)) return;
  const Machine machine{instruction, rounding, memories};
  switch (instruction.opcode) {
    case Opcode::kConv:
      return machine.conv(false);
    case Opcode::kDepthwise:
      return machine.conv(true);
    case Opcode::kGemm:
      return machine.gemm();
    case Opcode::kRequantize:
      return machine.requantize();
    case Opcode::kRescale:
      return machine.rescale_tensor();
    case Opcode::kLut:
      return machine.lut();
    case Opcode::kAdd:
    case Opcode::kSub:
    case Opcode::kMul:
    case Opcode::kMax:
    case Opcode::kMin:
      return machine.binary();
    case Opcode::kMaxPool:
    case Opcode::kAvgPool:
      return machine.pool();
    case Opcode::kReduceSum:
      return machine.reduce_sum();
    case Opcode::kDot:
      return machine.dot();
    case Opcode::kSoftmax:
      return machine.softmax();
    default:
      throw std::invalid_argument("interpreter: not a compute instruction");
  }
}

}  // namespace npu::test
