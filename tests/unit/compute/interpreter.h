#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "isa/instructions.h"
#include "sim/base/fixed_point.h"

namespace npu::test {

/// The two memories that the instructions of the MAC array and the vector unit work on.
struct Memories {
  std::vector<std::byte> scratchpad, accumulator;
};

/// Executes one mac.* tile or vec.* instruction straight from the semantics column of the
/// instruction table: nested loops over single elements, nothing shared with the units.
void interpret(const isa::Instruction& instruction, Rounding rounding, Memories& memories);

}  // namespace npu::test
