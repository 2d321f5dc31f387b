#pragma once

#include <cstdint>
#include <vector>

#include "sim/memory/dram_scheduler.h"

namespace npu::test {

/// DDR4-2400, 8 Gb x8 devices, 64-bit channel. Source: dram_timings.yaml, DDR4-2400_8Gb_x8.
inline DramConfig ddr4_2400() {
  DramConfig c;
  c.device = "DDR4-2400";
  c.clock_mhz = 1200;
  c.data_rate = 2;
  c.bank_groups = 4;
  c.banks_per_group = 4;
  c.rows = 65536;
  c.columns = 1024;
  c.bus_width_bits = 64;
  c.burst_length = 8;
  c.tCL = 17, c.tCWL = 12, c.tRCD = 17, c.tRP = 17, c.tRAS = 39, c.tRRD_S = 4, c.tRRD_L = 6;
  c.tFAW = 26, c.tCCD_S = 4, c.tCCD_L = 6, c.tWR = 18, c.tWTR_S = 3, c.tWTR_L = 9, c.tRTP = 9;
  c.tRFC = 420, c.tRFCpb = 120, c.tREFI = 9360, c.tRTRS = 1;
  c.address_mapping = "ro-ra-ba-co-bg-ch";
  c.refresh = RefreshPolicy::kNone;
  return c;
}

/// Runs a scheduler over bursts that are pushed as they arrive and there is room.
inline std::vector<DramScheduler::Issue> run_all(DramScheduler& scheduler,
                                                 const std::vector<DramBurst>& bursts) {
  std::vector<DramScheduler::Issue> issues;
  DramClock now = 0;
  std::size_t next = 0;
  while (issues.size() < bursts.size()) {
    while (next < bursts.size() && bursts[next].arrival <= now &&
           scheduler.has_room(bursts[next].is_write)) {
      DramBurst burst = bursts[next++];
      burst.arrival = now;
      (void)scheduler.push(burst);
    }
    DramClock wake = scheduler.run(now, issues);
    if (next < bursts.size()) {
      const DramClock arrival = bursts[next].arrival > now ? bursts[next].arrival : now + 1;
      wake = wake < arrival ? wake : arrival;
    }
    now = wake;
  }
  return issues;
}

}  // namespace npu::test
