#include "sim/timing/dram_timing.h"

#include <gtest/gtest.h>

namespace npu::timing {
namespace {

DramConfig ddr4_2400() {
  DramConfig c;
  c.clock_mhz = 1200;
  c.bank_groups = 4;
  c.banks_per_group = 4;
  c.rows = 65536;
  c.columns = 1024;
  c.bus_width_bits = 64;
  c.burst_length = 8;
  c.tCL = 17, c.tCWL = 12, c.tRCD = 17, c.tRP = 17, c.tRAS = 39, c.tRRD_S = 4, c.tRRD_L = 6;
  c.tFAW = 26, c.tCCD_S = 4, c.tCCD_L = 6, c.tRFC = 420, c.tRFCpb = 120, c.tREFI = 9360;
  c.address_mapping = "ro-ra-bg-ba-co-ch";
  return c;
}

TEST(DramTiming, BurstClocksRoundUp) {
  DramConfig c = ddr4_2400();
  EXPECT_EQ(burst_clocks(c), 4);
  c.data_rate = 16;
  EXPECT_EQ(burst_clocks(c), 1);
}

TEST(DramTiming, RefreshTakesItsShare) {
  DramConfig c = ddr4_2400();
  EXPECT_DOUBLE_EQ(refresh_efficiency(c), 1 - 420.0 / 9360);
  c.refresh = RefreshPolicy::kPerBank;
  EXPECT_DOUBLE_EQ(refresh_efficiency(c), 1 - 120.0 / 9360);
  c.refresh = RefreshPolicy::kNone;
  EXPECT_DOUBLE_EQ(refresh_efficiency(c), 1);
}

TEST(DramTiming, StreamIsBoundByTheGapItsMappingGives) {
  DramConfig c = ddr4_2400();
  c.refresh = RefreshPolicy::kNone;
  EXPECT_EQ(stream_clocks_per_burst(c), 6);
  c.address_mapping = "ro-ra-ba-co-bg-ch";
  EXPECT_EQ(stream_clocks_per_burst(c), 4);
  EXPECT_DOUBLE_EQ(stream_bytes_per_clock(c), 16);
  c.channels = 2;
  EXPECT_DOUBLE_EQ(stream_bytes_per_clock(c), 32);
  c.bank_groups = 1;
  EXPECT_EQ(stream_clocks_per_burst(c), 6);
}

TEST(DramTiming, RandomBurstsAreBoundByTheActivateWindow) {
  DramConfig c = ddr4_2400();
  c.refresh = RefreshPolicy::kNone;
  EXPECT_DOUBLE_EQ(random_bursts_per_clock(c), 4.0 / 26);
  c.tFAW = 16;
  c.tRRD_S = 5;
  EXPECT_DOUBLE_EQ(random_bursts_per_clock(c), 1.0 / 5);
  c.ranks = 2;
  EXPECT_DOUBLE_EQ(random_bursts_per_clock(c), 1.0 / 4);
}

TEST(DramTiming, IdleReadLatency) {
  const DramConfig c = ddr4_2400();
  EXPECT_EQ(idle_read_clocks(c, true, true), 17 + 4);
  EXPECT_EQ(idle_read_clocks(c, false, false), 17 + 17 + 4);
  EXPECT_EQ(idle_read_clocks(c, false, true), 17 + 17 + 17 + 4);
}

}  // namespace
}  // namespace npu::timing
