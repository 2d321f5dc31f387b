#include "sim/compute/mac_array.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "sim/base/error.h"
#include "tests/unit/compute/interpreter.h"
#include "tests/unit/compute/random_operands.h"
#include "tests/unit/compute/unit_fixture.h"

namespace npu {
namespace {

using isa::Opcode;
using isa::Opd;
using test::make;

constexpr std::int64_t kWeights = 1 << 16;

class MacArrayTest : public test::UnitTest {
 protected:
  void build(Dataflow dataflow = Dataflow::kWeightStationary, int bytes_per_cycle = 4096,
             bool with_data = true) {
    make_memories(bytes_per_cycle, with_data);
    config.kind = ArrayKind::kSystolic;
    config.dataflow = dataflow;
    config.rows = 8;
    config.cols = 8;
    config.bfloat16_cycles = 2;
    config.float32_cycles = 4;
    config.weight_load_bytes_per_cycle = 8;
    array = std::make_unique<MacArray>("mac", config, clock, *scratchpad, *accumulator, recorder);
    if (!with_data) return;
    test::Draw draw(40);
    memories = draw.memories(scratchpad->data().size(), accumulator->data().size());
    std::memcpy(scratchpad->data().data(), memories.scratchpad.data(), memories.scratchpad.size());
    std::memcpy(accumulator->data().data(), memories.accumulator.data(),
                memories.accumulator.size());
  }
  /// [m, 8] x [8, 8] unless said otherwise.
  static isa::Instruction gemm(std::int64_t m, std::int64_t k = 8, bool loaded = false,
                               std::int64_t w = kWeights) {
    return make(Opcode::kGemm, {{Opd::kX, 0},
                                {Opd::kW, w},
                                {Opd::kAcc, 0},
                                {Opd::kRowStride, k},
                                {Opd::kWStride, k},
                                {Opd::kAccPitch, 8},
                                {Opd::kM, m},
                                {Opd::kN, 8},
                                {Opd::kK, k},
                                {Opd::kWeightsLoaded, loaded ? 1 : 0}});
  }
  static isa::Instruction load(std::int64_t w = kWeights, std::int64_t k = 8, std::int64_t n = 8) {
    return make(Opcode::kLoadWeights,
                {{Opd::kW, w}, {Opd::kWStride, 8}, {Opd::kN, n}, {Opd::kK, k}});
  }
  /// Executes the instructions in order; completion and return cycles of each.
  void execute(const std::vector<isa::Instruction>& program) {
    run([&] {
      std::int32_t index = 0;
      for (const isa::Instruction& i : program) {
        completed.push_back(array->execute(i, index++, 0));
        returned.push_back(clock.now());
      }
    });
  }
  std::string fault(const std::vector<isa::Instruction>& program) {
    try {
      execute(program);
    } catch (const RunFault& f) {
      return f.what();
    }
    return "no fault";
  }

  MacArrayConfig config;
  std::unique_ptr<MacArray> array;
  test::Memories memories;
  std::vector<std::uint64_t> completed, returned;
};

TEST_F(MacArrayTest, ATileTakesItsClosedForm) {
  build();
  execute({gemm(20)});
  EXPECT_EQ(completed[0], 8U + 20 + 14);  // preload, stream, skew
  EXPECT_EQ(returned[0], 8U);             // the shadow registers are free once the stream begins
  EXPECT_EQ(array->timeline().cycles(Bucket::kBusy), 20U);
  EXPECT_EQ(array->timeline().cycles(Bucket::kFillDrain), 22U);
  EXPECT_EQ(test::sum_of(array->timeline()), completed[0]);
}

TEST_F(MacArrayTest, TilesDoNotOverlap) {
  build();
  execute({gemm(20), gemm(20)});
  EXPECT_EQ(completed[1], 2 * (8U + 20 + 14));
  EXPECT_EQ(test::sum_of(array->timeline()), completed[1]);
}

TEST_F(MacArrayTest, AWeightLoadHidesBehindTheTileBefore) {
  build();
  execute({gemm(20), load(), gemm(20, 8, true)});
  EXPECT_EQ(returned[1], 8U);             // began when the first tile had swapped its weights in
  EXPECT_EQ(completed[1], completed[0]);  // done at 16, but completions stay in order
  EXPECT_EQ(completed[2], completed[0] + 20 + 14);
  EXPECT_EQ(test::sum_of(array->timeline()), completed[2]);
}

TEST_F(MacArrayTest, AnExposedWeightLoadDelaysItsTileAndIsFillDrain) {
  build();
  execute({load(), gemm(20, 8, true)});
  EXPECT_EQ(completed[0], 8U);
  EXPECT_EQ(completed[1], 8U + 20 + 14);
  EXPECT_EQ(array->timeline().cycles(Bucket::kFillDrain), 8U + 14);
  EXPECT_EQ(test::sum_of(array->timeline()), completed[1]);
}

TEST_F(MacArrayTest, ALoadLongerThanTheTileShowsItsRest) {
  config.weight_load_bytes_per_cycle = 1;
  build();
  config.weight_load_bytes_per_cycle = 1;
  array.reset();
  array = std::make_unique<MacArray>("slow", config, clock, *scratchpad, *accumulator, recorder);
  execute({load(), gemm(4, 8, true), load(), gemm(4, 8, true)});
  // Loads take 64 cycles, tiles 18: the second load begins with the first tile at 64.
  EXPECT_EQ(completed[1], 64U + 18);
  EXPECT_EQ(completed[3], 128U + 18);
  EXPECT_EQ(array->timeline().cycles(Bucket::kBusy), 8U);
  EXPECT_EQ(test::sum_of(array->timeline()), completed[3]);
}

TEST_F(MacArrayTest, SingleRegistersLoadOnlyAfterTheTile) {
  config.double_buffered_weights = false;
  build();
  execute({gemm(20), load(), gemm(20, 8, true)});
  EXPECT_EQ(returned[0], completed[0]);
  EXPECT_EQ(completed[1], completed[0] + 8);
  EXPECT_EQ(completed[2], completed[1] + 34);
}

TEST_F(MacArrayTest, IdleTimeBeforeATileIsIdle) {
  build();
  run([&] {
    sc_core::wait(clock.at(100));
    completed.push_back(array->execute(gemm(20), 0, 0));
  });
  EXPECT_EQ(completed[0], 142U);
  EXPECT_EQ(array->timeline().cycles(Bucket::kIdle), 100U);
  EXPECT_EQ(test::sum_of(array->timeline()), 142U);
}

TEST_F(MacArrayTest, TooNarrowAMemoryStretchesTheTile) {
  // The accumulators take 20·8 sums of 4 bytes: 640 bytes at 8 bytes per cycle need 80 cycles, the
  // tile 42.
  build(Dataflow::kWeightStationary, 8);
  execute({gemm(20)});
  EXPECT_EQ(completed[0], 80U);
  EXPECT_EQ(array->timeline().cycles(Bucket::kWaitBank), 80U - 42);
  EXPECT_EQ(test::sum_of(array->timeline()), 80U);
}

TEST_F(MacArrayTest, ResultsAreInTheAccumulators) {
  build();
  isa::Instruction tile = gemm(20, 40);
  tile.set(Opd::kAccumulate, 1);
  test::interpret(tile, Rounding::kTfliteDouble, memories);
  execute({tile});
  EXPECT_EQ(std::memcmp(accumulator->data().data(), memories.accumulator.data(),
                        memories.accumulator.size()),
            0);
}

TEST_F(MacArrayTest, ALoadedTileUsesTheBytesOfTheLoad) {
  build();
  test::interpret(gemm(4), Rounding::kTfliteDouble, memories);
  run([&] {
    array->execute(load(), 0, 0);
    std::memset(scratchpad->data().data() + kWeights, 0, 64);  // overwritten after the load
    array->execute(gemm(4, 8, true), 1, 0);
  });
  EXPECT_EQ(std::memcmp(accumulator->data().data(), memories.accumulator.data(),
                        memories.accumulator.size()),
            0);
}

TEST_F(MacArrayTest, CountsWhatItMoves) {
  build();
  execute({load(), gemm(20, 8, true)});
  EXPECT_EQ(total(Event::kMacInt8), 20U * 8 * 8);
  EXPECT_EQ(total(Event::kMacInt16), 0U);
  EXPECT_EQ(total(Event::kWeightRegisterWrite), 64U);
  EXPECT_EQ(total(Event::kScratchpadRead), 64U + 20 * 8);
  EXPECT_EQ(total(Event::kAccumulatorRead), 0U);
  EXPECT_EQ(total(Event::kAccumulatorWrite), 20U * 8 * 4);
}

TEST_F(MacArrayTest, FloatsTakeTheirPassesAndCountAsTheirType) {
  build(Dataflow::kWeightStationary, 1024);
  isa::Instruction tile = gemm(20);
  tile.set(Opd::kXType, 5);
  tile.set(Opd::kWType, 5);
  tile.set(Opd::kRowStride, 16);
  tile.set(Opd::kWStride, 16);
  execute({tile});
  // 8 rows of 16 bytes at 8 per cycle, 2·20 cycles of operands, a skew of 14.
  EXPECT_EQ(completed[0], 16U + 40 + 14);
  EXPECT_EQ(array->timeline().cycles(Bucket::kBusy), 40U);
  EXPECT_EQ(total(Event::kMacBfloat16), 20U * 8 * 8);
  EXPECT_EQ(total(Event::kMacInt8), 0U);
  EXPECT_EQ(total(Event::kScratchpadRead), (64U + 20 * 8) * 2);
  EXPECT_EQ(total(Event::kWeightRegisterWrite), 64U * 2);
  EXPECT_EQ(total(Event::kAccumulatorWrite), 20U * 8 * 4);
}

TEST_F(MacArrayTest, TransposedWeightsAreLoadedAheadToo) {
  build();
  isa::Instruction tile = gemm(4, 8, true);
  isa::Instruction weights = load();
  for (isa::Instruction* i : {&tile, &weights}) {
    i->set(Opd::kWType, 6);
    i->set(Opd::kWStride, 40);
    i->set(Opd::kWTransposed, 1);
  }
  tile.set(Opd::kXType, 6);
  tile.set(Opd::kRowStride, 32);
  test::interpret(tile, Rounding::kTfliteDouble, memories);
  run([&] {
    array->execute(weights, 0, 0);
    std::memset(scratchpad->data().data() + kWeights, 0, 320);  // overwritten after the load
    array->execute(tile, 1, 0);
  });
  EXPECT_EQ(std::memcmp(accumulator->data().data(), memories.accumulator.data(),
                        memories.accumulator.size()),
            0);
}

TEST_F(MacArrayTest, AnotherOrderOfTheWeightsIsAFault) {
  build();
  isa::Instruction weights = load();
  weights.set(Opd::kWTransposed, 1);
  EXPECT_NE(fault({weights, gemm(20, 8, true)}).find("in its own type and order"),
            std::string::npos);
}

TEST_F(MacArrayTest, PaddingIsNotRead) {
  build();
  const isa::Instruction conv =
      make(Opcode::kConv,
           {{Opd::kX, 0},        {Opd::kW, kWeights}, {Opd::kRowStride, 8}, {Opd::kPixelStride, 2},
            {Opd::kWStride, 18}, {Opd::kAccPitch, 8}, {Opd::kInH, 4},       {Opd::kInW, 4},
            {Opd::kY0, -1},      {Opd::kX0, -1},      {Opd::kKernelH, 3},   {Opd::kKernelW, 3},
            {Opd::kStrideH, 1},  {Opd::kStrideW, 1},  {Opd::kDilationH, 1}, {Opd::kDilationW, 1},
            {Opd::kUpH, 1},      {Opd::kUpW, 1},      {Opd::kOutH, 4},      {Opd::kOutW, 4},
            {Opd::kInC, 2},      {Opd::kOutC, 8}});
  execute({conv});
  // Per axis 3 + 3 + 4 valid (output, tap) pairs of 12: 10 · 10 of 144, two channels each, once per
  // fold of outputs.
  EXPECT_EQ(total(Event::kScratchpadRead), 100U * 2 + 8 * 18);
  EXPECT_EQ(total(Event::kMacInt8), 16U * 18 * 8);
}

TEST_F(MacArrayTest, TimingOnlyTakesTheSameCycles) {
  build(Dataflow::kWeightStationary, 24, false);
  execute({gemm(20), load(), gemm(33, 8, true), gemm(5, 30)});
  const std::vector<std::uint64_t> timing_only = completed;
  array.reset();
  sc_core::sc_get_curr_simcontext()->reset();
  completed.clear();
  build(Dataflow::kWeightStationary, 24, true);
  execute({gemm(20), load(), gemm(33, 8, true), gemm(5, 30)});
  EXPECT_EQ(completed, timing_only);
}

TEST_F(MacArrayTest, ATileWithoutItsWeightsIsAFault) {
  build();
  EXPECT_EQ(fault({gemm(20, 8, true)}),
            "instruction 0: mac.gemm: weights_loaded, but the shadow registers hold none");
}

TEST_F(MacArrayTest, ATileConsumesTheLoad) {
  build();
  EXPECT_EQ(fault({load(), gemm(20, 8, true), gemm(20, 8, true)}),
            "instruction 2: mac.gemm: weights_loaded, but the shadow registers hold none");
}

TEST_F(MacArrayTest, AnotherTilesWeightsAreAFault) {
  build();
  EXPECT_EQ(fault({load(), gemm(20, 8, true, kWeights + 64)}),
            "instruction 1: mac.gemm: the shadow registers hold 8 x 8 weights (k x n) of address "
            "65536 stride 8, the "
            "tile needs 8 x 8 of address 65600 stride 8 in its own type and order");
}

TEST_F(MacArrayTest, AnotherShapeIsAFault) {
  build();
  EXPECT_NE(fault({load(kWeights, 4), gemm(20, 8, true)}).find("hold 4 x 8 weights"),
            std::string::npos);
}

TEST_F(MacArrayTest, OutputStationaryArraysLoadNoWeights) {
  build(Dataflow::kOutputStationary);
  EXPECT_EQ(fault({load()}),
            "instruction 0: mac.load_weights: this array keeps no weights (dataflow is not "
            "weight_stationary)");
}

TEST_F(MacArrayTest, OutputStationaryArraysRefuseLoadedTiles) {
  build(Dataflow::kOutputStationary);
  EXPECT_EQ(
      fault({gemm(20, 8, true)}),
      "instruction 0: mac.gemm: weights_loaded on an array that keeps no weights (dataflow is not "
      "weight_stationary)");
}

TEST_F(MacArrayTest, WeightsBeyondTheArrayAreAFault) {
  build();
  EXPECT_EQ(fault({load(kWeights, 9)}),
            "instruction 0: mac.load_weights: 9 x 8 weights (k x n) do not fit the 8 x 8 array");
}

TEST_F(MacArrayTest, Int32WeightsAreAFault) {
  build();
  isa::Instruction i = load();
  i.set(Opd::kWType, 3);
  EXPECT_EQ(fault({i}),
            "instruction 0: mac.load_weights: w_type must be int8, uint8, int16 or a float");
}

TEST_F(MacArrayTest, OperandsBeyondAMemoryAreAFault) {
  build();
  isa::Instruction i = gemm(20);
  i.set(Opd::kAcc, (1 << 18) - 639);
  EXPECT_NE(fault({i}).find("mac.gemm: acc covers bytes 261505 to 262145"), std::string::npos);
}

}  // namespace
}  // namespace npu
