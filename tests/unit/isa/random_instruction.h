#pragma once

#include <algorithm>
#include <random>

#include "isa/encoding.h"

namespace npu::isa::test {

/// Any values that the row's fields hold: ends of the range are as likely as the middle.
inline Instruction random_instruction(Opcode opcode, std::mt19937& rng) {
  Instruction instruction;
  instruction.opcode = opcode;
  const InstrSpec& spec = spec_of(opcode);
  if (spec.unit != Unit::kControl) {
    instruction.wait = static_cast<std::uint8_t>(rng() & rng());
    instruction.signal = static_cast<std::uint8_t>(rng() & rng());
  }
  for (std::size_t f = 0; f < spec.field_count; ++f) {
    const std::int64_t low = min_of(spec.fields[f]);
    const std::int64_t high = max_of(spec.fields[f]);
    std::int64_t value = std::uniform_int_distribution(low, high)(rng);
    switch (rng() % 8) {
      case 0:
        value = low;
        break;
      case 1:
        value = high;
        break;
      case 2:
        value = 0;
        break;
      case 3:
        value = std::clamp<std::int64_t>(value % 17, low, high);
        break;
      default:
        break;
    }
    instruction.values[f] = value;
  }
  return instruction;
}

}  // namespace npu::isa::test
