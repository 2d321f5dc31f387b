#include "sim/core/layer_accounting.h"

#include <gtest/gtest.h>

namespace npu {
namespace {

using isa::Engine;

Completion done(std::int32_t layer, std::uint64_t cycle, std::uint64_t busy = 0) {
  return {.cycle = cycle, .index = 0, .layer = layer, .busy_cycles = busy, .signal = 0};
}

TEST(LayerAccounting, SpansAreConsecutiveByEndAndSumToTheRun) {
  LayerAccounting layers(4);
  const std::vector<EventCounts> none(5);
  layers.begin_run(100, none);
  layers.on_complete(Engine::kDma0, done(0, 150));
  layers.on_complete(Engine::kMacArray, done(2, 180));
  layers.on_complete(Engine::kMacArray, done(0, 250));
  layers.on_complete(Engine::kVector, done(3, 300));
  layers.on_complete(Engine::kVector, done(-1, 900));
  layers.end_run(1000, none, 32);
  const auto& l = layers.layers();
  EXPECT_EQ(l[2].begin_cycle, 100U);
  EXPECT_EQ(l[2].end_cycle, 180U);
  EXPECT_EQ(l[0].begin_cycle, 180U);
  EXPECT_EQ(l[0].end_cycle, 250U);
  EXPECT_EQ(l[1].begin_cycle, 250U);  // no instructions
  EXPECT_EQ(l[1].end_cycle, 250U);
  EXPECT_EQ(l[3].begin_cycle, 250U);
  EXPECT_EQ(l[3].end_cycle, 1000U);
}

TEST(LayerAccounting, BusyCyclesAreThoseOfItsInstructionsPerKindOfEngine) {
  LayerAccounting layers(2);
  const std::vector<EventCounts> none(3);
  layers.begin_run(0, none);
  layers.on_complete(Engine::kMacArray, done(1, 10, 5));
  layers.on_complete(Engine::kVector, done(1, 11, 6));
  layers.on_complete(Engine::kDma0, done(1, 12, 7));
  layers.on_complete(Engine::kDma5, done(1, 13, 8));
  layers.end_run(20, none, 1);
  EXPECT_EQ(layers.layers()[1].mac_busy_cycles, 5U);
  EXPECT_EQ(layers.layers()[1].vector_busy_cycles, 6U);
  EXPECT_EQ(layers.layers()[1].dma_busy_cycles, 15U);
  EXPECT_EQ(layers.layers()[0].dma_busy_cycles, 0U);
}

TEST(LayerAccounting, EventsAreThoseOfTheRunAndDramBytesWholeBursts) {
  LayerAccounting layers(1);
  std::vector<EventCounts> before(2), after(2);
  before[0][static_cast<std::size_t>(Event::kDramRead)] = 10;
  after[0][static_cast<std::size_t>(Event::kDramRead)] = 14;
  after[0][static_cast<std::size_t>(Event::kDramWrite)] = 3;
  layers.begin_run(0, before);
  layers.end_run(20, after, 64);
  EXPECT_EQ(layers.layers()[0].dram_read_bytes, 4U * 64);
  EXPECT_EQ(layers.layers()[0].dram_write_bytes, 3U * 64);
  EXPECT_EQ(layers.layers()[0].events[static_cast<std::size_t>(Event::kDramRead)], 4U);
}

TEST(LayerAccounting, ASecondRunStartsAfresh) {
  LayerAccounting layers(1);
  const std::vector<EventCounts> none(2);
  layers.begin_run(0, none);
  layers.on_complete(Engine::kMacArray, done(0, 10, 5));
  layers.end_run(20, none, 1);
  layers.begin_run(20, none);
  layers.on_complete(Engine::kMacArray, done(0, 25, 1));
  layers.end_run(30, none, 1);
  EXPECT_EQ(layers.layers()[0].begin_cycle, 20U);
  EXPECT_EQ(layers.layers()[0].end_cycle, 30U);
  EXPECT_EQ(layers.layers()[0].mac_busy_cycles, 1U);
}

}  // namespace
}  // namespace npu
