#include "sim/timing/stripe_timing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace npu::timing {
namespace {

using testing::ElementsAre;

std::vector<std::int64_t> lengths(std::int64_t positions) {
  const Stripes s(positions, 16);
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < s.count(); ++i) result.push_back(s.length(i));
  return result;
}

TEST(Stripes, NoneOfSeveralIsShorterThanHalf) {
  EXPECT_THAT(lengths(1), ElementsAre(1));
  EXPECT_THAT(lengths(15), ElementsAre(15));
  EXPECT_THAT(lengths(16), ElementsAre(16));
  EXPECT_THAT(lengths(17), ElementsAre(8, 9));
  EXPECT_THAT(lengths(23), ElementsAre(8, 15));
  EXPECT_THAT(lengths(24), ElementsAre(16, 8));
  EXPECT_THAT(lengths(36), ElementsAre(16, 8, 12));
  EXPECT_THAT(lengths(49), ElementsAre(16, 16, 8, 9));
}

TEST(Stripes, CoverEveryPositionOnce) {
  for (std::int64_t positions = 1; positions < 300; ++positions) {
    std::int64_t sum = 0;
    for (const std::int64_t length : lengths(positions)) sum += length;
    EXPECT_EQ(sum, positions);
  }
}

MacArrayConfig nvdla() {
  MacArrayConfig c;
  c.kind = ArrayKind::kDotProduct;
  c.rows = c.cols = 8;
  c.weight_load_bytes_per_cycle = 8;
  c.stripe_positions = 16;
  c.whole_block_loads = true;
  return c;
}

TEST(StripedTile, AFoldIsAsLongAsItsPositionsOrTheNextLoad) {
  const StripedTile t = striped_tile(nvdla(), {.m = 784, .n = 8, .k = 9 * 20, .taps = 9});
  EXPECT_EQ(t.passes, 9 * 3);
  EXPECT_EQ(t.fold_cycles(16), 16);
  EXPECT_EQ(t.fold_cycles(9), 9);
  EXPECT_EQ(t.fold_cycles(1), 8);
}

TEST(StripedTile, PartialBlocksLoadAsLongAsWholeOnes) {
  MacArrayConfig c = nvdla();
  const MacTile tile{.m = 1, .n = 2, .k = 5};
  EXPECT_EQ(striped_tile(c, tile).load_cycles, 8);
  c.whole_block_loads = false;
  EXPECT_EQ(striped_tile(c, tile).load_cycles, 2);
}

}  // namespace
}  // namespace npu::timing
