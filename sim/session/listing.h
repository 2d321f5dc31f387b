#pragma once

#include <string>

#include "isa/program.h"

namespace npu::session {

/// The program as text that `npusim asm` reads back: one instruction per line with its index and
/// comment behind `#`, a line for each change of layer, provenance on top.
[[nodiscard]] std::string listing(const isa::Program& program);

}  // namespace npu::session
