#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "isa/instructions.h"

namespace npu::isa {

/// One 512-bit instruction word, least significant 64 bits first.
using Word = std::array<std::uint64_t, 8>;
inline constexpr std::int64_t kWordBytes = 64;

/// The values that a field holds.
[[nodiscard]] std::int64_t min_of(const Field& field);
[[nodiscard]] std::int64_t max_of(const Field& field);

/// @throws Error if an operand does not fit its field, naming both, or if a control instruction has
/// tokens.
[[nodiscard]] Word encode(const Instruction& instruction);
/// One word per instruction.
[[nodiscard]] std::vector<Word> encode(const std::vector<Instruction>& code);

/// @throws Error on an unknown opcode or a set bit that the row does not use (control rows use no
/// tokens).
[[nodiscard]] Instruction decode(const Word& word);

/// One line: `dma.load channel=0 src=0x1000 dst=0x40 n0=64 … wait=mac,dma1 signal=vec`. Every
/// operand is printed by name except zero-valued patch operands of loop; addresses in hexadecimal,
/// `engine` by its name.
[[nodiscard]] std::string disassemble(const Instruction& instruction);

/// Inverse of disassemble; decimal or 0x hexadecimal; `#` starts a comment.
/// @throws Error `file:line:column: …` on unknown mnemonics or operands, duplicates, missing
/// operands (patch operands default to 0) and values out of range.
[[nodiscard]] std::vector<Instruction> assemble(std::string_view text, std::string_view file);

}  // namespace npu::isa
