#include "sim/core/execution_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "sim/base/error.h"
#include "sim/core/sanitizer_stack.h"
#include "tests/unit/core/program_builder.h"

namespace npu {
namespace {

using isa::Engine;
using machine_test::kDma0;
using machine_test::kMac;

/// A MAC engine over a unit with made-up latencies: instruction i blocks the engine for block[i]
/// cycles and completes complete[i] cycles after its start.
class EngineTest : public testing::Test {
 protected:
  void build(int depth) {
    engine = std::make_unique<ExecutionEngine>(
        "engine", Engine::kMacArray, depth, clock, tokens, timeline, fault,
        ExecutionEngine::Hooks{[this](const Dispatched& d) { return execute(d); },
                               [this](Engine, const Completion& c) { done.push_back(c); }});
  }

  std::uint64_t execute(const Dispatched& d) {
    const std::uint64_t start = clock.now();
    starts.push_back(start);
    const auto i = static_cast<std::size_t>(d.index);
    timeline.advance(Bucket::kBusy, std::max(timeline.accounted(), start + complete[i]));
    clock.wait_until(start + block[i]);
    return start + complete[i];
  }

  void push(std::int32_t index, std::uint8_t wait = 0, std::uint8_t signal = 0) {
    isa::Instruction in;
    in.opcode = isa::Opcode::kGemm;
    in.wait = wait;
    in.signal = signal;
    engine->push({in, index, 0});
  }

  /// Runs up to `cycle`.
  void run_to(std::uint64_t cycle) {
    sc_core::sc_start(clock.at(cycle) - sc_core::sc_time_stamp());
    restore_sanitizer_stack();
    fault.rethrow();
  }

  [[nodiscard]] std::vector<std::uint64_t> completion_cycles() const {
    std::vector<std::uint64_t> cycles;
    for (const Completion& c : done) cycles.push_back(c.cycle);
    return cycles;
  }

  CoreClock clock{1000};
  TokenBoard tokens;
  Timeline timeline;
  FaultSlot fault;
  std::unique_ptr<ExecutionEngine> engine;
  std::vector<std::uint64_t> block{0, 0, 0}, complete{0, 0, 0};
  std::vector<std::uint64_t> starts;
  std::vector<Completion> done;
};

TEST_F(EngineTest, TokensAreGivenInTheCycleOfCompletion) {
  build(4);
  complete[0] = 10;
  push(0, 0, kDma0);
  run_to(9);
  EXPECT_EQ(tokens.count(Engine::kMacArray, Engine::kDma0), 0U);
  EXPECT_FALSE(engine->drained());
  run_to(11);
  EXPECT_EQ(tokens.count(Engine::kMacArray, Engine::kDma0), 1U);
  EXPECT_TRUE(engine->drained());
  EXPECT_THAT(completion_cycles(), testing::ElementsAre(10));
}

TEST_F(EngineTest, TheNextStartsWhenTheUnitAllowsNotWhenTheOneBeforeCompletes) {
  build(4);
  block = {3, 0, 0};
  complete = {10, 12, 0};
  push(0);
  push(1);
  run_to(100);
  EXPECT_THAT(starts, testing::ElementsAre(0, 3));
  EXPECT_THAT(completion_cycles(), testing::ElementsAre(10, 15));
  EXPECT_EQ(done[0].busy_cycles, 10U);
  EXPECT_EQ(done[1].busy_cycles, 5U);
}

TEST_F(EngineTest, WaitsForEveryTokenAndAccountsIt) {
  build(4);
  complete[0] = 5;
  push(0, kDma0 | kMac);
  tokens.give(Engine::kMacArray, kMac);
  run_to(20);
  EXPECT_TRUE(starts.empty());
  tokens.give(Engine::kDma0, kMac);
  run_to(40);
  EXPECT_THAT(starts, testing::ElementsAre(20));
  EXPECT_EQ(timeline.cycles(Bucket::kWaitDependency), 20U);
  EXPECT_EQ(timeline.cycles(Bucket::kBusy), 5U);
  EXPECT_EQ(tokens.count(Engine::kDma0, Engine::kMacArray), 0U);
}

TEST_F(EngineTest, AnEmptyQueueIsIdle) {
  build(4);
  complete[0] = 1;
  run_to(30);
  push(0);
  run_to(40);
  EXPECT_EQ(timeline.cycles(Bucket::kIdle), 30U);
}

TEST_F(EngineTest, AnInstructionLeavesTheQueueWhenItStarts) {
  build(2);
  push(0, kDma0);
  EXPECT_FALSE(engine->full());
  push(1);
  EXPECT_TRUE(engine->full());
  EXPECT_THROW(push(2), std::logic_error);
  run_to(5);
  EXPECT_TRUE(engine->full());
  tokens.give(Engine::kDma0, kMac);
  block[0] = complete[0] = 10;
  run_to(6);
  EXPECT_FALSE(engine->full());
  EXPECT_EQ(engine->queued(), 1U);
  EXPECT_TRUE(engine->executing());
}

TEST_F(EngineTest, SyncCompletesWithTheInstructionBeforeIt) {
  build(4);
  complete[0] = 10;
  push(0, 0, kDma0);
  engine->push({machine_test::sync(Engine::kMacArray, 0, kDma0), 1, 0});
  run_to(9);
  EXPECT_EQ(tokens.count(Engine::kMacArray, Engine::kDma0), 0U);
  run_to(11);
  EXPECT_EQ(tokens.count(Engine::kMacArray, Engine::kDma0), 2U);
  EXPECT_THAT(completion_cycles(), testing::ElementsAre(10, 10));
}

TEST_F(EngineTest, CompletionsMustNotOvertake) {
  build(4);
  complete = {10, 5, 0};
  push(0);
  push(1);
  EXPECT_THROW(run_to(20), std::logic_error);
}

TEST_F(EngineTest, AnExceptionOfTheUnitKeepsItsType) {
  engine = std::make_unique<ExecutionEngine>(
      "engine", Engine::kMacArray, 1, clock, tokens, timeline, fault,
      ExecutionEngine::Hooks{
          [](const Dispatched&) -> std::uint64_t { throw RunFault("unit is on fire"); },
          [](Engine, const Completion&) {}});
  push(0);
  try {
    run_to(5);
    FAIL();
  } catch (const RunFault& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr("unit is on fire"));
  }
}

}  // namespace
}  // namespace npu
