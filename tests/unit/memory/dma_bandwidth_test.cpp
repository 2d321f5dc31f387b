// What bounds a DMA channel, one bound at a time, against its closed form: request slots, the
// interconnect, the bus, the scratchpad. The DRAM behind is one open row: after the first access
// every burst of 64 bytes takes one clock and arrives a fixed latency after its request.

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <vector>

#include "sim/base/math.h"
#include "tests/unit/memory/dma_instructions.h"
#include "tests/unit/memory/sim_bench.h"

namespace npu {
namespace {

using isa::Opcode;
using test::Copy;
using test::dma_instruction;
using test::SimBench;
using test::sum_of;

constexpr std::int64_t kBurst = 64;
constexpr std::uint64_t kLatency = 30;  ///< tCL, in core cycles as well.

SimBench::Options one_row() {
  SimBench::Options o;
  o.with_data = false;
  o.dram.bank_groups = 1;
  o.dram.banks_per_group = 1;
  o.dram.rows = 64;
  o.dram.bus_width_bits = 256;
  o.dram.burst_length = 2;
  o.dram.columns = 1 << 16;  // 2 MiB in a row
  o.dram.tCL = o.dram.tCWL = static_cast<int>(kLatency);
  o.dram.tCCD_S = o.dram.tCCD_L = 1;
  o.dram.tRTRS = 0;
  o.dram.queue_depth = 64;
  o.dram.address_mapping = "ro-ra-ba-bg-co-ch";
  o.dma.bus_width_bytes = 64;
  o.dma.max_burst_bytes = 64;
  o.dma.max_outstanding = 64;
  o.link = {.bytes_per_cycle = 1024, .latency_cycles = 0};
  o.scratchpad.port_width_bytes = 1024;
  return o;
}

/// A transfer and its direction.
struct Transfer {
  Opcode opcode = Opcode::kDmaLoad;
  Copy copy;
};

/// Opens the row, then runs the transfers side by side, each on a channel of its own. @return their
/// cycles.
std::uint64_t run_together(const SimBench::Options& options,
                           const std::vector<Transfer>& transfers) {
  constexpr std::uint64_t kBegin = 200;
  std::uint64_t end = 0;
  {
    SimBench bench(options);
    std::vector<std::function<void()>> bodies;
    for (std::size_t i = 0; i < transfers.size(); ++i) {
      bodies.emplace_back([&, i] {
        if (i == 0) bench.dma[0]->execute(dma_instruction(Opcode::kDmaLoad, {.run = 1}), 0, 1);
        bench.clock.wait_until(kBegin);
        bench.dma[i]->execute(dma_instruction(transfers[i].opcode, transfers[i].copy), 0, 1);
      });
    }
    end = bench.run(bodies);
    EXPECT_EQ(sum_of(bench.dma[0]->timeline()), bench.dma[0]->timeline().accounted());
  }
  sc_core::sc_get_curr_simcontext()->reset();
  return end - kBegin;
}
std::uint64_t run_warm(const SimBench::Options& options, const Copy& copy,
                       Opcode opcode = Opcode::kDmaLoad) {
  return run_together(options, {{opcode, copy}});
}

/// `requests` of `service` cycles at the memory each, `slots` under way, `round` from offer to
/// release: round after round of all slots, the last one as far as it is filled. Where the slots
/// cover the round trip, the memory is busy all the time.
std::uint64_t slotted(std::uint64_t requests, std::uint64_t slots, std::uint64_t service,
                      std::uint64_t round) {
  if (slots * service >= round) return round + (requests - 1) * service;
  return (requests + slots - 1) / slots * round + (requests - 1) % slots * service;
}

TEST(DmaBandwidth, LoadsAreBoundByRequestSlotsTimesTheRoundTrip) {
  for (const int slots : {1, 2, 3, 4, 8, 16, 31, 32, 64}) {
    for (const std::uint64_t requests : {1U, 2U, 7U, 64U, 100U}) {
      for (const int link : {0, 5}) {
        SimBench::Options o = one_row();
        o.dma.max_outstanding = slots;
        o.link.latency_cycles = link;
        const std::uint64_t round = kLatency + 1 + 2 * static_cast<std::uint64_t>(link);
        EXPECT_EQ(run_warm(o, {.run = static_cast<std::int64_t>(requests) * kBurst}),
                  slotted(requests, static_cast<std::uint64_t>(slots), 1, round))
            << slots << " slots, " << requests << " requests, link " << link;
      }
    }
  }
}

TEST(DmaBandwidth, StoresReadTheScratchpadFirst) {
  // Once the scratchpad's latency; per request a beat on the bus and one on the interconnect into
  // the write queue, which answers it; the last burst then goes to the DRAM.
  for (const int slots : {1, 2, 3, 4, 8, 16, 31, 32, 33, 64}) {
    for (const std::uint64_t requests : {1U, 2U, 7U, 64U, 100U}) {
      SimBench::Options o = one_row();
      o.dma.max_outstanding = slots;
      o.scratchpad.latency_cycles = 4;
      EXPECT_EQ(
          run_warm(o, {.run = static_cast<std::int64_t>(requests) * kBurst}, Opcode::kDmaStore),
          4 + slotted(requests, static_cast<std::uint64_t>(slots), 1, 2) + kLatency + 1)
          << slots << " slots, " << requests << " requests";
    }
  }
}

TEST(DmaBandwidth, LongerRequestsNeedFewerSlots) {
  for (const int bursts : {1, 2, 4, 8, 16}) {
    for (const int slots : {1, 2, 3, 4}) {
      SimBench::Options o = one_row();
      o.dma.max_outstanding = slots;
      o.dma.max_burst_bytes = bursts * static_cast<int>(kBurst);
      const auto service = static_cast<std::uint64_t>(bursts);
      EXPECT_EQ(run_warm(o, {.run = 32768}),
                slotted(32768U / (service * 64), static_cast<std::uint64_t>(slots), service,
                        kLatency + service))
          << bursts << " bursts, " << slots << " slots";
    }
  }
}

TEST(DmaBandwidth, UnalignedRunsAndFourKibCostTheirRequestsAndBursts) {
  // One slot: each request pays its latency and its bursts. Requests end at multiples of the
  // largest one and at 4 KiB.
  std::mt19937 random(4);
  for (int round = 0; round < 150; ++round) {
    SimBench::Options o = one_row();
    o.dma.max_outstanding = 1;
    o.dma.max_burst_bytes = static_cast<int>(kBurst) * static_cast<int>(1 + random() % 80);
    const auto low = static_cast<std::int64_t>(random() % 9000);
    const auto run = static_cast<std::int64_t>(1 + random() % 9000);
    std::uint64_t expected = 0;
    for (std::int64_t at = low; at < low + run;) {
      const std::int64_t page = at / 4096 * 4096;
      const std::int64_t window =
          page + ((at - page) / o.dma.max_burst_bytes + 1) * o.dma.max_burst_bytes;
      const std::int64_t end = std::min({low + run, window, page + 4096});
      expected += kLatency + static_cast<std::uint64_t>(ceil_div(end, kBurst) - at / kBurst);
      at = end;
    }
    ASSERT_EQ(run_warm(o, {.src = low, .run = run}), expected)
        << "[" << low << ", " << low + run << ") by " << o.dma.max_burst_bytes;
  }
}

TEST(DmaBandwidth, ChannelsShareTheInterconnect) {
  // Data comes at 64 bytes per cycle from cycle tCL on and passes at the interconnect's rate, down
  // to the byte, whoever asked for it.
  for (const int width : {4, 8, 16, 24, 48}) {
    for (const int channels : {1, 2, 4}) {
      SimBench::Options o = one_row();
      o.dma.channels = channels;
      o.link.bytes_per_cycle = width;
      std::vector<Transfer> loads;
      for (int i = 0; i < channels; ++i) loads.push_back({.copy = {.src = i * 8192, .run = 4096}});
      const auto w = static_cast<std::uint64_t>(width);
      const auto bytes = static_cast<std::uint64_t>(channels) * 4096;
      EXPECT_EQ(run_together(o, loads), kLatency + (bytes + w - 1) / w)
          << width << " bytes per cycle, " << channels << " channels";
    }
  }
}

TEST(DmaBandwidth, ReadsAndWritesPassTheInterconnectSideBySide) {
  SimBench::Options o = one_row();
  o.link.bytes_per_cycle = 8;
  const std::uint64_t load = run_warm(o, {.run = 4096});
  const std::uint64_t store = run_warm(o, {.dst = 65536, .run = 4096}, Opcode::kDmaStore);
  const std::uint64_t both =
      run_together(o, {{.copy = {.run = 4096}},
                       {.opcode = Opcode::kDmaStore, .copy = {.dst = 65536, .run = 4096}}});
  EXPECT_EQ(load, kLatency + 512);
  // Far less than one after the other; the DRAM turns around between the directions.
  EXPECT_GE(both, std::max(load, store));
  EXPECT_LT(both, std::max(load, store) + 200);
}

TEST(DmaBandwidth, ABusNarrowerThanTheDramBeginsWithTheFirstByte) {
  for (const int width : {4, 8, 16, 32, 64, 128}) {
    const auto beats = static_cast<std::uint64_t>(std::max<std::int64_t>(1, kBurst / width));
    for (const std::uint64_t requests : {1U, 2U, 16U, 64U}) {
      SimBench::Options o = one_row();
      o.dma.bus_width_bytes = width;
      EXPECT_EQ(run_warm(o, {.run = static_cast<std::int64_t>(requests) * kBurst}),
                kLatency + beats * requests)
          << width << " bytes, " << requests << " requests";
      // One slot: the bus cannot take the next request's bytes before they have come.
      o.dma.max_outstanding = 1;
      EXPECT_EQ(run_warm(o, {.run = static_cast<std::int64_t>(requests) * kBurst}),
                (kLatency + beats) * requests)
          << width << " bytes, " << requests << " requests, one slot";
    }
  }
}

TEST(DmaBandwidth, SingleByteRowsTakeABeatEachOnceTheyAreThere) {
  SimBench::Options o = one_row();
  Copy copy{.run = 1, .count = {64, 1, 1}, .src_stride = {1}, .dst_stride = {5}};
  EXPECT_EQ(run_warm(o, copy), kLatency + 64);
}

TEST(DmaBandwidth, AScratchpadNarrowerThanTheBusHoldsItUp) {
  // 64 bytes per cycle arrive, the bank takes 16: 4 cycles per request, the last of which begins
  // when it arrives or when the bank is free.
  SimBench::Options o = one_row();
  o.scratchpad.banks = 1;
  o.scratchpad.port_width_bytes = 16;
  for (const std::uint64_t requests : {1U, 2U, 16U, 64U}) {
    EXPECT_EQ(run_warm(o, {.run = static_cast<std::int64_t>(requests) * kBurst}),
              kLatency + 4 * requests);
  }
}

}  // namespace
}  // namespace npu
