#include "kernels/lowering/loops.h"

#include <gtest/gtest.h>

#include <random>

#include "isa/unroll.h"

namespace npu::kernels {
namespace {

using isa::Instruction;
using isa::Opcode;
using isa::Opd;

CodeLine load(std::int64_t src, std::int64_t dst, std::uint8_t wait = 0) {
  Instruction i;
  i.opcode = Opcode::kDmaLoad;
  i.wait = wait;
  i.set(Opd::kSrc, src);
  i.set(Opd::kDst, dst);
  i.set(Opd::kN0, 64);
  i.set(Opd::kN1, 1);
  i.set(Opd::kN2, 1);
  i.set(Opd::kN3, 1);
  return {i, 0, ""};
}

std::vector<Instruction> unrolled(const std::vector<CodeLine>& lines) {
  std::vector<Instruction> code;
  for (const CodeLine& l : lines) code.push_back(l.instruction);
  code.emplace_back();
  isa::Unroller unroller(code);
  std::vector<Instruction> out;
  Instruction i;
  std::int32_t index = 0;
  while (unroller.next(i, index)) out.push_back(i);
  return out;
}

std::vector<Instruction> plain(const std::vector<CodeLine>& lines) {
  std::vector<Instruction> out;
  for (const CodeLine& l : lines) out.push_back(l.instruction);
  return out;
}

TEST(RollLoops, FindsADoubleBufferedPattern) {
  std::vector<CodeLine> code;
  for (int i = 0; i < 50; ++i) code.push_back(load(i * 64, (i % 2) * 64, i < 2 ? 0 : 1));
  const std::vector<CodeLine> rolled = roll_loops(code);
  EXPECT_LE(rolled.size(), 6U);
  EXPECT_EQ(unrolled(rolled), plain(code));
}

TEST(RollLoops, KeepsWhatDoesNotRepeat) {
  std::mt19937_64 rng(3);
  std::vector<CodeLine> code;
  for (int i = 0; i < 40; ++i) {
    code.push_back(
        load(static_cast<std::int64_t>(rng() % 100000), static_cast<std::int64_t>(rng() % 1000)));
  }
  EXPECT_EQ(roll_loops(code).size(), code.size());
}

TEST(RollLoops, UnrollsToTheInputOnRandomRepetitions) {
  std::mt19937_64 rng(7);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<CodeLine> code;
    while (code.size() < 120) {
      const auto length = 1 + rng() % 5;
      const auto count = 1 + rng() % 8;
      const auto step = static_cast<std::int64_t>(rng() % 3) * 64;
      std::vector<CodeLine> body;
      for (std::size_t i = 0; i < length; ++i) {
        body.push_back(load(static_cast<std::int64_t>(rng() % 4096),
                            static_cast<std::int64_t>(rng() % 4) * 64,
                            static_cast<std::uint8_t>(rng() % 2)));
      }
      for (std::size_t c = 0; c < count; ++c) {
        for (CodeLine l : body) {
          l.instruction.set(Opd::kSrc,
                            l.instruction[Opd::kSrc] + static_cast<std::int64_t>(c) * step);
          code.push_back(l);
        }
      }
    }
    EXPECT_EQ(unrolled(roll_loops(code)), plain(code));
  }
}

}  // namespace
}  // namespace npu::kernels
