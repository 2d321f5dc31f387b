#include "sim/memory/dma.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <random>

#include "sim/memory/dma_descriptor.h"
#include "sim/timing/dma_timing.h"
#include "tests/unit/memory/dma_instructions.h"
#include "tests/unit/memory/sim_bench.h"

namespace npu {
namespace {

using isa::Opcode;
using test::Copy;
using test::dma_instruction;
using test::SimBench;
using test::sum_of;

constexpr std::uint64_t kIdleLatency = 17 + 17 + 4;  ///< tRCD + tCL + burst.

std::uint64_t run_one(SimBench& bench, const isa::Instruction& instruction) {
  return bench.run({[&] { bench.dma[0]->execute(instruction, 0, 1); }});
}

void fill_random(std::span<std::byte> bytes, unsigned seed) {
  std::mt19937 random(seed);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random() & 0xff);
}

TEST(Dma, ShortLoadTakesSetupAndLatency) {
  SimBench::Options o;
  o.dma.setup_cycles = 9;
  o.link.latency_cycles = 3;
  SimBench bench(o);
  EXPECT_EQ(run_one(bench, dma_instruction(Opcode::kDmaLoad, {.run = 64})),
            9 + 2 * 3 + kIdleLatency);
  const Timeline& timeline = bench.dma[0]->timeline();
  EXPECT_EQ(timeline.cycles(Bucket::kFillDrain), 9U);
  EXPECT_EQ(timeline.cycles(Bucket::kBusy), 4U);  // 64 B at 16 B/cycle.
  EXPECT_EQ(timeline.cycles(Bucket::kWaitDram), kIdleLatency - 4);
  EXPECT_EQ(timeline.cycles(Bucket::kWaitInterconnect), 2U * 3);
}

TEST(Dma, LoadIsBoundByItsBus) {
  SimBench::Options o;
  o.dma.bus_width_bytes = 8;
  SimBench bench(o);
  const std::uint64_t cycles = run_one(bench, dma_instruction(Opcode::kDmaLoad, {.run = 32768}));
  EXPECT_GE(cycles, 32768U / 8);
  EXPECT_LT(cycles, 32768U / 8 + kIdleLatency + 8);
  EXPECT_EQ(bench.dma[0]->timeline().cycles(Bucket::kBusy), 32768U / 8);
}

TEST(Dma, LoadRunsCloseToTheDramBandwidth) {
  SimBench::Options o;
  o.dma.bus_width_bytes = 64;
  SimBench bench(o);
  const std::uint64_t cycles = run_one(bench, dma_instruction(Opcode::kDmaLoad, {.run = 32768}));
  EXPECT_LT(cycles, 32768U / 16 * 105 / 100 + 100);
}

TEST(Dma, OutstandingLimitAndLatencyBoundTheBandwidth) {
  for (const int outstanding : {2}) {
    SimBench::Options o;
    o.dma.bus_width_bytes = 64;
    o.dma.max_outstanding = outstanding;
    o.link.latency_cycles = 50;
    SimBench bench(o);
    const std::uint64_t cycles = run_one(bench, dma_instruction(Opcode::kDmaLoad, {.run = 16384}));
    // Two requests per round trip of 100 + tCL + burst (row hits), 256 requests.
    const double round_trip = 100 + 17 + 4;
    EXPECT_NEAR(static_cast<double>(cycles), 128 * round_trip, 128 * 8);
  }
}

TEST(Dma, StoreIsBoundByItsBusAndWaitsForTheLastByte) {
  SimBench::Options o;
  o.dma.bus_width_bytes = 8;
  SimBench bench(o);
  const std::uint64_t cycles = run_one(bench, dma_instruction(Opcode::kDmaStore, {.run = 32768}));
  EXPECT_GE(cycles, 32768U / 8);
  EXPECT_LT(cycles, 32768U / 8 + 100);
  EXPECT_EQ(bench.total(Event::kDramWrite), 512U);
}

TEST(Dma, FillAndCopyRunAtTheBusWidth) {
  SimBench bench;
  EXPECT_EQ(run_one(bench, test::fill_instruction({.run = 1024}, -3, 4)), 4096U / 16);
  EXPECT_EQ(run_one(bench, dma_instruction(Opcode::kDmaCopy, {.dst = 8192, .run = 4096})),
            1 + 4096U / 16);
  const auto data = bench.scratchpad.data();
  EXPECT_EQ(data[8192 + 4092], std::byte{0xfd});
  EXPECT_EQ(data[8192 + 4095], std::byte{0xff});
  EXPECT_EQ(data[8192 + 4096], std::byte{0});
  EXPECT_EQ(bench.total(Event::kScratchpadWrite), 8192U);
  EXPECT_EQ(bench.total(Event::kScratchpadRead), 4096U);
  EXPECT_EQ(bench.total(Event::kDmaByte), 8192U);
}

TEST(Dma, SingleByteRowsTakeABeatEach) {
  SimBench bench;
  const std::uint64_t cycles = run_one(
      bench, test::fill_instruction({.run = 1, .count = {500, 1, 1}, .dst_stride = {3}}, 1, 1));
  EXPECT_EQ(cycles, 500U);
}

TEST(Dma, ScratchpadBanksAreSharedBetweenChannels) {
  SimBench::Options o;
  o.scratchpad.ports = 1;
  o.scratchpad.banks = 1;  // 16 B/cycle: one channel's bus.
  SimBench bench(o);
  const auto fill = [&](int channel, std::int64_t at) {
    return [&bench, channel, at] {
      bench.clock.wait_until(static_cast<std::uint64_t>(channel));  // Channel 0 comes first.
      bench.dma[static_cast<std::size_t>(channel)]->execute(
          test::fill_instruction({.dst = at, .run = 16000}, 0, 1), 0, 1);
    };
  };
  EXPECT_EQ(bench.run({fill(0, 0), fill(1, 20000)}), 2000U);
  EXPECT_EQ(bench.dma[0]->timeline().cycles(Bucket::kWaitBank), 0U);
  EXPECT_EQ(bench.dma[1]->timeline().cycles(Bucket::kWaitBank), 999U);
  EXPECT_EQ(bench.dma[1]->timeline().cycles(Bucket::kBusy), 1000U);
}

TEST(Dma, FullDramQueueIsAStall) {
  SimBench::Options o;
  o.dram.queue_depth = 2;
  o.dma.bus_width_bytes = 64;
  SimBench bench(o);
  (void)run_one(bench,
                dma_instruction(
                    Opcode::kDmaLoad,
                    {.run = 1, .count = {200, 1, 1}, .src_stride = {1 << 20}, .dst_stride = {1}}));
  const Timeline& timeline = bench.dma[0]->timeline();
  EXPECT_GT(timeline.cycles(Bucket::kStallFull), 0U);
  EXPECT_EQ(sum_of(timeline), bench.clock.now());
}

TEST(Dma, EmptyDescriptorCostsItsSetup) {
  SimBench::Options o;
  o.dma.setup_cycles = 12;
  SimBench bench(o);
  for (const Opcode op : {Opcode::kDmaLoad, Opcode::kDmaCopy}) {
    EXPECT_EQ(run_one(bench, dma_instruction(op, {.run = 5, .count = {0, 1, 1}})), 12U);
  }
}

TEST(Dma, RecordsSpanAndLayer) {
  SimBench bench;
  bench.run({[&] {
    bench.clock.wait_until(100);
    bench.dma[1]->execute(dma_instruction(Opcode::kDmaLoad, {.run = 100}), 42, 3);
  }});
  EXPECT_EQ(bench.recorder.per_layer()[3][static_cast<std::size_t>(Event::kDmaByte)], 100U);
  EXPECT_EQ(bench.recorder.per_layer()[3][static_cast<std::size_t>(Event::kDramRead)], 2U);
  ASSERT_FALSE(bench.recorder.spans().empty());
  const Span& span = bench.recorder.spans().back();
  EXPECT_EQ(bench.recorder.tracks()[span.track], "dma1");
  EXPECT_EQ(span.instruction, 42);
  EXPECT_EQ(span.begin_cycle, 100U);
  EXPECT_EQ(span.end_cycle, bench.clock.now());
}

TEST(Dma, NeverBeatsItsClosedForm) {
  NpuConfig config;
  SimBench::Options o;
  o.dma.setup_cycles = 7;
  o.link = {.bytes_per_cycle = 32, .latency_cycles = 6};
  config.clock.frequency_mhz = 1000;
  config.dma = o.dma;
  config.dram = o.dram;
  config.interconnect = o.link;
  SimBench bench(o);
  for (const std::int64_t run : {16, 64, 200, 512, 2048}) {
    for (const Opcode op : {Opcode::kDmaLoad, Opcode::kDmaStore}) {
      Copy copy{.run = run, .count = {16, 1, 1}};
      copy.src_stride = copy.dst_stride = {3072};
      const auto timing = timing::estimate_transfer(config, 16, run, op == Opcode::kDmaStore);
      const auto cycles = static_cast<double>(run_one(bench, dma_instruction(op, copy)));
      EXPECT_GT(cycles, 0.8 * static_cast<double>(timing.cycles)) << run;
      EXPECT_LT(cycles, 1.6 * static_cast<double>(timing.cycles)) << run;
    }
  }
}

/// Random 4-D descriptors of every kind against a plain loop over bytes.
struct Plain {
  std::vector<std::byte> dram, scratchpad;
  void apply(Opcode op, const Copy& c, std::int64_t value, std::int64_t element) {
    const bool to_dram = op == Opcode::kDmaStore;
    std::vector<std::byte>& to = to_dram ? dram : scratchpad;
    const std::vector<std::byte> from = op == Opcode::kDmaLoad ? dram : scratchpad;
    for (std::int64_t i3 = 0; i3 < c.count[2]; ++i3) {
      for (std::int64_t i2 = 0; i2 < c.count[1]; ++i2) {
        for (std::int64_t i1 = 0; i1 < c.count[0]; ++i1) {
          const auto at = [&](std::int64_t base, const std::array<std::int64_t, 3>& s) {
            return static_cast<std::size_t>(base + i1 * s[0] + i2 * s[1] + i3 * s[2]);
          };
          for (std::int64_t b = 0; b < c.run * element; ++b) {
            const auto i = static_cast<std::size_t>(b);
            to[at(c.dst, c.dst_stride) + i] =
                op == Opcode::kDmaFill ? static_cast<std::byte>(value >> (8 * (b % element)) & 0xff)
                                       : from[at(c.src, c.src_stride) + i];
          }
        }
      }
    }
  }
};

constexpr std::int64_t kDramBytes = 48 * 1024;
constexpr std::int64_t kScratchpadBytes = 64 * 1024;

struct RandomStep {
  isa::Instruction instruction;
  Opcode op = Opcode::kDmaLoad;
  Copy copy;
  std::int64_t value = 0, element = 1;
};

RandomStep random_step(std::mt19937& random) {
  const auto pick = [&random](std::int64_t low, std::int64_t high) {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(high - low + 1)) + low;
  };
  constexpr std::array kOps{Opcode::kDmaLoad, Opcode::kDmaStore, Opcode::kDmaCopy,
                            Opcode::kDmaFill};
  for (;;) {
    RandomStep s;
    s.op = kOps[static_cast<std::size_t>(pick(0, 3))];
    const std::int64_t src_size = s.op == Opcode::kDmaLoad ? kDramBytes : kScratchpadBytes / 2;
    const std::int64_t dst_size = s.op == Opcode::kDmaStore ? kDramBytes : kScratchpadBytes / 2;
    // The source stays in the lower half of the scratchpad, the destination in the upper.
    s.copy.src = pick(0, src_size - 1);
    s.copy.dst = (s.op == Opcode::kDmaStore ? 0 : kScratchpadBytes / 2) + pick(0, dst_size - 1);
    s.copy.run = pick(0, 4) == 0 ? 1 : pick(1, 300);
    if (s.op == Opcode::kDmaFill) {
      constexpr std::array<std::int64_t, 3> kElements{1, 2, 4};
      s.element = kElements[static_cast<std::size_t>(pick(0, 2))];
      s.value = pick(-100000, 100000);
    }
    for (std::size_t k = 0; k < 3; ++k) {
      s.copy.count[k] = pick(1, 7);
      s.copy.src_stride[k] = pick(0, 2) == 0 ? s.copy.run : pick(-700, 700);
      s.copy.dst_stride[k] = pick(0, 2) == 0 ? s.copy.run : pick(-700, 700);
    }
    const std::int64_t bytes = s.copy.run * s.element;
    const ByteRange src = hull(s.copy.src, s.copy.src_stride, s.copy.count, bytes);
    const ByteRange dst = hull(s.copy.dst, s.copy.dst_stride, s.copy.count, bytes);
    const std::int64_t dst_low = s.op == Opcode::kDmaStore ? 0 : kScratchpadBytes / 2;
    if (src.low < 0 || src.high > src_size || dst.low < dst_low || dst.high > dst_low + dst_size) {
      continue;
    }
    s.instruction = s.op == Opcode::kDmaFill ? test::fill_instruction(s.copy, s.value, s.element)
                                             : dma_instruction(s.op, s.copy);
    return s;
  }
}

constexpr int kSteps = 400;

/// Cycles at which each step of a random program ended, on one channel beside a second one that
/// streams, and the end of that one.
std::vector<std::uint64_t> random_program(SimBench& bench, Plain* plain) {
  std::mt19937 random(99);
  std::vector<std::uint64_t> ends;
  bool is_done = false;
  bench.run({[&] {
               for (int i = 0; i < kSteps; ++i) {
                 const RandomStep s = random_step(random);
                 bench.dma[0]->execute(s.instruction, i, 0);
                 ends.push_back(bench.clock.now());
                 if (plain != nullptr) plain->apply(s.op, s.copy, s.value, s.element);
               }
               is_done = true;
             },
             [&] {
               // Stores from where nobody writes to where nobody reads.
               while (!is_done) {
                 bench.dma[1]->execute(
                     dma_instruction(Opcode::kDmaStore, {.dst = 1 << 20, .run = 8192}), 0, 1);
               }
               ends.push_back(bench.clock.now());
             }});
  bench.dram.close(bench.clock.now());
  return ends;
}

SimBench::Options random_options(bool with_data) {
  SimBench::Options o;
  o.with_data = with_data;
  o.dram.refresh = RefreshPolicy::kAllBank;
  o.dram.clock_mhz = 1600;
  o.dram.queue_depth = 8;
  o.dma.setup_cycles = 5;
  o.link = {.bytes_per_cycle = 16, .latency_cycles = 4};
  o.scratchpad.interleave = Interleave::kBlock;
  o.scratchpad.ports = 1;
  o.period_ps = 1250;
  return o;
}

TEST(Dma, RandomDescriptorsMoveTheRightBytesAndTimelinesClose) {
  SimBench bench(random_options(true));
  Plain plain{.dram = std::vector<std::byte>(kDramBytes),
              .scratchpad = std::vector<std::byte>(kScratchpadBytes)};
  fill_random(plain.dram, 1);
  fill_random(plain.scratchpad, 2);
  bench.dram.write(0, plain.dram);
  std::copy(plain.scratchpad.begin(), plain.scratchpad.end(), bench.scratchpad.data().begin());
  const auto ends = random_program(bench, &plain);
  std::vector<std::byte> dram(kDramBytes);
  bench.dram.read(0, dram);
  EXPECT_TRUE(dram == plain.dram);
  EXPECT_TRUE(std::equal(plain.scratchpad.begin(), plain.scratchpad.end(),
                         bench.scratchpad.data().begin()));
  EXPECT_EQ(sum_of(bench.dma[1]->timeline()), ends.back());
  EXPECT_GT(bench.dma[1]->timeline().cycles(Bucket::kWaitDram), 0U);
  for (const Timeline& timeline : bench.dram.timelines()) {
    EXPECT_EQ(sum_of(timeline), bench.clock.now());
  }
}

/// Runs the random program in a process of its own. @return a digest of its ends, 0 on failure.
std::uint64_t digest_of_process(bool with_data) {
  std::array<int, 2> channel{};
  if (pipe(channel.data()) != 0) return 0;
  const pid_t child = fork();
  if (child == 0) {
    SimBench bench(random_options(with_data));
    std::uint64_t hash = 14695981039346656037U;  // FNV-1a.
    for (const std::uint64_t end : random_program(bench, nullptr)) {
      hash = (hash ^ end) * 1099511628211U;
    }
    for (const std::uint64_t count : bench.recorder.totals())
      hash = (hash ^ count) * 1099511628211U;
    const bool is_written = write(channel[1], &hash, sizeof hash) == sizeof hash;
    _exit(is_written ? 0 : 1);
  }
  close(channel[1]);
  std::uint64_t hash = 0;
  const bool is_read = read(channel[0], &hash, sizeof hash) == sizeof hash;
  close(channel[0]);
  int status = 1;
  const bool is_over = waitpid(child, &status, 0) == child;
  return is_read && is_over && status == 0 ? hash : 0;
}

TEST(Dma, CyclesAreTheSameInEveryRunAndWithoutData) {
  const std::uint64_t first = digest_of_process(true);
  EXPECT_NE(first, 0U);
  EXPECT_EQ(digest_of_process(true), first);
  EXPECT_EQ(digest_of_process(false), first);
}

}  // namespace
}  // namespace npu
