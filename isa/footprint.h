#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "isa/instructions.h"

namespace npu::isa {

/// A strided box of bytes: run bytes at base + i0·stride[0] + i1·stride[1] + i2·stride[2], ik <
/// count[k]. Counts are ≥ 1; strides may be negative or zero.
struct Region {
  Memory memory = Memory::kScratchpad;
  std::int64_t base = 0;
  std::int64_t run = 0;
  std::array<std::int64_t, 3> count{1, 1, 1};
  std::array<std::int64_t, 3> stride{0, 0, 0};

  /// First byte and one past the last.
  [[nodiscard]] std::int64_t low() const;
  [[nodiscard]] std::int64_t high() const;
  [[nodiscard]] std::int64_t bytes() const { return run * count[0] * count[1] * count[2]; }
};

/// The bytes an instruction reads and writes: exact, and the one definition that the compiler's
/// token insertion, the hazard checker and the bounds check share. Padding taps read nothing. Conv
/// reads are given per row and pixel range that some tap touches.
struct Footprint {
  std::vector<Region> reads, writes;
};
[[nodiscard]] Footprint footprint(const Instruction& instruction);
/// The same into `out`, whose vectors are reused. Every region is canonical: strides positive and
/// ascending, bytes that several steps touch named once where boxes allow.
void footprint(const Instruction& instruction, Footprint& out);

/// The same bytes as a box of few dimensions: those that continue or overlap the run, or each
/// other, are merged; strides become positive and ascend. Run and counts must be at least 1.
[[nodiscard]] Region canonical(Region region);

}  // namespace npu::isa
