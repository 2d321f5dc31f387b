// A memory of fixed latency, and the port's limit of outstanding reads.

#include <gtest/gtest.h>

#include "tests/unit/memory/sim_bench.h"

namespace npu {
namespace {

using test::SimBench;
using test::Streamer;

SimBench::Options options(int latency, int read_clocks, int write_clocks = 256) {
  SimBench::Options o;
  o.dram = {};
  o.dram.device = "fixed";
  o.dram.kind = DramKind::kFixedLatency;
  o.dram.clock_mhz = 1000;
  o.dram.data_rate = o.dram.burst_length = 1;
  o.dram.rows = o.dram.columns = 1;
  o.dram.bus_width_bits = 64;
  o.dram.address_mapping = "ro-ra-bg-ba-co-ch";
  o.dram.fixed_latency = {.read_latency_clocks = latency,
                          .read_clocks_per_256_beats = read_clocks,
                          .write_clocks_per_256_beats = write_clocks,
                          .write_response_clocks = 20};
  o.link = {.bytes_per_cycle = 8, .latency_cycles = 1};
  return o;
}

/// A requester of single beats.
struct Beats : Streamer {
  Beats(SimBench& bench, int beats, bool writes = false) : Streamer(bench.dram, bench.clock) {
    address = [](int i) { return std::int64_t{i} * 8; };
    is_write = [writes](int) { return writes; };
    count = beats;
    bytes = 8;
  }
};

TEST(FixedLatency, ReadsComeOneBeatAClockAfterTheLatency) {
  SimBench bench(options(50, 256));
  Beats s(bench, 10);
  bench.run({[&] { s.run(); }});
  // There, its turn, the latency, the beat itself, back.
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(s.done_at[i], i + 1 + 50 + 1 + 1);
  EXPECT_EQ(bench.total(Event::kDramRead), 10U);
}

TEST(FixedLatency, RatesAreExactFractions) {
  SimBench bench(options(0, 300));
  Beats s(bench, 257);
  bench.run({[&] { s.run(); }});
  EXPECT_EQ(s.done_at[256] - s.done_at[0], 300U);
}

TEST(FixedLatency, AnIdealMemoryLeavesTheLimitToTheInterconnect) {
  SimBench bench(options(0, 1));
  Beats s(bench, 100);
  bench.run({[&] { s.run(); }});
  EXPECT_EQ(s.done_at[99] - s.done_at[0], 99U);
}

TEST(FixedLatency, WritesHaveAPathOfTheirOwnAndAResponse) {
  SimBench bench(options(50, 256, 512));
  Beats reads(bench, 100);
  Beats writes(bench, 100, true);
  bench.run({[&] { reads.run(); }, [&] { writes.run(); }});
  EXPECT_EQ(reads.done_at[99], 99U + 53);
  EXPECT_EQ(writes.done_at[99] - writes.done_at[0], 2U * 99);
  EXPECT_EQ(writes.done_at[0], 1U + 1 + 2 + 20 + 1);
}

TEST(FixedLatency, CompetingReadersTakeTurns) {
  SimBench bench(options(10, 256));
  Beats a(bench, 50);
  Beats b(bench, 100);
  bench.run({[&] { a.run(); }, [&] { b.run(); }});
  EXPECT_NEAR(static_cast<double>(a.done_at[49]), 100 + 12, 2);
  EXPECT_EQ(b.done_at[99], 149U + 13);
}

TEST(FixedLatency, BucketsClose) {
  SimBench bench(options(50, 512));
  Beats s(bench, 10);
  bench.run({[&] { s.run(); }});
  bench.dram.close(bench.clock.now());
  const Timeline channel = bench.dram.timelines().at(0);
  EXPECT_EQ(test::sum_of(channel), bench.clock.now());
  EXPECT_EQ(channel.cycles(Bucket::kBusy), 20U);
  EXPECT_GT(channel.cycles(Bucket::kWaitDram), 45U);
}

TEST(ReadWindow, BoundsTheRateByItsPlacesOverTheRoundTrip) {
  auto o = options(400, 256);
  o.link.max_outstanding_reads = 256;
  SimBench bench(o);
  Beats s(bench, 1024);
  bench.run({[&] { s.run(); }});
  // Four rounds of 256 beats, each begun by the first answer of the one before.
  EXPECT_EQ(s.done_at[1023], 3U * 403 + 255 + 403);
}

TEST(ReadWindow, OneReadAtATime) {
  SimBench::Options o;
  o.link.max_outstanding_reads = 1;
  SimBench bench(o);
  Streamer s(bench.dram, bench.clock);
  s.count = 20;
  bench.run({[&] { s.run(); }});
  for (std::size_t i = 1; i < 20; ++i) EXPECT_GE(s.done_at[i], s.done_at[i - 1] + 17);
}

}  // namespace
}  // namespace npu
