#include "sim/core/deadlock.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/core/program_builder.h"

namespace npu {
namespace {

using isa::Engine;
using machine_test::gemm;
using machine_test::kDma0;
using machine_test::kMac;
using machine_test::kVec;
using machine_test::load;
using machine_test::vec_max;

const isa::Program kProgram = machine_test::program_of(
    {load(0, 0, 0, 64, kMac), gemm(0, 64, 0, 1, 1, 1, kDma0 | kVec), vec_max(0, 0, 0, 1, kMac)});

TEST(Deadlock, NamesTheCycleWithInstructionsAndLayers) {
  const std::string text =
      describe_deadlock(1234, kProgram,
                        {{.engine = Engine::kMacArray, .index = 1, .missing = kDma0},
                         {.engine = Engine::kVector},
                         {.engine = Engine::kDma0, .index = 0, .missing = kMac}},
                        {.index = 3, .halted = true, .stalled_on = {}});
  EXPECT_EQ(text,
            "deadlock at cycle 1234: wait-for cycle mac -> dma0 -> mac: mac waits at instruction 1 "
            "mac.gemm of CONV_2D #0 for a token from dma0; dma0 waits at instruction 0 dma.load of "
            "CONV_2D #0 for a token from mac");
}

TEST(Deadlock, PrefersACycleToAChain) {
  // mac lacks tokens of vec, which is idle for good, and of dma0, which lacks one of mac.
  const std::string text =
      describe_deadlock(5, kProgram,
                        {{.engine = Engine::kMacArray, .index = 1, .missing = kVec | kDma0},
                         {.engine = Engine::kVector},
                         {.engine = Engine::kDma0, .index = 0, .missing = kMac}},
                        {.index = 3, .halted = true, .stalled_on = {}});
  EXPECT_THAT(text, testing::HasSubstr("wait-for cycle mac -> dma0 -> mac"));
  EXPECT_THAT(text, testing::HasSubstr("for a token from vec and dma0"));
}

TEST(Deadlock, AChainEndsAtTheEngineThatWillNeverGive) {
  const std::string text = describe_deadlock(
      7, kProgram,
      {{.engine = Engine::kMacArray, .index = 1, .missing = kVec}, {.engine = Engine::kVector}},
      {.index = 3, .halted = true, .stalled_on = {}});
  EXPECT_THAT(text, testing::HasSubstr("wait for a token that never comes mac -> vec: "));
  EXPECT_THAT(text,
              testing::HasSubstr("vec is idle, its queue empty, and has no instruction to come"));
}

TEST(Deadlock, AChainEndsAtAnInstructionThatNeverCompletes) {
  const std::string text =
      describe_deadlock(7, kProgram,
                        {{.engine = Engine::kMacArray, .index = 1, .missing = kVec},
                         {.engine = Engine::kVector, .index = 2, .executing = true}},
                        {.index = 3, .halted = true, .stalled_on = {}});
  EXPECT_THAT(text, testing::HasSubstr("vec never completed its instruction"));
}

TEST(Deadlock, AnIdleEngineWaitsForTheSequencerAndThatForAFullQueue) {
  const std::string text =
      describe_deadlock(9, kProgram,
                        {{.engine = Engine::kMacArray, .index = 1, .missing = kDma0},
                         {.engine = Engine::kVector},
                         {.engine = Engine::kDma0}},
                        {.index = 1, .halted = false, .stalled_on = Engine::kMacArray});
  EXPECT_THAT(text, testing::HasSubstr("wait-for cycle mac -> dma0 -> sequencer -> mac"));
  EXPECT_THAT(text, testing::HasSubstr("dma0 is idle, its queue empty;"));
  EXPECT_THAT(text, testing::HasSubstr("sequencer cannot dispatch instruction 1 mac.gemm of "
                                       "CONV_2D #0: the queue of mac is full"));
}

TEST(Deadlock, ListsTheOthersThatWait) {
  const std::string text =
      describe_deadlock(9, kProgram,
                        {{.engine = Engine::kMacArray, .index = 1, .missing = kDma0},
                         {.engine = Engine::kVector, .index = 2, .missing = kMac},
                         {.engine = Engine::kDma0, .index = 0, .missing = kMac}},
                        {.index = 3, .halted = true, .stalled_on = {}});
  EXPECT_THAT(text, testing::EndsWith("vec waits at instruction 2 vec.max of CONV_2D #0 for a "
                                      "token from mac"));
}

}  // namespace
}  // namespace npu
