#include "kernels/lowering/step_repeats.h"

#include <gtest/gtest.h>

namespace npu::kernels {
namespace {

using isa::Opcode;
using isa::Opd;

/// A tile that loads `bytes` from `source` into one of two slots.
Step tile(std::int32_t layer, std::int64_t source, std::int64_t slot, std::int64_t bytes) {
  Item load;
  load.instruction.opcode = Opcode::kDmaLoad;
  load.instruction.set(Opd::kSrc, source);
  load.instruction.set(Opd::kDst, slot);
  load.instruction.set(Opd::kN0, bytes);
  for (const Opd n : {Opd::kN1, Opd::kN2, Opd::kN3}) load.instruction.set(n, 1);
  load.layer = layer;
  return {{load}, {}};
}

struct Folded {
  std::vector<Step> steps;
  std::vector<isa::LayerRecord> layers;
  RepeatPlan plan;
};

/// A short layer and one of `tiles` tiles that stands for three, folded.
Folded fold(std::int64_t tiles, std::int64_t stride, std::int64_t bytes) {
  Folded f;
  f.plan = keep_all(2);
  f.plan.kept[1].repeats = 3;
  f.layers = {{"A #0", 0, 5, 1}, {"B #1", 1, 700, 3}};
  mapper::Mapping mapping;
  mapping.layers.resize(2);
  mapping.layers[1].buffers = {{"w", 65536, 2, 0}};
  f.steps.push_back(tile(0, 0, 0, 64));
  for (std::int64_t i = 0; i < tiles; ++i) {
    f.steps.push_back(tile(1, 4096 + i * stride, i % 2 * 65536, bytes));
  }
  fold_steps(mapping, {10.0, 1000.0 * static_cast<double>(tiles)}, 4000, 64, f.steps, f.layers,
             f.plan);
  return f;
}

TEST(StepRepeats, TilesOfALongLayerAreLeftOut) {
  const Folded f = fold(100, 65536, 65536);
  ASSERT_EQ(f.layers.size(), f.plan.kept.size());
  EXPECT_LT(f.steps.size(), 20U);
  EXPECT_EQ(f.layers[0].name, "A #0");
  EXPECT_FALSE(f.layers[1].continues);
  EXPECT_EQ(f.layers[1].macs, 700);
  std::vector<std::int64_t> tiles(f.layers.size());
  for (const Step& step : f.steps) ++tiles[static_cast<std::size_t>(step.loads[0].layer)];
  std::int64_t stood_for = 0;
  for (std::size_t i = 1; i < f.layers.size(); ++i) {
    EXPECT_EQ(f.layers[i].name, "B #1");
    EXPECT_EQ(f.layers[i].continues, i > 1);
    EXPECT_EQ(f.layers[i].macs, i == 1 ? 700 : 0);
    EXPECT_EQ(f.plan.kept[i].layer, 1);
    EXPECT_EQ(f.plan.kept[i].repeats, f.layers[i].repeats);
    stood_for += tiles[i] * f.layers[i].repeats;
  }
  EXPECT_EQ(f.layers[1].repeats, 3) << "the first tiles stand for those of the layer's repeats";
  EXPECT_EQ(stood_for, 3 * 100);
}

TEST(StepRepeats, HalvesOfTheSteadyTilesAreComparedPerPeriod) {
  const Folded f = fold(100, 65536, 65536);
  ASSERT_EQ(f.plan.periods.size(), 1U);
  std::vector<std::uint64_t> cycles(f.layers.size(), 1000);
  EXPECT_EQ(f.plan.uncertain_cycles(cycles), 0);
  const std::size_t late = f.plan.periods[0].late.front().kept;
  cycles[late] += 8;
  EXPECT_GT(f.plan.uncertain_cycles(cycles), 8) << "times what the tiles stand for";
}

TEST(StepRepeats, TilesThatBeginElsewhereInTheirBurstsDiffer) {
  const Folded f = fold(100, 65536 + 1, 65536);
  EXPECT_EQ(f.layers.size(), 2U);
  EXPECT_EQ(f.steps.size(), 101U);
}

TEST(StepRepeats, CodeBesideFewDataIsNotFolded) {
  EXPECT_EQ(fold(100, 65536, 64 * 250 - 64).layers.size(), 2U);
  EXPECT_GT(fold(100, 65536, 64 * 250).layers.size(), 2U);
}

TEST(StepRepeats, ShortLayersStayWhole) { EXPECT_EQ(fold(5, 65536, 65536).layers.size(), 2U); }

}  // namespace
}  // namespace npu::kernels
