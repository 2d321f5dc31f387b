#pragma once

#include <array>
#include <cstdint>

#include "isa/instructions.h"

namespace npu::test {

struct Copy {
  std::int64_t src = 0, dst = 0, run = 0;
  std::array<std::int64_t, 3> count{1, 1, 1};
  std::array<std::int64_t, 3> src_stride{}, dst_stride{};
};

inline isa::Instruction dma_instruction(isa::Opcode opcode, const Copy& c) {
  using isa::Opd;
  isa::Instruction i;
  i.opcode = opcode;
  constexpr std::array kCounts{Opd::kN1, Opd::kN2, Opd::kN3};
  constexpr std::array kSrc{Opd::kSrcStride1, Opd::kSrcStride2, Opd::kSrcStride3};
  constexpr std::array kDst{Opd::kDstStride1, Opd::kDstStride2, Opd::kDstStride3};
  i.set(Opd::kN0, c.run);
  i.set(Opd::kDst, c.dst);
  if (opcode != isa::Opcode::kDmaFill) i.set(Opd::kSrc, c.src);
  for (std::size_t k = 0; k < 3; ++k) {
    i.set(kCounts[k], c.count[k]);
    i.set(kDst[k], c.dst_stride[k]);
    if (opcode != isa::Opcode::kDmaFill) i.set(kSrc[k], c.src_stride[k]);
  }
  return i;
}

inline isa::Instruction fill_instruction(const Copy& c, std::int64_t value,
                                         std::int64_t element_bytes) {
  isa::Instruction i = dma_instruction(isa::Opcode::kDmaFill, c);
  i.set(isa::Opd::kValue, value);
  i.set(isa::Opd::kElementBytes, element_bytes);
  return i;
}

}  // namespace npu::test
