// Every limit of the machine has a bucket of its own: with the limit taken away the bucket is
// empty, and the buckets of the other limits are not.

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/config/dram_device.h"
#include "tests/unit/core/machine_fixture.h"

namespace npu::machine_test {
namespace {

/// Everything limits.
NpuConfig limited() {
  NpuConfig config = small_config();
  config.dram.refresh = RefreshPolicy::kAllBank;
  config.dram.tREFI = 2 * config.dram.tRFC;
  config.dram.page_policy = PagePolicy::kOpen;
  config.interconnect.latency_cycles = 20;
  config.interconnect.bytes_per_cycle = 4;
  config.dma.bus_width_bytes = 32;
  config.dma.max_burst_bytes = 64;
  config.dma.max_outstanding = 2;
  config.dma.setup_cycles = 16;
  config.scratchpad.banks = 1;
  config.scratchpad.ports = 1;
  // Enough for the DMA bus, or for the vector unit's two reads and a write; not for both.
  config.scratchpad.port_width_bytes = 64;
  config.vector_unit.lanes = 16;
  config.scratchpad.interleave = Interleave::kBlock;
  config.vector_unit.latency_cycles = 8;
  config.sequencer.queue_depth = 1;
  return config;
}

/// Loads that stride over DRAM rows into the lower half of the scratchpad, beside vector work on
/// the upper half; then a wait for both.
isa::Program busy_program(const NpuConfig& config) {
  const std::int64_t half = config.scratchpad.capacity_bytes / 2;
  std::vector<isa::Instruction> code;
  for (int i = 0; i < 12; ++i) {
    code.push_back(load(0, i % 8 * 4096, 0, 2048, 0, i == 11 ? kVec : 0));
    code.push_back(vec_max(half, half, half + 8192, 4096));
  }
  code.push_back(vec_max(half, half, half + 8192, 64, kDma0));
  return program_of(std::move(code));
}

std::uint64_t cycles_in(const RunStats& stats, Bucket bucket, std::string_view unit_prefix) {
  std::uint64_t sum = 0;
  for (const UnitStats& u : stats.units) {
    if (u.name.starts_with(unit_prefix)) sum += u.timeline.cycles(bucket);
  }
  return sum;
}

struct Limit {
  const char* name;
  Bucket bucket;
  const char* units;  ///< Whose bucket it is: the begin of their names.
  std::function<void(NpuConfig&)> remove;
};

const std::array kLimits{
    Limit{"refresh", Bucket::kRefresh, "dram",
          [](NpuConfig& c) { c.dram.refresh = RefreshPolicy::kNone; }},
    Limit{"one bank", Bucket::kWaitBank, "", [](NpuConfig& c) { c.scratchpad.banks = 2; }},
    Limit{"latency of the vector unit", Bucket::kFillDrain, "vector_unit",
          [](NpuConfig& c) { c.vector_unit.latency_cycles = 0; }},
    Limit{"set-up of a descriptor", Bucket::kFillDrain, "dma",
          [](NpuConfig& c) { c.dma.setup_cycles = 0; }},
    Limit{"outstanding requests", Bucket::kWaitOutstanding, "dma",
          [](NpuConfig& c) { c.dma.max_outstanding = 4096; }},
    Limit{"interconnect", Bucket::kWaitInterconnect, "dma",
          [](NpuConfig& c) {
            c.interconnect.latency_cycles = 0;
            c.interconnect.bytes_per_cycle = 1 << 20;
          }},
    Limit{"engine queues", Bucket::kStallFull, "sequencer",
          [](NpuConfig& c) { c.sequencer.queue_depth = 64; }},
};

RunStats stats_of(const NpuConfig& config) {
  return simulate(busy_program(config), config, {.timing_only = true, .check_hazards = false})
      .stats;
}

void expect_closed(const RunStats& stats) {
  for (const UnitStats& u : stats.units) {
    std::uint64_t sum = 0;
    for (const std::uint64_t cycles : u.timeline.all()) sum += cycles;
    EXPECT_EQ(sum, stats.total_cycles) << u.name;
  }
}

TEST(LimitBuckets, TakingALimitAwayEmptiesItsBucketAlone) {
  const RunStats all = stats_of(limited());
  expect_closed(all);
  for (const Limit& limit : kLimits) {
    EXPECT_GT(cycles_in(all, limit.bucket, limit.units), 0U) << limit.name;
  }
  for (const Limit& removed : kLimits) {
    NpuConfig config = limited();
    removed.remove(config);
    const RunStats stats = stats_of(config);
    expect_closed(stats);
    for (const Limit& limit : kLimits) {
      const std::uint64_t cycles = cycles_in(stats, limit.bucket, limit.units);
      if (&limit == &removed) {
        EXPECT_EQ(cycles, 0U) << removed.name;
      } else {
        EXPECT_GT(cycles, 0U) << limit.name << " without " << removed.name;
      }
    }
  }
}

/// Loads through a memory without banks, one after the other.
NpuConfig behind(int latency_clocks) {
  NpuConfig config = small_config();
  config.dram =
      load_dram_device(std::string(NPUSIM_SOURCE_DIR) + "/configs/dram/fixed_latency.yaml");
  config.dram.clock_mhz = config.clock.frequency_mhz;
  config.dram.fixed_latency.read_latency_clocks = latency_clocks;
  config.dram.fixed_latency.read_clocks_per_256_beats = 1;
  config.dma.max_burst_bytes = 64;
  config.dma.bus_width_bytes = 64;
  config.interconnect = {};
  config.interconnect.bytes_per_cycle = 1 << 20;
  config.interconnect.latency_cycles = 5;
  config.sequencer.program_memory = ProgramMemory::kLocal;
  return config;
}

RunStats loads_of(const NpuConfig& config) {
  std::vector<isa::Instruction> code;
  for (int i = 0; i < 4; ++i) code.push_back(load(0, i * 4096, 0, 4096));
  return simulate(program_of(std::move(code)), config, {.timing_only = true}).stats;
}

TEST(LimitBuckets, AMemoryWithoutLatencyLeavesNoWaitForDram) {
  const RunStats slow = loads_of(behind(60));
  const RunStats fast = loads_of(behind(0));
  expect_closed(slow);
  expect_closed(fast);
  EXPECT_GT(cycles_in(slow, Bucket::kWaitDram, "dma"), 4U * 50);
  EXPECT_EQ(cycles_in(fast, Bucket::kWaitDram, "dma"), 0U);
  EXPECT_GT(cycles_in(fast, Bucket::kWaitInterconnect, "dma"), 0U);
}

TEST(LimitBuckets, OneRequestAtATimeWaitsForItsPlace) {
  NpuConfig config = behind(60);
  config.dma.max_outstanding = 1;
  const RunStats one = loads_of(config);
  config.dma.max_outstanding = 4096;
  const RunStats many = loads_of(config);
  // 64 requests a load; the first of each has nobody before it.
  EXPECT_EQ(cycles_in(one, Bucket::kWaitOutstanding, "dma"),
            4U * 63 *
                (cycles_in(one, Bucket::kWaitDram, "dma") +
                 cycles_in(one, Bucket::kWaitInterconnect, "dma")) /
                4);
  EXPECT_EQ(cycles_in(many, Bucket::kWaitOutstanding, "dma"), 0U);
}

TEST(LimitBuckets, ReadsThatTheInterconnectDoesNotTakeWaitForTheirPlaceAsWell) {
  NpuConfig config = behind(60);
  config.dma.max_outstanding = 64;
  config.interconnect.max_outstanding_reads = 2;
  EXPECT_GT(cycles_in(loads_of(config), Bucket::kWaitOutstanding, "dma"), 0U);
  EXPECT_EQ(cycles_in(loads_of(config), Bucket::kStallFull, "dma"), 0U);
  config.interconnect.max_outstanding_reads = 0;
  EXPECT_EQ(cycles_in(loads_of(config), Bucket::kWaitOutstanding, "dma"), 0U);
}

TEST(LimitBuckets, AFullQueueOfTheDramStalls) {
  NpuConfig config = small_config();
  config.dma.max_outstanding = 4096;
  config.dma.max_burst_bytes = 64;
  config.dram.queue_depth = 2;
  EXPECT_GT(cycles_in(loads_of(config), Bucket::kStallFull, "dma"), 0U);
  config.dram.queue_depth = 1024;
  EXPECT_EQ(cycles_in(loads_of(config), Bucket::kStallFull, "dma"), 0U);
}

}  // namespace
}  // namespace npu::machine_test
