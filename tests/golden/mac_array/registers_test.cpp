// What the PE-level model is worth as a golden model: it multiplies by moving operands through
// registers, so a sequencer that is early by a cycle gets wrong sums.

#include "tests/golden/mac_array/bench.h"

namespace npu::test {
namespace {

MacArrayConfig systolic(Dataflow dataflow) {
  MacArrayConfig c;
  c.dataflow = dataflow;
  c.rows = 4;
  c.cols = 3;
  c.weight_load_bytes_per_cycle = 3;
  return c;
}

class Registers : public testing::Test {
 public:
  ~Registers() override { sc_core::sc_get_curr_simcontext()->reset(); }

 protected:
  /// Runs [m, n] of [k] and compares its sums.
  bool is_right(const MacArrayConfig& config, int m, int n, int k, PeArray::Haste haste) {
    PeArray pes("pes");
    TileMaker make(3);
    PeTile tile = make.gemm(m, n, k);
    const std::vector<std::int32_t> expected = product_of(tile);
    simulate_script([&] {
      pes.configure(config, haste);
      pes.run_tile(tile);
      pes.finish();
    });
    cycles = pes.records().back().end;
    return tile.sums == expected;
  }

  std::uint64_t cycles = 0;
};

TEST_F(Registers, ATileTakesPreloadStreamAndSkew) {
  EXPECT_TRUE(is_right(systolic(Dataflow::kWeightStationary), 10, 3, 4, PeArray::Haste::kNone));
  EXPECT_EQ(cycles, 4U + 10 + 3 + 2);
}

TEST_F(Registers, OneCycleLessForTheWeightsIsAWrongSum) {
  EXPECT_FALSE(is_right(systolic(Dataflow::kWeightStationary), 10, 3, 4, PeArray::Haste::kStream));
  EXPECT_EQ(cycles, 3U + 10 + 3 + 2);
}

TEST_F(Registers, OneCycleLessForTheWeightsOfADotProductIsAWrongSum) {
  MacArrayConfig config = systolic(Dataflow::kWeightStationary);
  config.kind = ArrayKind::kDotProduct;
  config.pixels = 2;
  EXPECT_FALSE(is_right(config, 10, 3, 4, PeArray::Haste::kStream));
  EXPECT_EQ(cycles, 3U + 5);  // 12 weights at 3 per cycle would take 4
}

TEST_F(Registers, AnOverwrittenShadowRegisterIsAWrongSum) {
  // Three folds of K: the third block would come while the second waits for the first's stream.
  EXPECT_FALSE(is_right(systolic(Dataflow::kWeightStationary), 10, 3, 12, PeArray::Haste::kLoad));
}

TEST_F(Registers, ASumWithoutAResultRegisterIsNoticed) {
  // K = 2 is shorter than the drain of 4 rows.
  EXPECT_THROW(is_right(systolic(Dataflow::kOutputStationary), 8, 3, 2, PeArray::Haste::kFinish),
               std::exception);
}

TEST_F(Registers, ADrainLongerThanTheStreamHoldsTheLastOperandBack) {
  EXPECT_TRUE(is_right(systolic(Dataflow::kOutputStationary), 8, 3, 2, PeArray::Haste::kNone));
  EXPECT_EQ(cycles, 2U + 4 + 3 + 2 + 4);
}

}  // namespace
}  // namespace npu::test
