#include "kernels/cost/pipeline.h"

#include <gtest/gtest.h>

#include <cmath>

#include "kernels/cost/bookings.h"
#include "sim/timing/dma_timing.h"

namespace npu::cost {
namespace {

NpuConfig edge() { return load_npu_config(NPUSIM_SOURCE_DIR "/configs/npu/edge.yaml"); }

TEST(Bookings, LaterStreamsGetWhatEarlierOnesLeave) {
  Bookings b;
  EXPECT_DOUBLE_EQ(b.book(50, 0, 100), 100);   // half of the resource until 100
  EXPECT_DOUBLE_EQ(b.book(50, 0, 50), 100);    // the other half
  EXPECT_DOUBLE_EQ(b.book(10, 0, 10), 110);    // nothing is left before
  EXPECT_DOUBLE_EQ(b.book(10, 200, 10), 210);  // idle again
  EXPECT_DOUBLE_EQ(b.left_after(205), 5);
  b.shift(1000);
  EXPECT_DOUBLE_EQ(b.book(10, 1200, 10), 1220);
}

TEST(Bookings, NoWorkTakesNoTime) {
  Bookings b;
  EXPECT_DOUBLE_EQ(b.book(0, 7, 3), 7);
  EXPECT_DOUBLE_EQ(b.left_after(0), 0);
}

TEST(Pipeline, OneLoadTakesTheClosedForm) {
  const NpuConfig config = edge();
  Pipeline pipeline(config);
  const double start =
      pipeline.load(Pipeline::Channel::kLoad, {.rows = 1, .run = 64}, {}, 1e6) - 1e6;
  Pipeline longer(config);
  const double end =
      longer.load(Pipeline::Channel::kLoad, {.rows = 1, .run = 64 + 16000}, {}, 1e6) - 1e6;
  // LPDDR4 is the limit: 12.8 GB/s less refresh at 800 MHz.
  EXPECT_NEAR(end - start, 16000 / timing::dram_bytes_per_core_cycle(config), 8);
  EXPECT_NEAR(start, static_cast<double>(timing::estimate_transfer(config, 1, 64, false).cycles),
              2);
}

TEST(Pipeline, RunsThatStayInOneChannelGetHalfOfTwo) {
  const NpuConfig config = edge();  // two channels, bursts of 32 bytes in turn
  const auto cycles = [&](std::int64_t pitch) {
    Pipeline pipeline(config);
    return pipeline.load(Pipeline::Channel::kLoad, {.rows = 4000, .run = 32, .pitch = pitch}, {},
                         0);
  };
  NpuConfig wide = config;
  wide.dma.max_outstanding = 256;  // else the requests in flight are the limit
  const auto wide_cycles = [&](std::int64_t pitch) {
    Pipeline pipeline(wide);
    return pipeline.load(Pipeline::Channel::kLoad, {.rows = 4000, .run = 32, .pitch = pitch}, {},
                         0);
  };
  EXPECT_NEAR(wide_cycles(256) / wide_cycles(96), 2, 0.05);
  EXPECT_GT(cycles(96), wide_cycles(96));
}

TEST(Pipeline, EqualIterationsAreAddedAtOnce) {
  const NpuConfig config = edge();
  const auto run = [&](bool at_once) {
    Pipeline pipeline(config);
    const std::size_t slots = pipeline.add_slots(2);
    const auto body = [&](std::int64_t i) {
      const Pipeline::Claim c = pipeline.claim(slots, i);
      EXPECT_FALSE(c.there);
      c.slot->ready =
          pipeline.load(Pipeline::Channel::kLoad, {.rows = 1, .run = 4096}, {}, c.slot->free);
      c.slot->free = pipeline.tile({500, 400}, {}, {}, c.slot->ready);
      pipeline.traffic().macs += 10;
    };
    constexpr std::int64_t kMany = 1000;
    if (at_once) {
      pipeline.repeat(kMany, body);
    } else {
      for (std::int64_t i = 0; i < kMany; ++i) body(i);
    }
    EXPECT_DOUBLE_EQ(pipeline.traffic().macs, 10.0 * kMany);
    return pipeline.end();
  };
  EXPECT_NEAR(run(true), run(false), 0.002 * run(false));
}

TEST(Pipeline, SlotsAreReusedLeastRecentlyUsedFirst) {
  const NpuConfig config = edge();
  Pipeline pipeline(config);
  const std::size_t slots = pipeline.add_slots(2);
  EXPECT_FALSE(pipeline.claim(slots, 1).there);
  EXPECT_FALSE(pipeline.claim(slots, 2).there);
  EXPECT_TRUE(pipeline.claim(slots, 1).there);
  EXPECT_FALSE(pipeline.claim(slots, 3).there);  // takes the place of 2
  EXPECT_TRUE(pipeline.claim(slots, 1).there);
  EXPECT_FALSE(pipeline.claim(slots, 2).there);
}

}  // namespace
}  // namespace npu::cost
