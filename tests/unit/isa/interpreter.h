#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <utility>

#include "isa/instructions.h"

namespace npu::isa::test {

using Bytes = std::set<std::pair<Memory, std::int64_t>>;

/// What an instruction reads and writes, by running the semantics of its row one element at a time.
class Interpreter {
 public:
  explicit Interpreter(const Instruction& instruction) : in_(instruction) { run(); }
  Bytes reads, writes;

 private:
  [[nodiscard]] std::int64_t at(Opd opd) const { return in_[opd]; }
  [[nodiscard]] std::int64_t size(Opd type) const {
    return std::array<std::int64_t, 7>{1, 1, 2, 4, 2, 2, 4}[static_cast<std::size_t>(in_[type])];
  }
  static void touch(Bytes& set, Memory memory, std::int64_t address, std::int64_t bytes) {
    for (std::int64_t i = 0; i < bytes; ++i) set.emplace(memory, address + i);
  }
  void read(std::int64_t address, std::int64_t bytes) {
    touch(reads, Memory::kScratchpad, address, bytes);
  }
  void write(std::int64_t address, std::int64_t bytes) {
    touch(writes, Memory::kScratchpad, address, bytes);
  }
  void accumulate(std::int64_t address, std::int64_t bytes, bool also_read) {
    if (also_read) touch(reads, Memory::kAccumulator, address, bytes);
    touch(writes, Memory::kAccumulator, address, bytes);
  }

  void dma(Memory from, Memory to) {
    for (std::int64_t i3 = 0; i3 < at(Opd::kN3); ++i3) {
      for (std::int64_t i2 = 0; i2 < at(Opd::kN2); ++i2) {
        for (std::int64_t i1 = 0; i1 < at(Opd::kN1); ++i1) {
          const std::int64_t dst = at(Opd::kDst) + i1 * at(Opd::kDstStride1) +
                                   i2 * at(Opd::kDstStride2) + i3 * at(Opd::kDstStride3);
          if (in_.opcode == Opcode::kDmaFill) {
            for (std::int64_t i0 = 0; i0 < at(Opd::kN0); ++i0)
              write(dst + i0 * at(Opd::kElementBytes), at(Opd::kElementBytes));
            continue;
          }
          touch(reads, from,
                at(Opd::kSrc) + i1 * at(Opd::kSrcStride1) + i2 * at(Opd::kSrcStride2) +
                    i3 * at(Opd::kSrcStride3),
                at(Opd::kN0));
          touch(writes, to, dst, at(Opd::kN0));
        }
      }
    }
  }

  /// Calls tap(iy, ix, ky, kx) for every valid tap of output (y, x).
  template <typename Tap>
  void for_taps(std::int64_t y, std::int64_t x, Tap tap) const {
    const bool is_conv = in_.opcode == Opcode::kConv;
    const bool dilates = is_conv || in_.opcode == Opcode::kDepthwise;
    const std::int64_t up_h = is_conv ? at(Opd::kUpH) : 1;
    const std::int64_t up_w = is_conv ? at(Opd::kUpW) : 1;
    for (std::int64_t ky = 0; ky < at(Opd::kKernelH); ++ky) {
      for (std::int64_t kx = 0; kx < at(Opd::kKernelW); ++kx) {
        const std::int64_t iy =
            at(Opd::kY0) + y * at(Opd::kStrideH) + ky * (dilates ? at(Opd::kDilationH) : 1);
        const std::int64_t ix =
            at(Opd::kX0) + x * at(Opd::kStrideW) + kx * (dilates ? at(Opd::kDilationW) : 1);
        if (iy < 0 || ix < 0 || iy >= at(Opd::kInH) * up_h || ix >= at(Opd::kInW) * up_w) continue;
        if (iy % up_h == 0 && ix % up_w == 0) tap(iy / up_h, ix / up_w, ky, kx);
      }
    }
  }
  [[nodiscard]] std::int64_t x_at(std::int64_t iy, std::int64_t ix, std::int64_t c,
                                  std::int64_t bytes) const {
    return at(Opd::kX) + iy * at(Opd::kRowStride) + ix * at(Opd::kPixelStride) + c * bytes;
  }

  void convolution() {
    const bool depthwise = in_.opcode == Opcode::kDepthwise;
    const std::int64_t element = at(Opd::kWide) != 0 ? 8 : 4;
    const std::int64_t xs = size(Opd::kXType);
    const std::int64_t ws = size(Opd::kWType);
    for (std::int64_t o = 0; o < at(Opd::kOutC); ++o) {
      for (std::int64_t tap = 0; tap < at(Opd::kKernelH) * at(Opd::kKernelW); ++tap) {
        if (depthwise) {
          read(at(Opd::kW) + tap * at(Opd::kWTapStride) + o * ws, ws);
          continue;
        }
        for (std::int64_t c = 0; c < at(Opd::kInC); ++c)
          read(at(Opd::kW) + o * at(Opd::kWStride) + (tap * at(Opd::kInC) + c) * ws, ws);
      }
      for (std::int64_t y = 0; y < at(Opd::kOutH); ++y) {
        for (std::int64_t x = 0; x < at(Opd::kOutW); ++x) {
          for_taps(y, x, [&](std::int64_t iy, std::int64_t ix, std::int64_t, std::int64_t) {
            if (depthwise) return read(x_at(iy, ix, o / at(Opd::kMultiplier), xs), xs);
            for (std::int64_t c = 0; c < at(Opd::kInC); ++c) read(x_at(iy, ix, c, xs), xs);
          });
          if (!depthwise && at(Opd::kStream) != 0) continue;
          accumulate(at(Opd::kAcc) + ((y * at(Opd::kOutW) + x) * at(Opd::kAccPitch) + o) * element,
                     element, at(Opd::kAccumulate) != 0);
        }
      }
    }
  }

  /// w[o][k] of a matrix.
  void read_weight(std::int64_t o, std::int64_t k) {
    const std::int64_t bytes = size(Opd::kWType);
    const bool transposed = at(Opd::kWTransposed) != 0;
    read(at(Opd::kW) + (transposed ? k : o) * at(Opd::kWStride) + (transposed ? o : k) * bytes,
         bytes);
  }

  void gemm() {
    const std::int64_t element = at(Opd::kWide) != 0 ? 8 : 4;
    for (std::int64_t i = 0; i < at(Opd::kM); ++i) {
      for (std::int64_t j = 0; j < at(Opd::kN); ++j) {
        for (std::int64_t k = 0; k < at(Opd::kK); ++k) {
          read(at(Opd::kX) + i * at(Opd::kRowStride) + k * size(Opd::kXType), size(Opd::kXType));
          read_weight(j, k);
        }
        if (at(Opd::kStream) != 0) continue;
        accumulate(at(Opd::kAcc) + (i * at(Opd::kAccPitch) + j) * element, element,
                   at(Opd::kAccumulate) != 0);
      }
    }
  }

  void requantize() {
    const bool wide = at(Opd::kWide) != 0;
    const std::int64_t element = wide ? 8 : 4;
    const std::int64_t record = wide ? 16 : 12;
    for (std::int64_t y = 0; y < at(Opd::kOutH); ++y) {
      for (std::int64_t x = 0; x < at(Opd::kOutW); ++x) {
        for (std::int64_t c = 0; c < at(Opd::kOutC); ++c) {
          if (at(Opd::kStream) == 0) {
            touch(reads, Memory::kAccumulator,
                  at(Opd::kAcc) + ((y * at(Opd::kOutW) + x) * at(Opd::kAccPitch) + c) * element,
                  element);
          }
          read(at(Opd::kParams) + (at(Opd::kPerChannel) != 0 ? c : 0) * record, record);
          write(at(Opd::kDst) + y * at(Opd::kDstRowStride) + x * at(Opd::kDstPixelStride) +
                    c * size(Opd::kOutType),
                size(Opd::kOutType));
        }
      }
    }
  }

  void elementwise() {
    const bool is_curve = in_.opcode == Opcode::kInterpolate;
    const bool is_unary = is_curve || in_.opcode == Opcode::kRescale || in_.opcode == Opcode::kLut;
    const std::int64_t out = is_curve ? 2 : is_unary ? size(Opd::kOutType) : size(Opd::kInType);
    const std::int64_t in = is_curve ? 2 : in_.opcode == Opcode::kLut ? 1 : size(Opd::kInType);
    for (std::int64_t i2 = 0; i2 < at(Opd::kN2); ++i2) {
      for (std::int64_t i1 = 0; i1 < at(Opd::kN1); ++i1) {
        for (std::int64_t i0 = 0; i0 < at(Opd::kN0); ++i0) {
          write(at(Opd::kDst) + i0 * out + i1 * at(Opd::kDstStride1) + i2 * at(Opd::kDstStride2),
                out);
          if (is_unary) {
            read(at(Opd::kSrc) + i0 * in + i1 * at(Opd::kSrcStride1) + i2 * at(Opd::kSrcStride2),
                 in);
            continue;
          }
          read(at(Opd::kA) + (at(Opd::kABroadcast) != 0 ? 0 : i0 * in) + i1 * at(Opd::kAStride1) +
                   i2 * at(Opd::kAStride2),
               in);
          read(at(Opd::kB) + (at(Opd::kBBroadcast) != 0 ? 0 : i0 * in) + i1 * at(Opd::kBStride1) +
                   i2 * at(Opd::kBStride2),
               in);
        }
      }
    }
    if (is_curve) {
      read(at(Opd::kTable), 512);
      read(at(Opd::kParams), 28);
    } else if (in_.opcode == Opcode::kLut) {
      read(at(Opd::kTable), 256 * out);
    } else if (in_.opcode == Opcode::kRescale) {
      read(at(Opd::kParams), 32);
    } else if (in_.opcode != Opcode::kMax && in_.opcode != Opcode::kMin) {
      read(at(Opd::kParams), 48);
    }
  }

  void pool() {
    const std::int64_t bytes = size(Opd::kInType);
    for (std::int64_t y = 0; y < at(Opd::kOutH); ++y) {
      for (std::int64_t x = 0; x < at(Opd::kOutW); ++x) {
        for (std::int64_t c = 0; c < at(Opd::kOutC); ++c) {
          for_taps(y, x, [&](std::int64_t iy, std::int64_t ix, std::int64_t, std::int64_t) {
            read(x_at(iy, ix, c, bytes), bytes);
          });
          write(
              at(Opd::kDst) + y * at(Opd::kDstRowStride) + x * at(Opd::kDstPixelStride) + c * bytes,
              bytes);
        }
      }
    }
  }

  void reduce_sum() {
    for (std::int64_t i = 0; i < at(Opd::kRows); ++i) {
      for (std::int64_t c = 0; c < at(Opd::kN0); ++c) {
        accumulate(at(Opd::kAcc) + (i * at(Opd::kAccPitch) + c) * 4, 4, at(Opd::kAccumulate) != 0);
        for (std::int64_t j2 = 0; j2 < at(Opd::kR2); ++j2) {
          for (std::int64_t j1 = 0; j1 < at(Opd::kR1); ++j1) {
            read(at(Opd::kSrc) + i * at(Opd::kSrcStride1) + c * at(Opd::kSrcStep0) +
                     j1 * at(Opd::kRStride1) + j2 * at(Opd::kRStride2),
                 size(Opd::kInType));
          }
        }
      }
    }
  }

  void rows() {
    for (std::int64_t i = 0; i < at(Opd::kRows); ++i) {
      for (std::int64_t k = 0; k < at(Opd::kN0); ++k) {
        if (in_.opcode == Opcode::kDot) {
          read(at(Opd::kA) + i * at(Opd::kAStride1) + k * size(Opd::kAType), size(Opd::kAType));
          read(at(Opd::kB) + i * at(Opd::kBStride1) + k * size(Opd::kBType), size(Opd::kBType));
          accumulate(at(Opd::kAcc) + i * 4, 4, at(Opd::kAccumulate) != 0);
        } else {
          const bool table = in_.opcode == Opcode::kSoftmaxTable;
          const std::int64_t in = table ? 2 : size(Opd::kInType);
          const std::int64_t out = table ? 2 : size(Opd::kOutType);
          read(at(Opd::kSrc) + i * at(Opd::kSrcStride1) + k * in, in);
          write(at(Opd::kDst) + i * at(Opd::kDstStride1) + k * out, out);
        }
      }
    }
    if (in_.opcode == Opcode::kSoftmax) read(at(Opd::kParams), 12);
    if (in_.opcode == Opcode::kSoftmaxTable) {
      read(at(Opd::kParams), 8);
      read(at(Opd::kTable), 2052);
    }
  }

  void map() {
    // The functions of two operands come first in the list.
    const bool binary = at(Opd::kFunction) <= 21 && at(Opd::kBImmediate) == 0;
    const auto address = [&](Opd base, Opd step, Opd stride1, Opd stride2, std::int64_t i0,
                             std::int64_t i1, std::int64_t i2) {
      return at(base) + i0 * at(step) + i1 * at(stride1) + i2 * at(stride2);
    };
    for (std::int64_t i2 = 0; i2 < at(Opd::kN2); ++i2) {
      for (std::int64_t i1 = 0; i1 < at(Opd::kN1); ++i1) {
        for (std::int64_t i0 = 0; i0 < at(Opd::kN0); ++i0) {
          const std::int64_t dst =
              address(Opd::kDst, Opd::kDstStep0, Opd::kDstStride1, Opd::kDstStride2, i0, i1, i2);
          read(address(Opd::kA, Opd::kAStep0, Opd::kAStride1, Opd::kAStride2, i0, i1, i2),
               size(Opd::kAType));
          if (binary) {
            read(address(Opd::kB, Opd::kBStep0, Opd::kBStride1, Opd::kBStride2, i0, i1, i2),
                 size(Opd::kBType));
          }
          if (at(Opd::kFunction) == 21) read(dst, size(Opd::kOutType));  // select keeps some
          write(dst, size(Opd::kOutType));
        }
      }
    }
  }

  void reduce() {
    for (std::int64_t i2 = 0; i2 < at(Opd::kN2); ++i2) {
      for (std::int64_t i1 = 0; i1 < at(Opd::kN1); ++i1) {
        for (std::int64_t j1 = 0; j1 < at(Opd::kR1); ++j1) {
          for (std::int64_t j0 = 0; j0 < at(Opd::kN0); ++j0) {
            read(at(Opd::kSrc) + i2 * at(Opd::kSrcStride2) + i1 * at(Opd::kSrcStride1) +
                     j1 * at(Opd::kRStride1) + j0 * at(Opd::kSrcStep0),
                 size(Opd::kInType));
          }
        }
        const std::int64_t dst =
            at(Opd::kDst) + i2 * at(Opd::kDstStride2) + i1 * at(Opd::kDstStride1);
        if (at(Opd::kAccumulate) != 0) read(dst, size(Opd::kOutType));
        write(dst, size(Opd::kOutType));
      }
    }
  }

  void output() {
    const bool raw = at(Opd::kRaw) != 0;
    const std::int64_t bytes = size(Opd::kOutType);
    for (std::int64_t y = 0; y < at(Opd::kOutH); ++y) {
      for (std::int64_t x = 0; x < at(Opd::kOutW); ++x) {
        const std::int64_t position = y * at(Opd::kOutW) + x;
        for (std::int64_t c = 0; c < at(Opd::kOutC); ++c) {
          touch(reads, Memory::kAccumulator,
                at(Opd::kAcc) + (position * at(Opd::kAccPitch) + c) * 4, 4);
          const std::int64_t dst =
              at(Opd::kDst) + y * at(Opd::kDstRowStride) + x * at(Opd::kDstPixelStride) + c * bytes;
          write(dst, bytes);
          if (raw) continue;
          read(at(Opd::kParams) + (at(Opd::kPerChannel) != 0 ? c : 0) * 8, 8);
          if (at(Opd::kScaleRows) != 0) read(at(Opd::kRowsAt) + position * 4, 4);
          if (at(Opd::kAccumulate) != 0) read(dst, bytes);
        }
      }
    }
  }

  void run() {
    switch (in_.opcode) {
      case Opcode::kHalt:
      case Opcode::kLoop:
      case Opcode::kSync:
        return;
      case Opcode::kDmaLoad:
        return dma(Memory::kDram, Memory::kScratchpad);
      case Opcode::kDmaStore:
        return dma(Memory::kScratchpad, Memory::kDram);
      case Opcode::kDmaCopy:
      case Opcode::kDmaFill:
        return dma(Memory::kScratchpad, Memory::kScratchpad);
      case Opcode::kLoadWeights:
        for (std::int64_t o = 0; o < at(Opd::kN); ++o) {
          for (std::int64_t k = 0; k < at(Opd::kK); ++k) read_weight(o, k);
        }
        return;
      case Opcode::kConv:
      case Opcode::kDepthwise:
        return convolution();
      case Opcode::kGemm:
        return gemm();
      case Opcode::kRequantize:
        return requantize();
      case Opcode::kMaxPool:
      case Opcode::kAvgPool:
        return pool();
      case Opcode::kReduceSum:
        return reduce_sum();
      case Opcode::kDot:
      case Opcode::kSoftmax:
      case Opcode::kSoftmaxTable:
        return rows();
      case Opcode::kMap:
        return map();
      case Opcode::kReduce:
        return reduce();
      case Opcode::kOutput:
        return output();
      default:
        return elementwise();
    }
  }

  const Instruction& in_;
};

}  // namespace npu::isa::test
