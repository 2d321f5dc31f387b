#include "sim/memory/dram.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <random>

#include "tests/unit/memory/sim_bench.h"

namespace npu {
namespace {

using test::SimBench;
using test::Streamer;
using test::sum_of;

constexpr int kBurst = 4;

TEST(Dram, LoneReadTakesTheIdleLatency) {
  SimBench::Options o;
  o.link.latency_cycles = 5;
  o.dram.controller_latency_ns = 7;
  SimBench bench(o);
  Streamer reader(bench.dram, bench.clock);
  bench.run({[&] { reader.run(); }});
  EXPECT_EQ(reader.done_at[0], 2U * 5 + 7 + 17 + 17 + kBurst);
}

TEST(Dram, LatencyIsCountedInCoreCycles) {
  SimBench::Options o;
  o.period_ps = 2000;
  o.link.latency_cycles = 1;
  SimBench bench(o);
  Streamer reader(bench.dram, bench.clock);
  bench.run({[&] { reader.run(); }});
  EXPECT_EQ(reader.done_at[0], 2U + (17 + 17 + kBurst) / 2);
}

TEST(Dram, StreamRunsAtThePeakBandwidth) {
  SimBench bench;
  Streamer reader(bench.dram, bench.clock);
  reader.count = 10000;
  const std::uint64_t cycles = bench.run({[&] { reader.run(); }});
  EXPECT_LT(cycles, 10000U * kBurst + 100);
  EXPECT_GE(cycles, 10000U * kBurst);
}

TEST(Dram, ChannelsMultiplyTheBandwidth) {
  SimBench::Options o;
  o.dram.channels = 4;
  SimBench bench(o);
  Streamer reader(bench.dram, bench.clock);
  reader.count = 10000;
  EXPECT_LT(bench.run({[&] { reader.run(); }}), 10000U + 200);
}

TEST(Dram, InterconnectBandwidthBoundsReadsAndWrites) {
  SimBench::Options o;
  o.link.bytes_per_cycle = 8;
  SimBench bench(o);
  Streamer reader(bench.dram, bench.clock);
  reader.count = 1000;
  const std::uint64_t reads = bench.run({[&] { reader.run(); }});
  EXPECT_GE(reads, 1000U * 8);
  EXPECT_LT(reads, 1000U * 8 + 100);
  Streamer writer(bench.dram, bench.clock);
  writer.count = 1000;
  writer.is_write = [](int) { return true; };
  const std::uint64_t writes = bench.run({[&] { writer.run(); }});
  EXPECT_GE(writes, 1000U * 8);
  EXPECT_LT(writes, 1000U * 8 + 100);
}

TEST(Dram, RequestsUpToFourKibAreAccepted) {
  SimBench bench;
  Streamer reader(bench.dram, bench.clock);
  reader.count = 100;
  reader.bytes = 4096;
  reader.address = [](int i) { return std::int64_t{i} * 4096; };
  const std::uint64_t cycles = bench.run({[&] { reader.run(); }});
  EXPECT_EQ(bench.total(Event::kDramRead), 100U * 64);
  EXPECT_LT(cycles, 100U * 64 * kBurst + 100);
}

TEST(Dram, UnalignedHeadAndTailCostWholeBursts) {
  SimBench bench;
  Streamer reader(bench.dram, bench.clock);
  reader.bytes = 66;
  reader.address = [](int) { return std::int64_t{63}; };
  bench.run({[&] { reader.run(); }});
  EXPECT_EQ(bench.total(Event::kDramRead), 3U);
}

TEST(Dram, FullQueueRefusesUntilSpaceEvent) {
  SimBench::Options o;
  o.dram.queue_depth = 4;
  SimBench bench(o);
  Streamer client(bench.dram, bench.clock);
  client.done_at.resize(8);
  int accepted_at_once = 0;
  bool told = false;
  bench.run({[&] {
    DramRequest request{.bytes = 64, .client = &client};
    while (bench.dram.offer(request)) {
      ++accepted_at_once;
      request.address += 64 * 4 * 1024 * 64;
    }
    sc_core::wait(bench.dram.space_event());
    told = bench.dram.offer(request);
  }});
  EXPECT_EQ(accepted_at_once, 4);
  EXPECT_TRUE(told);
}

TEST(Dram, RefusedRequestersTakeTurns) {
  SimBench::Options o;
  o.dram.queue_depth = 4;
  SimBench bench(o);
  Streamer a(bench.dram, bench.clock);
  Streamer b(bench.dram, bench.clock);
  a.count = b.count = 1000;
  bench.run({[&] { a.run(); }, [&] { b.run(); }});
  for (std::size_t i = 100; i < 1000; i += 100) {
    EXPECT_NEAR(static_cast<double>(a.done_at[i]), static_cast<double>(b.done_at[i]), 100);
  }
}

TEST(Dram, BytesAreKeptAndUnwrittenOnesAreZero) {
  SimBench bench;
  std::array<std::byte, 4> in{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
  const std::int64_t last = bench.dram.capacity_bytes() - 4;
  EXPECT_EQ(bench.dram.capacity_bytes(), std::int64_t{8} << 30);
  bench.dram.write(last, in);
  bench.dram.write(65534, in);  // Over the edge of a page.
  std::array<std::byte, 4> out{};
  bench.dram.read(last, out);
  EXPECT_EQ(out, in);
  bench.dram.read(65534, out);
  EXPECT_EQ(out, in);
  bench.dram.read(1 << 20, out);
  EXPECT_EQ(out, (std::array<std::byte, 4>{}));
}

TEST(Dram, TimingOnlyKeepsNoBytes) {
  SimBench::Options o;
  o.with_data = false;
  SimBench bench(o);
  std::array<std::byte, 1> byte{std::byte{7}};
  bench.dram.write(0, byte);
  std::array<std::byte, 1> out{std::byte{9}};
  bench.dram.read(0, out);
  EXPECT_EQ(out[0], std::byte{9});
}

TEST(Dram, RefusesWhatIsNoRequest) {
  SimBench bench;
  Streamer client(bench.dram, bench.clock);
  const auto offer = [&](std::int64_t address, std::int32_t bytes) {
    return bench.dram.offer({.address = address, .bytes = bytes, .client = &client});
  };
  EXPECT_THROW((void)offer(4000, 100), std::logic_error);
  EXPECT_THROW((void)offer(0, 0), std::logic_error);
  EXPECT_THROW((void)offer(-64, 64), std::logic_error);
  EXPECT_THROW((void)offer(bench.dram.capacity_bytes() - 63, 64), std::logic_error);
  EXPECT_THROW((void)bench.dram.offer({.bytes = 4}), std::logic_error);
  std::array<std::byte, 8> bytes{};
  EXPECT_THROW(bench.dram.read(bench.dram.capacity_bytes() - 7, bytes), std::logic_error);
  EXPECT_THROW(bench.dram.write(-1, bytes), std::logic_error);
}

TEST(Dram, CountersNameTheLayerAndTimelinesClose) {
  SimBench::Options o;
  o.dram.channels = 2;
  SimBench bench(o);
  Streamer reader(bench.dram, bench.clock);
  reader.count = 1000;
  reader.layer = 2;
  Streamer writer(bench.dram, bench.clock);
  writer.count = 500;
  writer.layer = 3;
  writer.address = [](int i) { return 1'000'000'000 + std::int64_t{i} * 64 / 1024 * 1024; };
  writer.is_write = [](int) { return true; };
  bench.run({[&] { reader.run(); }, [&] { writer.run(); }});
  const std::uint64_t end = bench.clock.now() + 123;
  bench.dram.close(end);
  const auto count = [&](Event e, std::size_t layer) {
    return bench.recorder.per_layer()[layer][static_cast<std::size_t>(e)];
  };
  EXPECT_EQ(count(Event::kDramRead, 2), 1000U);
  EXPECT_EQ(count(Event::kDramWrite, 2), 0U);
  EXPECT_EQ(count(Event::kDramWrite, 3), 500U);
  EXPECT_GT(count(Event::kDramActivate, 2), 0U);
  std::uint64_t busy = 0;
  for (const Timeline& timeline : bench.dram.timelines()) {
    EXPECT_EQ(sum_of(timeline), end);
    EXPECT_GE(timeline.cycles(Bucket::kIdle), 123U);
    EXPECT_GT(timeline.cycles(Bucket::kRowMiss), 0U);
    busy += timeline.cycles(Bucket::kBusy);
  }
  EXPECT_EQ(busy, 1500U * kBurst);
  std::uint64_t spans = 0;
  for (const Span& span : bench.recorder.spans()) spans += span.end_cycle - span.begin_cycle;
  EXPECT_EQ(spans, busy);
}

TEST(Dram, LoneReadIsSplitIntoItsBuckets) {
  SimBench::Options o;
  o.link.latency_cycles = 10;
  SimBench bench(o);
  Streamer reader(bench.dram, bench.clock);
  bench.run({[&] { reader.run(); }});
  bench.dram.close(bench.clock.now());
  const Timeline timeline = bench.dram.timelines()[0];
  EXPECT_EQ(timeline.cycles(Bucket::kIdle), 20U);
  EXPECT_EQ(timeline.cycles(Bucket::kRowMiss), 17U);
  EXPECT_EQ(timeline.cycles(Bucket::kWaitDram), 17U);
  EXPECT_EQ(timeline.cycles(Bucket::kBusy), 4U);
}

TEST(Dram, ReadBehindARefreshWaitsForIt) {
  SimBench::Options o;
  o.dram.refresh = RefreshPolicy::kAllBank;
  SimBench bench(o);
  Streamer reader(bench.dram, bench.clock);
  bench.run({[&] {
    bench.clock.wait_until(9360);
    reader.run();
  }});
  EXPECT_EQ(reader.done_at[0], 9360U + 420 + 17 + 17 + 4);
  bench.dram.close(bench.clock.now());
  EXPECT_EQ(bench.dram.timelines()[0].cycles(Bucket::kRefresh), 420U);
  EXPECT_EQ(bench.total(Event::kDramRefresh), 1U);
}

/// Cycles of one bucket over a busy stream of reads and writes with refresh, row misses and turns.
std::uint64_t bucket_of_stream(Bucket bucket, const std::function<void(DramConfig&)>& change) {
  SimBench::Options o;
  o.dram.refresh = RefreshPolicy::kAllBank;
  change(o.dram);
  SimBench bench(o);
  Streamer client(bench.dram, bench.clock);
  client.count = 20'000;
  client.is_write = [](int i) { return i % 4 == 3; };
  bench.run({[&] { client.run(); }});
  bench.dram.close(bench.clock.now());
  const Timeline timeline = bench.dram.timelines()[0];
  EXPECT_EQ(sum_of(timeline), bench.clock.now());
  return timeline.cycles(bucket);
}

TEST(Dram, RefreshHasItsBucket) {
  const auto with = bucket_of_stream(Bucket::kRefresh, [](DramConfig&) {});
  // About 20'000 bursts of 4 clocks: every 9360 a refresh.
  EXPECT_GT(with, 420U * 8);
}

TEST(Dram, WithoutRefreshThereIsNoRefreshBucket) {
  EXPECT_EQ(
      bucket_of_stream(Bucket::kRefresh, [](DramConfig& c) { c.refresh = RefreshPolicy::kNone; }),
      0U);
}

TEST(Dram, OneRowHasOneRowMiss) {
  // A single bank of one long row: the first access opens it, and no refresh closes it.
  const auto one_row = [](DramConfig& c) {
    c.refresh = RefreshPolicy::kNone;
    c.bank_groups = c.banks_per_group = 1;
    c.rows = 1;
    c.columns = std::int64_t{1} << 20;
    c.tCCD_L = c.tCCD_S;
  };
  EXPECT_EQ(bucket_of_stream(Bucket::kRowMiss, one_row), 17U);
}

TEST(Dram, NothingBelowTheDataIsLeftWithoutLimits) {
  // Row open, no refresh, reads only, a bus that columns fill: latency at the start, then data.
  SimBench bench;
  Streamer reader(bench.dram, bench.clock);
  reader.count = 20'000;
  bench.run({[&] { reader.run(); }});
  bench.dram.close(bench.clock.now());
  const Timeline timeline = bench.dram.timelines()[0];
  EXPECT_EQ(timeline.cycles(Bucket::kBusy), 20'000U * kBurst);
  EXPECT_EQ(timeline.cycles(Bucket::kRefresh), 0U);
  EXPECT_EQ(timeline.cycles(Bucket::kRowMiss), 17U);
  EXPECT_LT(timeline.cycles(Bucket::kWaitDram), 17U + 20);
}

TEST(Dram, WritesAreAnsweredFromTheQueueAndTheRunLastsUntilTheyAreThrough) {
  SimBench::Options o;
  o.link.latency_cycles = 3;
  SimBench bench(o);
  Streamer writer(bench.dram, bench.clock);
  writer.is_write = [](int) { return true; };
  bench.run({[&] { writer.run(); }});
  EXPECT_EQ(writer.done_at[0], 1U + 2 * 3);  // One cycle on the link.
  EXPECT_EQ(bench.clock.now(), 1U + 3 + 17 + 12 + kBurst);
  EXPECT_EQ(bench.total(Event::kDramWrite), 1U);
}

TEST(Dram, RefusedWritesDoNotHoldUpReads) {
  SimBench::Options o;
  o.dram.write_queue_depth = 4;
  o.dram.write_drain_high = 4;
  o.dram.write_drain_low = 0;
  SimBench bench(o);
  Streamer writer(bench.dram, bench.clock);
  writer.done_at.resize(64);
  bool read_taken = false;
  bench.run({[&] {
    DramRequest request{.bytes = 64, .is_write = true, .client = &writer};
    while (bench.dram.offer(request)) request.address += 64;
    request.is_write = false;
    read_taken = bench.dram.offer(request);
  }});
  EXPECT_TRUE(read_taken);
}

TEST(Dram, IdleRefreshesAreCountedAtClose) {
  SimBench::Options o;
  o.dram.refresh = RefreshPolicy::kAllBank;
  SimBench bench(o);
  bench.run({[&] { bench.clock.wait_until(1'000'000); }});
  EXPECT_EQ(bench.total(Event::kDramRefresh), 0U);
  bench.dram.close(1'000'000);
  EXPECT_EQ(bench.total(Event::kDramRefresh), 1'000'000U / 9360);
  EXPECT_EQ(bench.dram.timelines()[0].cycles(Bucket::kIdle), 1'000'000U);
}

TEST(Dram, RunsFollowEachOtherAndEachEnds) {
  SimBench::Options o;
  o.dram.refresh = RefreshPolicy::kPerBank;
  SimBench bench(o);
  std::vector<std::uint64_t> lengths;
  for (int run = 0; run < 3; ++run) {
    Streamer reader(bench.dram, bench.clock);
    reader.count = 50;
    lengths.push_back(bench.run({[&] { reader.run(); }}));
    bench.dram.close(bench.clock.now());
    EXPECT_FALSE(sc_core::sc_pending_activity());
    EXPECT_EQ(sum_of(bench.dram.timelines()[0]), bench.clock.now());
  }
  EXPECT_EQ(bench.total(Event::kDramRead), 150U);
  EXPECT_LT(lengths[1], lengths[0] + 400);
}

TEST(DramPort, ReadsAcrossFourKibAndReturnsWithTheLastByte) {
  SimBench bench;
  DramPort port(bench.dram, bench.clock);
  std::uint64_t end = 0;
  bench.run({[&] {
    port.read(4096 - 64, 128, 1);
    end = bench.clock.now();
  }});
  EXPECT_EQ(bench.total(Event::kDramRead), 2U);
  EXPECT_GE(end, 17U + 17 + 2 * kBurst);
  EXPECT_LE(end, 17U + 17 + 2 * kBurst + 6);
}

}  // namespace
}  // namespace npu
