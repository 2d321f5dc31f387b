#pragma once

#include <string>

namespace npu::isa {

/// The reference manual of the instruction set, generated from the instruction table: the content
/// of isa/ISA.md.
[[nodiscard]] std::string isa_markdown();

}  // namespace npu::isa
