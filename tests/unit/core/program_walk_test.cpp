#include "sim/core/program_walk.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "isa/unroll.h"
#include "tests/unit/core/program_builder.h"

namespace npu {
namespace {

using isa::Engine;
using machine_test::halt;
using machine_test::loop;
using machine_test::sync;

std::vector<std::size_t> words(const std::vector<isa::Instruction>& code) {
  ProgramWalk walk(code);
  std::vector<std::size_t> result;
  for (; code[walk.pc()].opcode != isa::Opcode::kHalt; walk.advance()) result.push_back(walk.pc());
  return result;
}

const isa::Instruction kWork = sync(Engine::kVector, 0, 0);

TEST(ProgramWalk, StraightCode) {
  EXPECT_THAT(words({kWork, kWork, halt()}), testing::ElementsAre(0, 1));
}

TEST(ProgramWalk, LoopOfOneWord) {
  EXPECT_THAT(words({loop(3, 1), kWork, kWork, halt()}), testing::ElementsAre(0, 1, 1, 1, 2));
}

TEST(ProgramWalk, NestedLoopsThatEndTogether) {
  EXPECT_THAT(words({loop(2, 3), kWork, loop(2, 1), kWork, halt()}),
              testing::ElementsAre(0, 1, 2, 3, 3, 1, 2, 3, 3));
}

TEST(ProgramWalk, VisitsTheInstructionsOfTheUnroller) {
  const std::vector<isa::Instruction> code = {kWork, loop(3, 5), kWork,      loop(2, 2), kWork,
                                              kWork, kWork,      loop(1, 1), kWork,      halt()};
  isa::Unroller unroller(code);
  ProgramWalk walk(code);
  isa::Instruction instruction;
  std::int32_t index = -1;
  while (unroller.next(instruction, index)) {
    while (code[walk.pc()].opcode == isa::Opcode::kLoop) walk.advance();
    EXPECT_EQ(walk.pc(), static_cast<std::size_t>(index));
    walk.advance();
  }
  EXPECT_EQ(code[walk.pc()].opcode, isa::Opcode::kHalt);
}

TEST(ProgramWalk, KeepsTheOutermostLoopThatFits) {
  const std::vector<isa::Instruction> code = {loop(2, 4), kWork, loop(2, 2), kWork, kWork, halt()};
  ProgramWalk walk(code);
  EXPECT_EQ(walk.keep_from(4), 0U);
  for (int i = 0; i < 4; ++i) walk.advance();  // the second word of the inner body
  EXPECT_EQ(walk.pc(), 4U);
  EXPECT_EQ(walk.keep_from(4), 1U);
  EXPECT_EQ(walk.keep_from(3), 3U);
  EXPECT_EQ(walk.keep_from(2), 3U);
  EXPECT_EQ(walk.keep_from(1), 4U);
}

}  // namespace
}  // namespace npu
