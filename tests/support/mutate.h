#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "isa/program.h"
#include "tests/support/graph_maker.h"

namespace npu::test {

/// One small mistake in a program.
enum class Mistake : std::uint8_t {
  kDroppedWait,     ///< One bit of a wait mask.
  kDroppedSignal,   ///< One bit of a signal mask.
  kDroppedPair,     ///< A signal and the wait that takes its token.
  kShiftedAddress,  ///< By an element, a line of 64 bytes or a tile.
  kSwappedInOrder,  ///< Two neighbours of one engine.
  kSwappedAcross,   ///< Two neighbours of different engines, or one of them control.
  kShortenedDma,    ///< One of its counts less by one.
  kChangedOperand,  ///< Kernel, stride, padding, zero point, clamp, … by one; flags inverted.
  kChangedLoop,     ///< Count or step.
};
inline constexpr int kMistakeCount = 9;
[[nodiscard]] std::string_view name_of(Mistake mistake);

struct Mutant {
  isa::Program program;
  std::size_t index = 0;  ///< Instruction, static.
  std::string what;       ///< "instruction 7 mac.conv: x 0x400 -> 0x401".
};
/// The program with one random mistake of this kind; the operands still fit their fields. nullopt:
/// there is no place for it.
[[nodiscard]] std::optional<Mutant> mutate(const isa::Program& good, Mistake mistake, Draw& draw);

/// A signal and a wait that belong together in every iteration of the loops around them.
struct TokenPair {
  std::size_t giver = 0, taker = 0;  ///< Static indices.
  isa::Engine from = isa::Engine::kMacArray, to = isa::Engine::kMacArray;
};
[[nodiscard]] std::vector<TokenPair> token_pairs(const isa::Program& program);
[[nodiscard]] isa::Program without(isa::Program program, const TokenPair& pair);

}  // namespace npu::test
