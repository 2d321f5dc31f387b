#include "sim/timing/mac_timing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "sim/base/error.h"
#include "sim/base/math.h"

namespace npu::timing {
namespace {

MacArrayConfig systolic(int rows, int cols, Dataflow dataflow = Dataflow::kWeightStationary) {
  MacArrayConfig c;
  c.kind = ArrayKind::kSystolic;
  c.dataflow = dataflow;
  c.rows = rows;
  c.cols = cols;
  c.weight_load_bytes_per_cycle = cols;
  return c;
}

MacArrayConfig dot_product(int rows, int cols, int pixels,
                           Dataflow dataflow = Dataflow::kWeightStationary) {
  MacArrayConfig c = systolic(rows, cols, dataflow);
  c.kind = ArrayKind::kDotProduct;
  c.pixels = pixels;
  return c;
}

MacTile gemm(std::int64_t m, std::int64_t n, std::int64_t k) { return {.m = m, .n = n, .k = k}; }

TEST(SystolicWeightStationary, OneFoldIsPreloadStreamAndSkew) {
  const MacTiming t = mac_tile(systolic(4, 3), gemm(10, 3, 4));
  EXPECT_EQ(t.total_cycles, 4 + 10 + (4 + 3 - 2));
  EXPECT_EQ(t.busy_cycles, 10);
  EXPECT_EQ(t.shadow_free_cycles, 4);  // the stream begins
  MacArrayConfig deep = systolic(4, 3);
  deep.pipeline_latency_cycles = 7;
  EXPECT_EQ(mac_tile(deep, gemm(10, 3, 4)).total_cycles, t.total_cycles + 7);
}

TEST(SystolicWeightStationary, LoadedWeightsSaveThePreload) {
  MacTile tile = gemm(10, 3, 4);
  tile.weights_loaded = true;
  const MacTiming t = mac_tile(systolic(4, 3), tile);
  EXPECT_EQ(t.total_cycles, 10 + 5);
  EXPECT_EQ(t.shadow_free_cycles, 0);
  EXPECT_EQ(t.weight_read_bytes, 0);
}

TEST(SystolicWeightStationary, TheNextFoldsPreloadHidesUpToTheStreamLength) {
  const MacArrayConfig c = systolic(8, 8);
  // Two folds of K; the second preload takes 8 cycles.
  const auto total = [&](std::int64_t m) { return mac_tile(c, gemm(m, 8, 16)).total_cycles; };
  EXPECT_EQ(total(8), 8 + 8 + 8 + 14);
  EXPECT_EQ(total(7), 8 + 8 + 7 + 14);  // the second fold waits one cycle for its weights
  EXPECT_EQ(total(9), 8 + 9 + 9 + 14);
}

TEST(SystolicWeightStationary, TheLastFoldsPreloadIsItsOwnSize) {
  // K = 8 + 2: the second preload takes 2 cycles and hides behind 3 vectors.
  EXPECT_EQ(mac_tile(systolic(8, 8), gemm(3, 8, 10)).total_cycles, 8 + 3 + 3 + 14);
  EXPECT_EQ(mac_tile(systolic(8, 8), gemm(1, 8, 10)).total_cycles, 8 + 2 + 1 + 14);
}

TEST(SystolicWeightStationary, SingleRegistersPayEveryFold) {
  MacArrayConfig c = systolic(8, 8);
  c.double_buffered_weights = false;
  const MacTiming t = mac_tile(c, gemm(20, 8, 16));
  EXPECT_EQ(t.total_cycles, 2 * (8 + 20 + 14));
  EXPECT_EQ(t.shadow_free_cycles, t.total_cycles);
  // The output registers are behind the PEs: the next block does not wait for them.
  c.pipeline_latency_cycles = 5;
  EXPECT_EQ(mac_tile(c, gemm(20, 8, 16)).total_cycles, t.total_cycles + 5);
  EXPECT_EQ(mac_tile(c, gemm(20, 8, 16)).shadow_free_cycles, t.shadow_free_cycles);
}

TEST(SystolicWeightStationary, PreloadIsBoundByRowsOrByThePort) {
  MacArrayConfig c = systolic(8, 8);
  EXPECT_EQ(weight_load_cycles(c, 8, 8), 8);
  c.weight_load_bytes_per_cycle = 64;
  EXPECT_EQ(weight_load_cycles(c, 8, 8), 8);  // one row per cycle
  c.weight_load_bytes_per_cycle = 4;
  EXPECT_EQ(weight_load_cycles(c, 8, 8), 16);
  EXPECT_EQ(weight_load_cycles(c, 8, 4), 8);
  EXPECT_EQ(weight_load_cycles(c, 8, 5), 10);
  EXPECT_EQ(weight_load_cycles(dot_product(8, 8, 1), 8, 8), 8);
}

TEST(SystolicWeightStationary, WideOperandsTakeMorePasses) {
  MacTile tile = gemm(10, 3, 4);
  tile.wide = true;
  EXPECT_EQ(mac_tile(systolic(4, 3), tile).busy_cycles, 20);
  tile.wide_weights = true;
  EXPECT_EQ(mac_tile(systolic(4, 3), tile).busy_cycles, 40);
}

TEST(SystolicWeightStationary, FloatsTakeThePassesOfTheirTypeAndTheBytes) {
  MacArrayConfig c = systolic(4, 3);
  c.float16_cycles = 2;
  c.bfloat16_cycles = 3;
  c.float32_cycles = 8;
  MacTile tile = gemm(10, 3, 4);
  const MacTiming bytes = mac_tile(c, tile);
  tile.precision = Precision::kFloat16;
  EXPECT_EQ(mac_tile(c, tile).busy_cycles, 20);
  EXPECT_EQ(mac_tile(c, tile).weight_read_bytes, 2 * bytes.weight_read_bytes);
  tile.precision = Precision::kBfloat16;
  EXPECT_EQ(mac_tile(c, tile).busy_cycles, 30);
  tile.precision = Precision::kFloat32;
  const MacTiming t = mac_tile(c, tile);
  EXPECT_EQ(t.busy_cycles, 80);
  EXPECT_EQ(t.input_read_bytes, 4 * bytes.input_read_bytes);
  EXPECT_EQ(t.weight_read_bytes, 4 * bytes.weight_read_bytes);
  EXPECT_EQ(t.accumulator_write_bytes, bytes.accumulator_write_bytes);
}

TEST(SystolicWeightStationary, AFloatTypeThatTheArrayDoesNotHaveIsAnError) {
  MacTile tile = gemm(10, 3, 4);
  tile.precision = Precision::kBfloat16;
  try {
    (void)mac_tile(systolic(4, 3), tile);
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "mac_array.bfloat16_cycles is 0: the array has no bfloat16 arithmetic");
  }
}

TEST(SystolicWeightStationary, Traffic) {
  MacTile tile = gemm(10, 20, 9);
  const MacTiming t = mac_tile(systolic(4, 8), tile);  // 3 folds of K, 3 of N
  EXPECT_EQ(t.macs, 10 * 20 * 9);
  EXPECT_EQ(t.input_read_bytes, 10 * 9 * 3);
  EXPECT_EQ(t.weight_read_bytes, 20 * 9);
  EXPECT_EQ(t.register_write_bytes, 20 * 9);
  EXPECT_EQ(t.accumulator_write_bytes, 10 * 20 * 3 * 4);
  EXPECT_EQ(t.accumulator_read_bytes, 10 * 20 * 2 * 4);
  tile.accumulate = true;
  EXPECT_EQ(mac_tile(systolic(4, 8), tile).accumulator_read_bytes, 10 * 20 * 3 * 4);
}

TEST(SystolicWeightStationary, DepthwisePacksTheDiagonal) {
  MacTile tile{.m = 50, .n = 8, .k = 9, .taps = 9, .depthwise = true};
  // 32 rows hold 3 channels of 9 taps: folds of 3, 3 and 2 channels.
  const MacTiming t = mac_tile(systolic(32, 32), tile);
  EXPECT_EQ(t.busy_cycles, 3 * 50);
  EXPECT_EQ(t.total_cycles, 27 + 3 * 50 + 62);
  EXPECT_EQ(t.weight_read_bytes, 72);
  EXPECT_EQ(t.input_read_bytes, 50 * 8 * 9);
  // 4 rows: one channel at a time, its taps in three folds.
  EXPECT_EQ(mac_tile(systolic(4, 4), tile).busy_cycles, 8 * 3 * 50);
  EXPECT_EQ(mac_tile(systolic(4, 4), tile).accumulator_write_bytes, 50 * 8 * 3 * 4);
}

TEST(SystolicOutputStationary, StreamSkewAndDrain) {
  const MacArrayConfig c = systolic(4, 3, Dataflow::kOutputStationary);
  EXPECT_EQ(mac_tile(c, gemm(4, 3, 10)).total_cycles, 10 + 5 + 4);
  // A second fold of M drains behind the stream, if that has at least `rows` cycles.
  EXPECT_EQ(mac_tile(c, gemm(8, 3, 10)).total_cycles, 20 + 5 + 4);
  EXPECT_EQ(mac_tile(c, gemm(8, 3, 4)).total_cycles, 8 + 5 + 4);
  EXPECT_EQ(mac_tile(c, gemm(8, 3, 3)).total_cycles, 4 + 3 + 5 + 4);
  EXPECT_EQ(mac_tile(c, gemm(8, 6, 10)).weight_read_bytes, 6 * 10 * 2);
  EXPECT_EQ(mac_tile(c, gemm(8, 6, 10)).input_read_bytes, 8 * 10 * 2);
  EXPECT_EQ(mac_tile(c, gemm(8, 6, 10)).register_write_bytes, 0);
}

TEST(SystolicInputStationary, TheWeightsStream) {
  const MacTiming t = mac_tile(systolic(4, 3, Dataflow::kInputStationary), gemm(3, 10, 4));
  EXPECT_EQ(t.total_cycles, 4 + 10 + 5);
  EXPECT_EQ(t.register_write_bytes, 12);
  const MacTiming two = mac_tile(systolic(4, 3, Dataflow::kInputStationary), gemm(6, 10, 4));
  EXPECT_EQ(two.weight_read_bytes, 80);
  EXPECT_EQ(two.input_read_bytes, 24);
}

TEST(DotProduct, LanesTakeOneTapAtATime) {
  MacTile tile{.m = 100, .n = 8, .k = 27, .taps = 9};
  const MacTiming t =
      mac_tile(dot_product(8, 8, 1), tile);  // 3 input channels leave 5 of 8 lanes idle
  EXPECT_EQ(t.busy_cycles, 9 * 100);
  EXPECT_EQ(t.total_cycles, 3 + 9 * 100);
  tile.k = 9 * 16;
  EXPECT_EQ(mac_tile(dot_product(8, 8, 1), tile).busy_cycles, 18 * 100);
  EXPECT_EQ(mac_tile(dot_product(8, 8, 16), tile).busy_cycles, 18 * 7);
  EXPECT_EQ(first_fold(dot_product(8, 8, 1), tile).k, 8);
  EXPECT_EQ(mac_tile(dot_product(8, 8, 16, Dataflow::kOutputStationary), tile).busy_cycles, 7 * 18);
  EXPECT_EQ(mac_tile(dot_product(8, 8, 16, Dataflow::kInputStationary), tile).busy_cycles, 7 * 18);
}

TEST(DotProduct, DepthwiseUsesTheDiagonal) {
  const MacTile tile{.m = 64, .n = 20, .k = 9, .taps = 9, .depthwise = true};
  for (const Dataflow d :
       {Dataflow::kWeightStationary, Dataflow::kOutputStationary, Dataflow::kInputStationary}) {
    EXPECT_EQ(mac_tile(dot_product(16, 8, 4, d), tile).busy_cycles, 9 * 3 * 16);
  }
}

TEST(FirstFold, IsTheBlockThatLoadWeightsBrings) {
  const Fold f = first_fold(systolic(8, 4), gemm(10, 20, 30));
  EXPECT_EQ(f.k, 8);
  EXPECT_EQ(f.n, 4);
  EXPECT_EQ(first_fold(systolic(8, 4), gemm(10, 3, 5)).k, 5);
  EXPECT_EQ(first_fold(systolic(8, 4), gemm(10, 3, 5)).n, 3);
  EXPECT_EQ(first_fold(systolic(8, 4, Dataflow::kOutputStationary), gemm(10, 3, 5)).k, 0);
  EXPECT_EQ(first_fold(systolic(8, 4), {.m = 1, .n = 4, .k = 9, .taps = 9, .depthwise = true}).k,
            0);
}

TEST(MacTile, AnEmptyTileTakesNothing) {
  EXPECT_EQ(mac_tile(systolic(8, 4), gemm(0, 3, 5)).total_cycles, 0);
}

/// Stationary dataflows fold by fold, in a loop instead of in closed form.
std::int64_t walk_folds(const MacArrayConfig& c, std::int64_t k, std::int64_t other,
                        std::int64_t stream, std::int64_t other_block, std::int64_t taps,
                        std::int64_t bytes, bool loaded) {
  const bool dot = c.kind == ArrayKind::kDotProduct;
  const std::int64_t skew = dot ? 0 : c.rows + c.cols - 2;
  std::int64_t now = 0;
  std::int64_t weights_ready = 0;
  bool first = true;
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    for (std::int64_t k0 = 0; k0 < k; k0 += c.rows) {
      for (std::int64_t n0 = 0; n0 < other; n0 += other_block) {
        const std::int64_t kf = std::min<std::int64_t>(c.rows, k - k0);
        const std::int64_t nf = std::min(other_block, other - n0);
        const std::int64_t port = ceil_div(kf * nf * bytes, c.weight_load_bytes_per_cycle);
        const std::int64_t load = first && loaded ? 0 : dot ? port : std::max(kf, port);
        if (c.double_buffered_weights) {
          weights_ready += load;  // begins where the fold before began to stream
          now = std::max(now, weights_ready);
          weights_ready = now;
          now += stream;
        } else {
          now += load + stream + skew;
        }
        first = false;
      }
    }
  }
  return now + (c.double_buffered_weights ? skew : 0) + c.pipeline_latency_cycles;
}

MacArrayConfig random_config(std::mt19937& random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  MacArrayConfig c;
  c.kind = pick(0, 1) != 0 ? ArrayKind::kDotProduct : ArrayKind::kSystolic;
  c.dataflow = static_cast<Dataflow>(pick(0, 2));
  c.rows = pick(1, 40);
  c.cols = pick(1, 40);
  c.pixels = c.kind == ArrayKind::kDotProduct ? pick(1, 8) : 1;
  c.double_buffered_weights = pick(0, 1) != 0;
  c.weight_load_bytes_per_cycle = pick(1, 64);
  c.pipeline_latency_cycles = pick(0, 6);
  c.int16_cycles = pick(1, 4);
  c.float16_cycles = pick(1, 4);
  c.bfloat16_cycles = pick(1, 4);
  c.float32_cycles = pick(1, 8);
  return c;
}

MacTile random_tile(std::mt19937& random) {
  const auto pick = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random);
  };
  MacTile t;
  t.depthwise = pick(0, 3) == 0;
  t.taps = pick(1, 3) * pick(1, 3);
  t.m = pick(1, 120);
  t.n = pick(1, 100);
  t.k = t.taps * (t.depthwise ? 1 : pick(1, 60));
  t.wide = pick(0, 3) == 0;
  t.wide_weights = pick(0, 7) == 0;
  t.precision = static_cast<Precision>(std::max(0, pick(-4, 3)));
  t.weights_loaded = pick(0, 1) != 0;
  t.accumulate = pick(0, 1) != 0;
  return t;
}

TEST(MacTile, ClosedFormsEqualAWalkOverTheFolds) {
  std::mt19937 random(11);
  for (int i = 0; i < 5000; ++i) {
    const MacArrayConfig c = random_config(random);
    const MacTile t = random_tile(random);
    if (t.depthwise || c.dataflow == Dataflow::kOutputStationary) continue;
    const std::int64_t w =
        t.precision == Precision::kInteger
            ? (t.wide ? c.int16_cycles : 1) * (t.wide_weights ? c.int16_cycles : 1)
        : t.precision == Precision::kFloat16  ? c.float16_cycles
        : t.precision == Precision::kBfloat16 ? c.bfloat16_cycles
                                              : c.float32_cycles;
    const bool dot = c.kind == ArrayKind::kDotProduct;
    const std::int64_t taps = dot ? t.taps : 1;
    const bool ws = c.dataflow == Dataflow::kWeightStationary;
    const std::int64_t stream =
        ws ? ceil_div(t.m, c.pixels) * w : (dot ? ceil_div(t.n, c.cols) : t.n) * w;
    const std::int64_t block = ws ? c.cols : dot ? c.pixels : c.cols;
    const std::int64_t float_bytes = t.precision == Precision::kFloat32 ? 4 : 2;
    const std::int64_t bytes = t.precision != Precision::kInteger ? float_bytes
                               : ws                               ? (t.wide_weights ? 2 : 1)
                                                                  : (t.wide ? 2 : 1);
    const std::int64_t expected = walk_folds(c, t.k / taps, ws ? t.n : t.m, stream, block, taps,
                                             bytes, ws && t.weights_loaded);
    ASSERT_EQ(mac_tile(c, t).total_cycles, expected) << "case " << i;
  }
}

TEST(MacTile, InvariantsHoldOnRandomShapes) {
  std::mt19937 random(12);
  for (int i = 0; i < 20000; ++i) {
    const MacArrayConfig c = random_config(random);
    const MacTile t = random_tile(random);
    const MacTiming r = mac_tile(c, t);
    SCOPED_TRACE("case " + std::to_string(i));
    ASSERT_EQ(r.busy_cycles + r.fill_drain_cycles, r.total_cycles);
    ASSERT_GE(r.fill_drain_cycles, 0);
    ASSERT_GE(r.total_cycles, ceil_div(r.macs, c.macs_per_cycle()));
    ASSERT_GE(r.busy_cycles, ceil_div(r.macs, c.macs_per_cycle()));
    ASSERT_GE(r.shadow_free_cycles, 0);
    ASSERT_LE(r.shadow_free_cycles, r.total_cycles);
    ASSERT_EQ(r.macs, t.m * t.n * t.k);
    const std::int64_t w = t.w_bytes();
    const std::int64_t sums = t.wide && t.precision == Precision::kInteger ? 8 : 4;
    const Fold ahead = t.weights_loaded ? first_fold(c, t) : Fold{};
    ASSERT_GE(r.weight_read_bytes + ahead.k * ahead.n * w, t.n * t.k * w);
    ASSERT_GE(r.input_read_bytes, t.m * t.k * t.x_bytes());
    ASSERT_GE(r.accumulator_write_bytes, t.m * t.n * sums);
    ASSERT_EQ(r.accumulator_write_bytes - r.accumulator_read_bytes,
              t.accumulate ? 0 : t.m * t.n * sums);

    MacTile more = t;
    more.m += 1;
    ASSERT_GE(mac_tile(c, more).total_cycles, r.total_cycles) << "m";
    more = t;
    more.n += 1;
    ASSERT_GE(mac_tile(c, more).total_cycles, r.total_cycles) << "n";
    // Not for depthwise: with more taps per channel the block-diagonal folds are other ones, with
    // other preloads.
    if (t.depthwise) continue;
    more = t;
    more.k += t.taps;
    ASSERT_GE(mac_tile(c, more).total_cycles, r.total_cycles) << "k";
  }
}

}  // namespace
}  // namespace npu::timing
