#include "tests/unit/compute/float_interpreter.h"

#include <algorithm>

#include "tests/unit/compute/float_values.h"
#include "tests/unit/compute/map_functions.h"

namespace npu::test {
namespace {

using isa::Opcode;
using isa::Opd;
using Int = std::int64_t;

float word_as_float(Int word) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(word)));
}
Int word_as_integer(Int word) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(word)));
}

struct Machine {
  const isa::Instruction& i;
  Memories& m;

  [[nodiscard]] Int op(Opd o) const { return i[o]; }

  void multiply(float& sum, Int x_at, Int w_at) const {
    const float product = get_float(m.scratchpad, x_at, op(Opd::kXType)) *
                          get_float(m.scratchpad, w_at, op(Opd::kWType));
    sum = sum + product;
  }
  [[nodiscard]] float start(Int at) const {
    return op(Opd::kAccumulate) != 0 ? get_float(m.accumulator, at, 6) : 0.0F;
  }

  void conv(bool depthwise) const {
    const Int bytes = bytes_of(op(Opd::kXType));
    const Int up_h = depthwise ? 1 : op(Opd::kUpH);
    const Int up_w = depthwise ? 1 : op(Opd::kUpW);
    for (Int y = 0; y < op(Opd::kOutH); ++y) {
      for (Int x = 0; x < op(Opd::kOutW); ++x) {
        for (Int o = 0; o < op(Opd::kOutC); ++o) {
          const Int acc = op(Opd::kAcc) + ((y * op(Opd::kOutW) + x) * op(Opd::kAccPitch) + o) * 4;
          float sum = start(acc);
          for (Int tap = 0; tap < op(Opd::kKernelH) * op(Opd::kKernelW); ++tap) {
            const Int iy = op(Opd::kY0) + y * op(Opd::kStrideH) +
                           tap / op(Opd::kKernelW) * op(Opd::kDilationH);
            const Int ix = op(Opd::kX0) + x * op(Opd::kStrideW) +
                           tap % op(Opd::kKernelW) * op(Opd::kDilationW);
            if (iy < 0 || iy >= op(Opd::kInH) * up_h || iy % up_h != 0) continue;
            if (ix < 0 || ix >= op(Opd::kInW) * up_w || ix % up_w != 0) continue;
            const Int at =
                op(Opd::kX) + iy / up_h * op(Opd::kRowStride) + ix / up_w * op(Opd::kPixelStride);
            if (depthwise) {
              multiply(sum, at + o / op(Opd::kMultiplier) * bytes,
                       op(Opd::kW) + tap * op(Opd::kWTapStride) + o * bytes);
              continue;
            }
            for (Int c = 0; c < op(Opd::kInC); ++c) {
              multiply(sum, at + c * bytes,
                       op(Opd::kW) + o * op(Opd::kWStride) + (tap * op(Opd::kInC) + c) * bytes);
            }
          }
          put_real(m.accumulator, acc, 6, sum);
        }
      }
    }
  }

  void gemm() const {
    const Int bytes = bytes_of(op(Opd::kXType));
    for (Int row = 0; row < op(Opd::kM); ++row) {
      for (Int j = 0; j < op(Opd::kN); ++j) {
        const Int acc = op(Opd::kAcc) + (row * op(Opd::kAccPitch) + j) * 4;
        float sum = start(acc);
        for (Int k = 0; k < op(Opd::kK); ++k) {
          const bool transposed = op(Opd::kWTransposed) != 0;
          multiply(sum, op(Opd::kX) + row * op(Opd::kRowStride) + k * bytes,
                   op(Opd::kW) + (transposed ? k : j) * op(Opd::kWStride) +
                       (transposed ? j : k) * bytes);
        }
        put_real(m.accumulator, acc, 6, sum);
      }
    }
  }

  void pool() const {
    const Int type = op(Opd::kInType);
    const Int bytes = bytes_of(type);
    for (Int y = 0; y < op(Opd::kOutH); ++y) {
      for (Int x = 0; x < op(Opd::kOutW); ++x) {
        for (Int c = 0; c < op(Opd::kOutC); ++c) {
          float sum = 0;
          float largest = -std::numeric_limits<float>::infinity();
          int taps = 0;
          for (Int ky = 0; ky < op(Opd::kKernelH); ++ky) {
            for (Int kx = 0; kx < op(Opd::kKernelW); ++kx) {
              const Int iy = op(Opd::kY0) + y * op(Opd::kStrideH) + ky;
              const Int ix = op(Opd::kX0) + x * op(Opd::kStrideW) + kx;
              if (iy < 0 || iy >= op(Opd::kInH) || ix < 0 || ix >= op(Opd::kInW)) continue;
              const float v = get_float(
                  m.scratchpad,
                  op(Opd::kX) + iy * op(Opd::kRowStride) + ix * op(Opd::kPixelStride) + c * bytes,
                  type);
              sum += v;
              largest = map_pair(MapFunction::kMax, largest, v);
              ++taps;
            }
          }
          const float r = i.opcode == Opcode::kMaxPool ? largest : sum / static_cast<float>(taps);
          put_real(
              m.scratchpad,
              op(Opd::kDst) + y * op(Opd::kDstRowStride) + x * op(Opd::kDstPixelStride) + c * bytes,
              type, clamp(r));
        }
      }
    }
  }

  [[nodiscard]] float clamp(float v) const {
    const float low = word_as_float(op(Opd::kClampMin));
    const float high = word_as_float(op(Opd::kClampMax));
    if (v < low) return low;
    return v > high ? high : v;
  }

  void map() const {
    for (Int i2 = 0; i2 < op(Opd::kN2); ++i2) {
      for (Int i1 = 0; i1 < op(Opd::kN1); ++i1) {
        for (Int i0 = 0; i0 < op(Opd::kN0); ++i0) {
          map_element(op(Opd::kA) + i0 * op(Opd::kAStep0) + i1 * op(Opd::kAStride1) +
                          i2 * op(Opd::kAStride2),
                      op(Opd::kB) + i0 * op(Opd::kBStep0) + i1 * op(Opd::kBStride1) +
                          i2 * op(Opd::kBStride2),
                      op(Opd::kDst) + i0 * op(Opd::kDstStep0) + i1 * op(Opd::kDstStride1) +
                          i2 * op(Opd::kDstStride2));
        }
      }
    }
  }

  void map_element(Int a_at, Int b_at, Int dst) const {
    const auto f = static_cast<MapFunction>(op(Opd::kFunction));
    const Int a_type = op(Opd::kAType);
    const Int out = op(Opd::kOutType);
    const bool pair = f <= MapFunction::kSelect;
    const bool reads_b = pair && op(Opd::kBImmediate) == 0;
    const float imm0 = word_as_float(op(Opd::kImm0));
    if (f == MapFunction::kDequantize) {
      const auto d = static_cast<float>(get_integer(m.scratchpad, a_at, a_type) -
                                        word_as_integer(op(Opd::kImm1)));
      return put_real(m.scratchpad, dst, out, d * imm0);
    }
    if (f == MapFunction::kQuantize) {
      const float q = get_float(m.scratchpad, a_at, a_type) / imm0;
      const Int zero = word_as_integer(op(Opd::kImm1));
      if (!is_float_type(out)) return put_quantized(m.scratchpad, dst, out, q, zero);
      return put_real(m.scratchpad, dst, out,
                      static_cast<float>(std::nearbyint(double{q}) + static_cast<double>(zero)));
    }
    const bool real =
        f >= MapFunction::kSqrt || f == MapFunction::kHardSigmoid || f == MapFunction::kHardSwish;
    if (is_float_type(a_type) || real || (reads_b && is_float_type(op(Opd::kBType)))) {
      const float a = get_float(m.scratchpad, a_at, a_type);
      const float b = reads_b ? get_float(m.scratchpad, b_at, op(Opd::kBType)) : imm0;
      if (f == MapFunction::kSelect) {
        if (a != 0) put_real(m.scratchpad, dst, out, b);
        return;
      }
      return put_real(
          m.scratchpad, dst, out,
          pair ? map_pair(f, a, b) : map_one(f, a, imm0, word_as_float(op(Opd::kImm1))));
    }
    const Int a = get_integer(m.scratchpad, a_at, a_type);
    const Int b = reads_b ? get_integer(m.scratchpad, b_at, op(Opd::kBType))
                          : word_as_integer(op(Opd::kImm0));
    if (f == MapFunction::kSelect) {
      if (a != 0) put_integer(m.scratchpad, dst, out, b);
      return;
    }
    put_integer(
        m.scratchpad, dst, out,
        pair ? map_pair(f, a, b)
             : map_one(f, a, word_as_integer(op(Opd::kImm0)), word_as_integer(op(Opd::kImm1))));
  }

  void reduce() const {
    const bool in_floats = is_float_type(op(Opd::kInType)) ||
                           (op(Opd::kAccumulate) != 0 && is_float_type(op(Opd::kOutType)));
    for (Int i2 = 0; i2 < op(Opd::kN2); ++i2) {
      for (Int i1 = 0; i1 < op(Opd::kN1); ++i1) {
        const Int src = op(Opd::kSrc) + i2 * op(Opd::kSrcStride2) + i1 * op(Opd::kSrcStride1);
        const Int dst = op(Opd::kDst) + i2 * op(Opd::kDstStride2) + i1 * op(Opd::kDstStride1);
        std::vector<Int> at;
        for (Int j1 = 0; j1 < op(Opd::kR1); ++j1) {
          for (Int j0 = 0; j0 < op(Opd::kN0); ++j0) {
            at.push_back(src + j1 * op(Opd::kRStride1) + j0 * op(Opd::kSrcStep0));
          }
        }
        in_floats ? fold<float>(at, dst) : fold<Int>(at, dst);
      }
    }
  }

  template <typename T>
  [[nodiscard]] T element(Int at, Int type) const {
    if constexpr (std::is_same_v<T, float>) {
      return get_float(m.scratchpad, at, type);
    } else {
      return get_integer(m.scratchpad, at, type);
    }
  }

  template <typename T>
  void fold(const std::vector<Int>& at, Int dst) const {
    const auto f = static_cast<ReduceFunction>(op(Opd::kFunction));
    const Int out = op(Opd::kOutType);
    std::vector<T> v;
    for (const Int a : at) v.push_back(element<T>(a, op(Opd::kInType)));
    if (f == ReduceFunction::kArgMax || f == ReduceFunction::kArgMin) {
      std::size_t best = 0;
      for (std::size_t k = 1; k < v.size() && v[best] == v[best]; ++k) {
        if (v[k] != v[k] || (f == ReduceFunction::kArgMax ? v[k] > v[best] : v[k] < v[best]))
          best = k;
      }
      return put_integer(m.scratchpad, dst, out, static_cast<Int>(best));
    }
    const bool extreme = f == ReduceFunction::kMax || f == ReduceFunction::kMin;
    T a = f == ReduceFunction::kProduct ? T{1} : T{0};
    if (extreme) a = v.front();
    if (op(Opd::kAccumulate) != 0) a = element<T>(dst, out);
    for (const T x : v) {
      if (extreme) {
        a = map_pair(f == ReduceFunction::kMax ? MapFunction::kMax : MapFunction::kMin, a, x);
      } else if (f == ReduceFunction::kProduct) {
        a = map_pair(MapFunction::kMul, a, x);
      } else {
        a = map_pair(MapFunction::kAdd, a,
                     f == ReduceFunction::kSum ? x : map_pair(MapFunction::kMul, x, x));
      }
    }
    if constexpr (std::is_same_v<T, float>) {
      put_real(m.scratchpad, dst, out, a);
    } else {
      put_integer(m.scratchpad, dst, out, a);
    }
  }

  void output() const {
    const Int out = op(Opd::kOutType);
    for (Int y = 0; y < op(Opd::kOutH); ++y) {
      for (Int x = 0; x < op(Opd::kOutW); ++x) {
        const Int position = y * op(Opd::kOutW) + x;
        for (Int c = 0; c < op(Opd::kOutC); ++c) {
          const Int acc = op(Opd::kAcc) + (position * op(Opd::kAccPitch) + c) * 4;
          const Int dst = op(Opd::kDst) + y * op(Opd::kDstRowStride) +
                          x * op(Opd::kDstPixelStride) + c * bytes_of(out);
          if (op(Opd::kRaw) != 0) {
            put_bits(m.scratchpad, dst, get_bits(m.accumulator, acc, 4), 4);
            continue;
          }
          const Int record = op(Opd::kParams) + (op(Opd::kPerChannel) != 0 ? c : 0) * 8;
          float v = get_float(m.accumulator, acc, op(Opd::kInType));
          v = v * get_float(m.scratchpad, record, 6);
          if (op(Opd::kScaleRows) != 0) {
            v = v * get_float(m.scratchpad, op(Opd::kRowsAt) + position * 4, 6);
          }
          v = v + get_float(m.scratchpad, record + 4, 6);
          if (op(Opd::kAccumulate) != 0) v = v + get_float(m.scratchpad, dst, out);
          v = clamp(v);
          if (is_float_type(out)) {
            put_real(m.scratchpad, dst, out, v);
          } else {
            put_quantized(m.scratchpad, dst, out, v, op(Opd::kOutZero));
          }
        }
      }
    }
  }
};

}  // namespace

bool interpret_floats(const isa::Instruction& instruction, Memories& memories) {
  const Machine machine{instruction, memories};
  switch (instruction.opcode) {
    case Opcode::kConv:
    case Opcode::kDepthwise:
      if (!is_float_type(instruction[Opd::kXType])) return false;
      machine.conv(instruction.opcode == Opcode::kDepthwise);
      return true;
    case Opcode::kGemm:
      if (!is_float_type(instruction[Opd::kXType])) return false;
      machine.gemm();
      return true;
    case Opcode::kMaxPool:
    case Opcode::kAvgPool:
      if (!is_float_type(instruction[Opd::kInType])) return false;
      machine.pool();
      return true;
    case Opcode::kMap:
      machine.map();
      return true;
    case Opcode::kReduce:
      machine.reduce();
      return true;
    case Opcode::kOutput:
      machine.output();
      return true;
    default:
      return false;
  }
}

}  // namespace npu::test
