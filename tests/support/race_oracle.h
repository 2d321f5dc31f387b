#pragma once

#include "isa/program.h"

namespace npu::test {

/// Whether two instructions of different engines touch the same byte, one of them writing, with no
/// order between them: the definition, pair by pair over the transitive closure of queue order and
/// matched tokens. For programs that do not deadlock, of at most some thousand dynamic
/// instructions.
[[nodiscard]] bool has_race(const isa::Program& program);

}  // namespace npu::test
