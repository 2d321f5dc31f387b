#pragma once

#include "isa/instructions.h"
#include "tests/unit/compute/interpreter.h"

namespace npu::test {

/// Executes vec.map, vec.reduce, vec.output and the tiles and poolings of floats straight from the
/// instruction table and docs/numerics.md. @return false for any other instruction.
bool interpret_floats(const isa::Instruction& instruction, Memories& memories);

}  // namespace npu::test
