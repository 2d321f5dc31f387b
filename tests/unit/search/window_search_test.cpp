#include "kernels/search/window_search.h"

#include <gtest/gtest.h>

#include <limits>

#include "sim/base/math.h"
#include "tests/unit/search/window_fixture.h"

namespace npu::search {
namespace {

constexpr std::int64_t kPlenty = std::numeric_limits<std::int64_t>::max();

TEST(TileSizes, SmallDimensionsHaveAllLargeOnesEveryNumberOfTiles) {
  EXPECT_EQ(tile_sizes(4), (std::vector<std::int64_t>{4, 3, 2, 1}));
  const std::vector<std::int64_t> sizes = tile_sizes(100);
  for (std::int64_t tile = 1; tile <= 100; ++tile) {
    const auto same = std::find_if(sizes.begin(), sizes.end(), [&](std::int64_t s) {
      return ceil_div(100, s) == ceil_div(100, tile);
    });
    EXPECT_NE(same, sizes.end()) << tile;
  }
  EXPECT_LT(sizes.size(), 25U);
  const std::vector<std::int64_t> aligned = tile_sizes(100, 32);
  EXPECT_NE(std::find(aligned.begin(), aligned.end(), 64), aligned.end());
}

// 240 spaces, each searched for another objective in turn, against every tile that fits.
TEST(WindowSearch, FindsTheOptimumOfEverySmallSpace) {
  std::mt19937_64 rng(20);
  int found = 0;
  int searched = 0;
  for (int i = 0; i < 240; ++i) {
    const SmallCase c = random_case(rng, 4);
    const auto objective = static_cast<Objective>(i % 3);
    double least = std::numeric_limits<double>::infinity();
    std::int64_t tiles = 0;
    visit_every_tile(c, [&](const mapper::WindowTile& t) {
      ++tiles;
      least = std::min(least, cost_of(c.layer, c.config, t).value(objective));
    });
    const WindowResult r = search_window(
        c.layer, c.config, {.objective = objective, .budget = kPlenty, .keep = 1}, {});
    EXPECT_TRUE(r.complete);
    EXPECT_EQ(r.best.empty(), tiles == 0);
    if (tiles == 0) continue;
    ++searched;
    EXPECT_LE(r.evaluated, tiles);
    if (r.best.front().value == least) {
      ++found;
    } else {
      ADD_FAILURE() << "case " << i << ": " << r.best.front().value << " against " << least;
    }
  }
  EXPECT_EQ(found, searched);
  EXPECT_GE(searched, 200);
}

TEST(WindowSearch, BoundsLieBelowEveryCompletion) {
  std::mt19937_64 rng(21);
  for (int i = 0; i < 60; ++i) {
    const SmallCase c = random_case(rng, 3);
    visit_every_tile(c, [&](const mapper::WindowTile& t) {
      const Cost cost = cost_of(c.layer, c.config, t);
      for (int chosen = 0; chosen < 16; ++chosen) {
        mapper::WindowPartial partial;
        if ((chosen & 1) != 0) partial.out_h = t.out_h;
        if ((chosen & 2) != 0) partial.out_w = t.out_w;
        if ((chosen & 4) != 0) partial.out_c = t.out_c;
        if ((chosen & 8) != 0) partial.in_c = t.in_c;
        const Cost bound = bound_of(c.layer, c.config, partial, t.streamed);
        EXPECT_LE(bound.cycles, cost.cycles) << "case " << i << " chosen " << chosen;
        EXPECT_LE(bound.picojoules, cost.picojoules * (1 + 1e-9)) << "case " << i;
      }
    });
  }
}

TEST(WindowSearch, ABudgetThatDoesNotSufficeIsKeptAndSaid) {
  std::mt19937_64 rng(22);
  SmallCase c = random_case(rng, 4);
  c.layer.problem.kind = mapper::WindowKind::kConv;
  c.layer.problem.groups = c.layer.problem.multiplier = 1;
  c.layer.problem.out_h = c.layer.problem.in_h = 40;
  c.layer.problem.out_w = c.layer.problem.in_w = 40;
  c.layer.problem.window = {};
  c.layer.problem.window.kernel_h = c.layer.problem.window.kernel_w = 1;
  c.layer.problem.window.stride_h = c.layer.problem.window.stride_w = 1;
  c.layer.problem.in_c = c.layer.problem.out_c = 48;
  c.layer.problem.x_resident = c.layer.problem.y_resident = false;
  c.layer.area.free.high = 8192;
  const auto search = [&](std::int64_t budget, std::uint64_t seed) {
    return search_window(c.layer, c.config, {.budget = budget, .keep = 3, .seed = seed}, {});
  };
  const WindowResult small = search(40, 1);
  EXPECT_FALSE(small.complete);
  EXPECT_GE(small.evaluated, 30);
  EXPECT_LE(small.evaluated, 40 + 32);  // a node's slots are tried together
  ASSERT_EQ(small.best.size(), 3U);
  EXPECT_LE(small.best[0].value, small.best[1].value);
  const WindowResult again = search(40, 1);
  EXPECT_EQ(again.best[0].value, small.best[0].value);
  EXPECT_EQ(again.evaluated, small.evaluated);
  const WindowResult large = search(4000, 1);
  EXPECT_LE(large.best[0].value, small.best[0].value);
}

TEST(WindowSearch, WhatIsDecidedStays) {
  std::mt19937_64 rng(23);
  int searched = 0;
  for (int i = 0; i < 40; ++i) {
    SmallCase c = random_case(rng, 4);
    c.layer.decided.out_w = 1;
    c.layer.decided.order = mapper::LoopOrder::kSpaceOuter;
    const WindowResult r = search_window(c.layer, c.config, {.keep = 4}, {});
    for (const Candidate& found : r.best) {
      ++searched;
      EXPECT_EQ(found.tile.out_w, 1);
      EXPECT_EQ(found.tile.order, mapper::LoopOrder::kSpaceOuter);
    }
  }
  EXPECT_GT(searched, 40);
}

// Channels that are tied have one decision, also where the search walks to neighbouring tiles.
TEST(WindowSearch, DecidedInputChannelsStayWithAnExhaustedBudget) {
  const NpuConfig config = load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml");
  for (const auto kind : {mapper::WindowKind::kDepthwise, mapper::WindowKind::kPool}) {
    WindowLayer layer;
    mapper::WindowProblem& p = layer.problem;
    p.kind = kind;
    p.in_h = p.in_w = p.out_h = p.out_w = 56;
    p.multiplier = kind == mapper::WindowKind::kDepthwise ? 2 : 1;
    p.in_c = 96;
    p.out_c = p.in_c * p.multiplier;
    layer.area.free.high = 64 << 10;
    layer.decided.in_c = 7;  // no size that is tried of itself
    const WindowResult r = search_window(layer, config, {.budget = 60, .keep = 8}, {});
    EXPECT_FALSE(r.complete);
    EXPECT_EQ(r.best.size(), 8U);
    for (const Candidate& found : r.best) {
      EXPECT_EQ(found.tile.in_c, 7);
      EXPECT_EQ(found.tile.out_c, 7 * p.multiplier);
    }
  }
}

TEST(WindowSearch, DecidedAccumulatorsSayWhetherTilesAreStreamed) {
  const NpuConfig config = load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/nvdla_small.yaml");
  WindowLayer layer;
  mapper::WindowProblem& p = layer.problem;
  p.in_h = p.in_w = p.out_h = p.out_w = 8;
  p.in_c = p.out_c = 16;
  p.param_bytes = 12;
  layer.area.free.high = 64 << 10;
  for (const int slots : {0, 1, 2}) {
    layer.decided.acc_slots = slots;
    const WindowResult r = search_window(layer, config, {.keep = 4}, {});
    EXPECT_EQ(r.best.size(), 4U);
    for (const Candidate& found : r.best) {
      EXPECT_EQ(found.tile.streamed, slots == 0);
      EXPECT_EQ(found.tile.acc_slots, slots);
    }
  }
}

}  // namespace
}  // namespace npu::search
