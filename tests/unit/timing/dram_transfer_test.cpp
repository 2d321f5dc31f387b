#include <gtest/gtest.h>

#include "sim/timing/dma_timing.h"

namespace npu::timing {
namespace {

NpuConfig config() {
  NpuConfig c;
  c.clock.frequency_mhz = 1000;
  c.dma = {.channels = 2,
           .bus_width_bytes = 16,
           .max_outstanding = 8,
           .max_burst_bytes = 256,
           .setup_cycles = 10};
  c.interconnect = {.bytes_per_cycle = 32, .latency_cycles = 5};
  DramConfig& d = c.dram;
  d.clock_mhz = 2000;
  d.bus_width_bits = 64;
  d.burst_length = 8;
  d.tCL = 20, d.tCWL = 10, d.tRCD = 20, d.tCCD_S = 4, d.tCCD_L = 4;
  d.controller_latency_ns = 3;
  d.refresh = RefreshPolicy::kNone;
  return c;
}
// Idle latency of a read: 2 · 5 + 3 + (20 + 20 + 4) / 2 = 35; of a write 30.
constexpr std::int64_t kReadLatency = 35, kWriteLatency = 30;

TEST(DramTransfer, BandwidthIsInCoreCycles) {
  EXPECT_DOUBLE_EQ(dram_bytes_per_core_cycle(config()), 32);
  NpuConfig c = config();
  c.clock.frequency_mhz = 500;
  EXPECT_DOUBLE_EQ(dram_bytes_per_core_cycle(c), 64);
}

TEST(DramTransfer, RequestIsAtLeastABurstAndAtMostFourKib) {
  NpuConfig c = config();
  EXPECT_EQ(request_bytes(c), 256);
  c.dma.max_burst_bytes = 16;
  EXPECT_EQ(request_bytes(c), 64);
  c.dma.max_burst_bytes = 65536;
  EXPECT_EQ(request_bytes(c), 4096);
}

TEST(DramTransfer, BusBound) {
  const TransferTiming t = estimate_transfer(config(), 1, 16384, false);
  EXPECT_EQ(t.cycles, 10 + kReadLatency + 16384 / 16);
  EXPECT_EQ(t.dram_bytes, 16384);
  EXPECT_EQ(estimate_transfer(config(), 1, 16384, true).cycles, 10 + kWriteLatency + 16384 / 16);
}

TEST(DramTransfer, SmallRowsTakeABeatAndABurstEach) {
  NpuConfig c = config();
  const TransferTiming t = estimate_transfer(c, 1000, 1, false);
  EXPECT_EQ(t.dram_bytes, 64'000);
  // 1000 requests, 8 outstanding: 124 more round trips after the first.
  EXPECT_EQ(t.cycles, 10 + kReadLatency + 124 * kReadLatency);
  c.dma.max_outstanding = 1000;
  EXPECT_EQ(estimate_transfer(c, 1000, 1, false).cycles, 10 + kReadLatency + 64'000 / 32);
}

TEST(DramTransfer, InterconnectBound) {
  NpuConfig c = config();
  c.interconnect.bytes_per_cycle = 4;
  EXPECT_EQ(estimate_transfer(c, 1, 16384, false).cycles, 10 + kReadLatency + 16384 / 4);
}

TEST(DramTransfer, NothingCostsTheSetup) {
  EXPECT_EQ(estimate_transfer(config(), 0, 100, false).cycles, 10);
  EXPECT_EQ(estimate_transfer(config(), 100, 0, false).dram_bytes, 0);
}

TEST(DramTransfer, NeverBelowItsBounds) {
  const NpuConfig c = config();
  for (const std::int64_t rows : {1, 3, 50}) {
    for (const std::int64_t run : {1, 63, 64, 65, 256, 1000, 5000}) {
      const TransferTiming t = estimate_transfer(c, rows, run, false);
      EXPECT_GE(t.dram_bytes, rows * run);
      EXPECT_GE(t.cycles * 16, rows * run);
      EXPECT_GE(estimate_transfer(c, rows + 1, run, false).cycles, t.cycles);
      EXPECT_GE(estimate_transfer(c, rows, run + 1, false).cycles, t.cycles);
    }
  }
}

}  // namespace
}  // namespace npu::timing
