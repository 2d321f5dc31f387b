#include <gtest/gtest.h>

#include "sim/power/ledger.h"
#include "tests/unit/core/machine_fixture.h"

// What must close over a whole machine: cycles, energy, layers.
namespace npu {
namespace {

using machine_test::gemm;
using machine_test::kDma0;
using machine_test::kDma1;
using machine_test::kMac;
using machine_test::kOutputAddress;
using machine_test::kVec;
using machine_test::load;
using machine_test::simulate;
using machine_test::small_config;
using machine_test::store;
using machine_test::vec_max;

/// Every engine does something, in three layers and one word of none.
isa::Program mixed() {
  isa::Program program = machine_test::program_of(
      {load(0, 0, 0, 5120, 0, kMac | kVec), gemm(0, 4096, 0, 128, 32, 32, kDma0, 0),
       vec_max(0, 1024, 8192, 1024, kDma0, kDma1), store(1, 8192, kOutputAddress, 1024, kVec, 0),
       load(1, 4096, 16384, 512)});
  program.layers = {{.name = "a", .source_index = 0, .macs = 0},
                    {.name = "b", .source_index = 1, .macs = 0},
                    {.name = "c", .source_index = 2, .macs = 0}};
  program.layer_of = {0, 0, 2, 2, 1, -1};
  return program;
}

TEST(MachineBalance, EveryCycleOfEveryUnitIsInOneBucket) {
  const RunStats stats = simulate(mixed(), small_config(), {}, 2).stats;
  ASSERT_EQ(stats.units.size(), 6U);  // mac, vec, dma0, dma1, sequencer, dram0
  for (const UnitStats& u : stats.units) {
    const auto& cycles = u.timeline.all();
    EXPECT_EQ(std::accumulate(cycles.begin(), cycles.end(), std::uint64_t{0}), stats.total_cycles)
        << u.name;
    EXPECT_GT(u.timeline.cycles(Bucket::kBusy), 0U) << u.name;
  }
  EXPECT_EQ(machine_test::unit(stats, "sequencer").cycles(Bucket::kBusy), 2U * 6);
}

TEST(MachineBalance, PowerTraceIntegratesToTheLedger) {
  const NpuConfig config = small_config();
  const RunStats stats = simulate(mixed(), config, {}, 2).stats;
  const EnergyLedger ledger =
      make_ledger(config.energy, config.clock, stats.events, stats.total_cycles);
  const double total = ledger.total_pj();
  EXPECT_GT(total, 0);
  std::vector<double> energy(stats.power_components.size());
  std::uint64_t at = 0;
  for (const PowerSample& s : stats.power) {
    EXPECT_EQ(s.begin_cycle, at);
    at = s.end_cycle;
    const double ps = static_cast<double>(s.end_cycle - s.begin_cycle) *
                      static_cast<double>(config.clock.period_ps());
    for (std::size_t c = 0; c < energy.size(); ++c) energy[c] += s.watts[c] * ps;
  }
  EXPECT_EQ(at, stats.total_cycles);
  for (std::size_t c = 0; c < energy.size(); ++c) {
    EXPECT_NEAR(energy[c], ledger.component_pj(stats.power_components[c]), 1e-9 * total)
        << stats.power_components[c];
  }
  EXPECT_NEAR(std::accumulate(energy.begin(), energy.end(), 0.0), total, 1e-9 * total);
}

TEST(MachineBalance, EventsOfLayersSumToTheTotals) {
  const RunStats stats = simulate(mixed(), small_config(), {}, 2).stats;
  ASSERT_EQ(stats.events_per_layer.size(), 4U);
  for (std::size_t e = 0; e < kEventCount; ++e) {
    std::uint64_t sum = 0;
    for (const EventCounts& layer : stats.events_per_layer) sum += layer[e];
    EXPECT_EQ(sum, stats.events[e]) << name_of(static_cast<Event>(e));
  }
}

TEST(MachineBalance, LayerSpansSumToTheRunAndHoldTheirOwnWork) {
  const NpuConfig config = small_config();
  const RunStats stats = simulate(mixed(), config).stats;
  ASSERT_EQ(stats.layers.size(), 3U);
  std::uint64_t sum = 0;
  for (const LayerStats& layer : stats.layers) sum += layer.end_cycle - layer.begin_cycle;
  EXPECT_EQ(sum, stats.total_cycles);
  const LayerStats& a = stats.layers[0];
  EXPECT_GT(a.mac_busy_cycles, 0U);
  EXPECT_EQ(a.vector_busy_cycles, 0U);
  EXPECT_GT(a.dma_busy_cycles, 0U);
  EXPECT_EQ(a.events[static_cast<std::size_t>(Event::kMacInt8)], 128U * 32 * 32);
  EXPECT_GE(a.dram_read_bytes, 5120U);
  const LayerStats& c = stats.layers[2];
  EXPECT_GT(c.vector_busy_cycles, 0U);
  EXPECT_EQ(c.mac_busy_cycles, 0U);
  EXPECT_EQ(c.dram_write_bytes, 1024U);
  const auto busy = [&](std::string_view name) {
    return machine_test::unit(stats, name).cycles(Bucket::kBusy);
  };
  EXPECT_EQ(busy("mac_array"), a.mac_busy_cycles);
  EXPECT_EQ(busy("vector_unit"), c.vector_busy_cycles);
  EXPECT_EQ(busy("dma0") + busy("dma1"),
            a.dma_busy_cycles + c.dma_busy_cycles + stats.layers[1].dma_busy_cycles);
}

TEST(MachineBalance, ANewMachineHasNoCycles) {
  Machine machine(small_config(), mixed(), {});
  const RunStats stats = machine.stats();
  EXPECT_EQ(stats.total_cycles, 0U);
  EXPECT_TRUE(stats.power.empty());
}

}  // namespace
}  // namespace npu
