#pragma once

#include <cstdint>
#include <random>
#include <utility>

#include "isa/instructions.h"
#include "tests/unit/compute/interpreter.h"

namespace npu::test {

/// Draws operands and memory contents from a fixed seed.
class Draw {
 public:
  explicit Draw(unsigned seed) : random_(seed) {}
  std::int64_t operator()(std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
  }
  bool chance(int in) { return (*this)(1, in) == 1; }
  Memories memories(std::size_t scratchpad_bytes, std::size_t accumulator_bytes) {
    Memories m;
    for (std::size_t i = 0; i < scratchpad_bytes; ++i)
      m.scratchpad.push_back(std::byte(random_() & 0xff));
    for (std::size_t i = 0; i < accumulator_bytes; ++i)
      m.accumulator.push_back(std::byte(random_() & 0xff));
    return m;
  }

 private:
  std::mt19937 random_;
};

inline isa::Instruction make(isa::Opcode opcode,
                             std::initializer_list<std::pair<isa::Opd, std::int64_t>> operands) {
  isa::Instruction i;
  i.opcode = opcode;
  for (const auto& [opd, value] : operands) i.set(opd, value);
  return i;
}

}  // namespace npu::test
