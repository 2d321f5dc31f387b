#include "sim/compute/vector_unit.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "sim/base/error.h"
#include "sim/base/function.h"
#include "tests/unit/compute/interpreter.h"
#include "tests/unit/compute/random_operands.h"
#include "tests/unit/compute/unit_fixture.h"

namespace npu {
namespace {

using isa::Opcode;
using isa::Opd;

class VectorUnitTest : public test::UnitTest {
 protected:
  void build(int bytes_per_cycle, bool with_data) {
    make_memories(bytes_per_cycle, with_data);
    VectorConfig config;
    config.lanes = 8;
    config.latency_cycles = 4;
    unit =
        std::make_unique<VectorUnit>("vector", config, clock, *scratchpad, *accumulator, recorder);
  }
  /// 80 results: 10 cycles and the latency.
  static isa::Instruction requantize() {
    return test::make(Opcode::kRequantize, {{Opd::kAcc, 0},
                                            {Opd::kDst, 4096},
                                            {Opd::kParams, 0},
                                            {Opd::kAccPitch, 8},
                                            {Opd::kOutH, 1},
                                            {Opd::kOutW, 10},
                                            {Opd::kOutC, 8},
                                            {Opd::kDstPixelStride, 8},
                                            {Opd::kPerChannel, 1},
                                            {Opd::kClampMin, -128},
                                            {Opd::kClampMax, 127}});
  }
  std::unique_ptr<VectorUnit> unit;
};

TEST_F(VectorUnitTest, InstructionsFollowOneAnother) {
  build(4096, false);
  run([&] {
    EXPECT_EQ(unit->execute(requantize(), 0, 0), 14U);
    EXPECT_EQ(clock.now(), 14U);
    EXPECT_EQ(unit->execute(requantize(), 0, 0), 28U);
  });
  EXPECT_EQ(unit->timeline().cycles(Bucket::kBusy), 20U);
  EXPECT_EQ(unit->timeline().cycles(Bucket::kFillDrain), 8U);
  EXPECT_EQ(test::sum_of(unit->timeline()), 28U);
}

TEST_F(VectorUnitTest, CountsWhatItMoves) {
  build(4096, false);
  run([&] { unit->execute(requantize(), 0, 0); });
  EXPECT_EQ(total(Event::kVectorOp), 80U);
  EXPECT_EQ(total(Event::kAccumulatorRead), 320U);
  EXPECT_EQ(total(Event::kScratchpadRead), 8U * 12);
  EXPECT_EQ(total(Event::kScratchpadWrite), 80U);
}

TEST_F(VectorUnitTest, WorkInFloatsCountsApart) {
  build(4096, false);
  isa::Instruction exponential =
      test::make(Opcode::kMap, {{Opd::kDst, 4096},
                                {Opd::kN0, 80},
                                {Opd::kN1, 1},
                                {Opd::kN2, 1},
                                {Opd::kAStep0, 4},
                                {Opd::kDstStep0, 2},
                                {Opd::kAType, 6},
                                {Opd::kOutType, 4},
                                {Opd::kFunction, static_cast<std::int64_t>(MapFunction::kExp)}});
  run([&] { EXPECT_EQ(unit->execute(exponential, 0, 0), 44U); });  // function_cycles 4
  EXPECT_EQ(total(Event::kVectorFloatOp), 320U);
  EXPECT_EQ(total(Event::kVectorOp), 0U);
  EXPECT_EQ(total(Event::kScratchpadRead), 320U);
  EXPECT_EQ(total(Event::kScratchpadWrite), 160U);
}

TEST_F(VectorUnitTest, BankWaitsLengthenAnInstruction) {
  build(16, false);  // 320 accumulator bytes need 20 cycles
  run([&] { EXPECT_EQ(unit->execute(requantize(), 0, 0), 20U); });
  EXPECT_EQ(unit->timeline().cycles(Bucket::kWaitBank), 6U);
  EXPECT_EQ(test::sum_of(unit->timeline()), 20U);
}

TEST_F(VectorUnitTest, ResultsAreInTheScratchpad) {
  build(4096, true);
  test::Draw draw(50);
  test::Memories memories = draw.memories(scratchpad->data().size(), accumulator->data().size());
  std::memcpy(scratchpad->data().data(), memories.scratchpad.data(), memories.scratchpad.size());
  std::memcpy(accumulator->data().data(), memories.accumulator.data(), memories.accumulator.size());
  test::interpret(requantize(), Rounding::kTfliteDouble, memories);
  run([&] { unit->execute(requantize(), 0, 0); });
  EXPECT_EQ(std::memcmp(scratchpad->data().data(), memories.scratchpad.data(),
                        memories.scratchpad.size()),
            0);
}

TEST_F(VectorUnitTest, OperandsBeyondAMemoryAreAFault) {
  build(4096, false);
  isa::Instruction i = requantize();
  i.set(Opd::kDst, (1 << 18) - 79);
  std::string message;
  try {
    run([&] { unit->execute(i, 3, 0); });
  } catch (const RunFault& fault) {
    message = fault.what();
  }
  EXPECT_EQ(message,
            "instruction 3: vec.requantize: dst covers bytes 262065 to 262145, beyond the memory's "
            "262144 bytes");
}

}  // namespace
}  // namespace npu
