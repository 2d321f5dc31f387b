#include "isa/markdown.h"

#include <iterator>

#include "isa/encoding.h"
#include "sim/base/error.h"

namespace npu::isa {
namespace {

constexpr std::string_view kPreface = R"(# npusim instruction set

Generated from the table in `isa/instructions.cpp`; a test keeps the two equal. Regenerate with
`NPUSIM_UPDATE=1 test_unit_isa --gtest_filter='Markdown.*'`.

An instruction is one 512-bit little-endian word of tile granularity. Bits [7:0] hold the opcode, [15:8] the wait mask,
[23:16] the signal mask, [31:24] zero; the operands follow from bit 32 up in the order listed, without gaps. Unused bits are
zero.

- **Tokens.** Bit e of the wait mask takes one token that engine e gave to this instruction's engine, before it starts; bit e of
  the signal mask gives one token to engine e when it has completed. Each ordered pair of engines has one counter. Nothing
  else orders engines. Each engine runs its own instructions in program order.
- **Engines** (bit numbers): )";

constexpr std::string_view kConventions = R"(
- **Addresses** count bytes: `spm[…]` is the scratchpad, `dram[…]` the DRAM, `acc[…]` the accumulators. Strides count bytes, except
  `acc_pitch`, which counts accumulator elements (4 bytes; 8 when `wide`). The accumulator address counts bytes.
- **Element types** (`*_type`): 0 int8, 1 uint8, 2 int16, 3 int32, 4 float16, 5 bfloat16, 6 float32.
- **Iteration**: n0 is the innermost dimension and contiguous; every count is at least 1.
- **Loops**: a loop's body must lie inside its parent's; patches may not change control instructions; halt stands outside loops.

| opcode | mnemonic | engine | operand bits |
|---|---|---|---|
)";

std::string_view unit_name(Unit unit) {
  switch (unit) {
    case Unit::kControl:
      return "sequencer";
    case Unit::kDma:
      return "DMA channel `channel`";
    case Unit::kMacArray:
      return "MAC array";
    case Unit::kVector:
      return "vector unit";
    case Unit::kAny:
      return "`engine`";
  }
  return "?";
}

std::size_t operand_bits(const InstrSpec& spec) {
  std::size_t bits = 0;
  for (std::size_t f = 0; f < spec.field_count; ++f) bits += spec.fields[f].width;
  return bits;
}

}  // namespace

std::string isa_markdown() {
  std::string text(kPreface);
  const auto out = std::back_inserter(text);
  for (int e = 0; e < kEngineCount; ++e) {
    fmt::format_to(out, "{}{} `{}`", e == 0 ? "" : ", ", e, name_of(static_cast<Engine>(e)));
  }
  text += '.';
  text += kConventions;
  for (const InstrSpec& spec : instruction_table()) {
    fmt::format_to(
        out, "| {:#04x} | [`{}`](#{}) | {} | {} |\n", static_cast<int>(spec.opcode), spec.mnemonic,
        [&] {
          std::string anchor;
          for (const char c : spec.mnemonic) {
            if (c != '.') anchor += c;
          }
          return anchor;
        }(),
        unit_name(spec.unit), operand_bits(spec));
  }
  for (const InstrSpec& spec : instruction_table()) {
    fmt::format_to(out, "\n## {}\n\n    {}\n", spec.mnemonic, spec.semantics);
    if (spec.field_count == 0) continue;
    text += "\n| operand | bits | values |\n|---|---|---|\n";
    std::size_t at = 32;
    for (std::size_t f = 0; f < spec.field_count; ++f) {
      const Field& field = spec.fields[f];
      fmt::format_to(out, "| `{}` | [{}:{}] | {} to {} |\n", name_of(field.opd),
                     at + field.width - 1, at, min_of(field), max_of(field));
      at += field.width;
    }
  }
  text += "\n## Operand numbers\n\nFor `patch*_opd`:";
  for (std::size_t i = 0; i < kOpdCount; ++i) {
    fmt::format_to(out, "{}{} {}", i == 0 ? " " : ", ", i, name_of(static_cast<Opd>(i)));
  }
  text += ".\n";
  return text;
}

}  // namespace npu::isa
