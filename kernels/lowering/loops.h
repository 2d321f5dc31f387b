#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "isa/instructions.h"

namespace npu::kernels {

/// One line of code before it becomes part of the program.
struct CodeLine {
  isa::Instruction instruction;
  std::int32_t layer = -1;
  std::string_view comment;
};

/// Replaces repetitions by hardware loops: a block of up to kLongestBody instructions that is
/// followed by blocks equal to it but for operands that grow by the same step each time. Unrolling
/// the result gives the input back, instruction for instruction.
[[nodiscard]] std::vector<CodeLine> roll_loops(const std::vector<CodeLine>& code);
inline constexpr std::size_t kLongestBody = 32;

}  // namespace npu::kernels
