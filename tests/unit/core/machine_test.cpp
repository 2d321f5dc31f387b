#include "sim/core/machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/unit/core/machine_fixture.h"

namespace npu {
namespace {

using isa::Engine;
using machine_test::gemm;
using machine_test::kDma0;
using machine_test::kDma1;
using machine_test::kMac;
using machine_test::kOutputAddress;
using machine_test::kVec;
using machine_test::load;
using machine_test::loop;
using machine_test::program_of;
using machine_test::simulate;
using machine_test::small_config;
using machine_test::store;
using machine_test::sync;
using machine_test::unit;

template <typename Exception, typename Body>
void expect_message(Body&& body, const std::string& text) {
  try {
    body();
    FAIL() << "nothing thrown: " << text;
  } catch (const Exception& e) {
    EXPECT_THAT(e.what(), testing::HasSubstr(text));
  }
}

TEST(Machine, MovesBytesFromDramThroughTheScratchpad) {
  const auto outcome = simulate(
      program_of({load(0, 100, 0, 1000, 0, kDma1), store(1, 0, kOutputAddress, 1000, kDma0, 0)}),
      small_config(), {}, 1, 1000);
  for (std::int64_t i = 0; i < 1000; ++i) {
    ASSERT_EQ(outcome.output[static_cast<std::size_t>(i)], machine_test::pattern(100 + i)) << i;
  }
}

TEST(Machine, TokensOrderWhatTheQueuesDoNot) {
  // Without its token the store would find the scratchpad's initial bytes.
  const std::vector<isa::Instruction> ordered = {load(0, 64, 0, 4096, 0, kDma1),
                                                 store(1, 0, kOutputAddress, 64, kDma0, 0)};
  std::vector<isa::Instruction> loose = ordered;
  loose[0].signal = 0;
  loose[1].wait = 0;
  const MachineOptions unchecked{.check_hazards = false};
  const auto good = simulate(program_of(ordered), small_config(), unchecked);
  const auto bad = simulate(program_of(loose), small_config(), unchecked);
  EXPECT_GT(unit(good.stats, "dma1").cycles(Bucket::kWaitDependency), 0U);
  EXPECT_EQ(unit(bad.stats, "dma1").cycles(Bucket::kWaitDependency), 0U);
  EXPECT_LT(bad.stats.total_cycles, good.stats.total_cycles);
  expect_message<RunFault>([&] { simulate(program_of(loose), small_config()); }, "instruction 1");
}

TEST(Machine, DoubleBufferingOverlapsLoadAndCompute) {
  constexpr int kTiles = 8;
  const auto serial = simulate(machine_test::tiled_gemm(kTiles, 1), small_config()).stats;
  const auto overlapped = simulate(machine_test::tiled_gemm(kTiles, 2), small_config()).stats;
  const auto work = [](const RunStats& s, const char* name) {
    const Timeline& t = unit(s, name);
    return s.total_cycles - t.cycles(Bucket::kIdle) - t.cycles(Bucket::kWaitDependency);
  };
  EXPECT_LT(overlapped.total_cycles, serial.total_cycles);
  EXPECT_GE(serial.total_cycles, work(serial, "dma0") + work(serial, "mac_array"));
  EXPECT_LT(overlapped.total_cycles, work(overlapped, "dma0") + work(overlapped, "mac_array"));
  EXPECT_EQ(machine_test::count(serial, Event::kMacInt8),
            machine_test::count(overlapped, Event::kMacInt8));
}

TEST(Machine, AFullQueueStallsDispatch) {
  std::vector<isa::Instruction> code = {load(0, 0, 0, 16384, 0, kVec),
                                        sync(Engine::kVector, kDma0, 0)};
  for (int i = 0; i < 4; ++i) code.push_back(sync(Engine::kVector, 0, 0));
  NpuConfig config = small_config();
  config.sequencer.queue_depth = 5;
  EXPECT_EQ(unit(simulate(program_of(code), config).stats, "sequencer").cycles(Bucket::kStallFull),
            0U);
  config.sequencer.queue_depth = 4;
  EXPECT_GT(unit(simulate(program_of(code), config).stats, "sequencer").cycles(Bucket::kStallFull),
            0U);
}

TEST(Machine, DeadlockNamesTheCycle) {
  const isa::Program program =
      program_of({load(0, 0, 0, 64, kMac, kMac), sync(Engine::kMacArray, kDma0, kDma0)});
  expect_message<RunFault>(
      [&] { simulate(program, small_config()); },
      "wait-for cycle mac -> dma0 -> mac: mac waits at instruction 1 sync of CONV_2D #0 for a "
      "token "
      "from dma0; dma0 waits at instruction 0 dma.load of CONV_2D #0 for a token from mac");
}

TEST(Machine, DeadlockThroughAFullQueue) {
  // The token that mac needs comes from an instruction that cannot be dispatched any more.
  NpuConfig config = small_config();
  config.sequencer.queue_depth = 1;
  const isa::Program program =
      program_of({sync(Engine::kMacArray, kVec, 0), sync(Engine::kMacArray, 0, 0),
                  sync(Engine::kVector, 0, kMac)});
  expect_message<RunFault>([&] { simulate(program, config); },
                           "wait-for cycle mac -> vec -> sequencer -> mac");
}

TEST(Machine, DoesNotRunAgainAfterAFault) {
  Machine machine(small_config(), program_of({sync(Engine::kMacArray, kVec, 0)}), {});
  EXPECT_THROW(machine.run(), RunFault);
  expect_message<std::logic_error>([&] { machine.run(); }, "cannot run again after a fault");
  expect_message<std::logic_error>([&] { (void)machine.stats(); }, "has no statistics");
}

TEST(Machine, UnrollsLoopsWithPatches) {
  using isa::Opd;
  isa::Instruction over = loop(4, 2);
  over.set(Opd::kPatch0Slot, 0);
  over.set(Opd::kPatch0Opd, static_cast<std::int64_t>(Opd::kSrc));
  over.set(Opd::kPatch0Step, 1000);
  over.set(Opd::kPatch1Slot, 1);
  over.set(Opd::kPatch1Opd, static_cast<std::int64_t>(Opd::kDst));
  over.set(Opd::kPatch1Step, 64);
  const auto outcome =
      simulate(program_of({sync(Engine::kDma1, 0, kDma0), over, load(0, 0, 0, 64, kDma1, kDma1),
                           store(1, 0, kOutputAddress, 64, kDma0, kDma0)}),
               small_config(), {}, 1, 256);
  for (std::int64_t i = 0; i < 256; ++i) {
    ASSERT_EQ(outcome.output[static_cast<std::size_t>(i)],
              machine_test::pattern(i / 64 * 1000 + i % 64));
  }
  EXPECT_EQ(machine_test::count(outcome.stats, Event::kInstruction), 1U + 1 + 4 * 2 + 1);
}

TEST(Machine, ALoopThatFitsTheFetchBufferIsFetchedOnce) {
  const auto reads = [](int iterations, int body) {
    std::vector<isa::Instruction> code = {loop(iterations, body)};
    for (int i = 0; i < body; ++i) code.push_back(sync(Engine::kVector, 0, 0));
    NpuConfig config = small_config();
    config.sequencer.fetch_buffer_instructions = 16;
    return machine_test::count(simulate(program_of(code), config).stats, Event::kDramRead);
  };
  EXPECT_EQ(reads(2, 16), reads(40, 16));
  EXPECT_LT(reads(2, 17), reads(40, 17));
}

TEST(Machine, RunsAgainAndTimeGoesOn) {
  NpuConfig config = small_config();
  config.dram.page_policy = PagePolicy::kClosed;
  const auto stats = simulate(machine_test::tiled_gemm(4, 2), config, {}, 3).stats;
  ASSERT_EQ(stats.run_cycles.size(), 3U);
  EXPECT_EQ(stats.run_cycles[0], stats.run_cycles[1]);
  EXPECT_EQ(stats.run_cycles[1], stats.run_cycles[2]);
  EXPECT_EQ(stats.total_cycles, 3 * stats.run_cycles[0]);
  EXPECT_EQ(stats.layers[0].begin_cycle, 2 * stats.run_cycles[0]);
  EXPECT_EQ(stats.layers[0].end_cycle, stats.total_cycles);
  EXPECT_EQ(3 * stats.layers[0].events[0], stats.events[0]);
}

TEST(Machine, TokensLeftOverDoNotReachTheNextRun) {
  Machine machine(small_config(),
                  program_of({load(0, 0, 0, 16384, 0, kVec), sync(Engine::kVector, kDma0, kMac),
                              sync(Engine::kVector, 0, kMac), sync(Engine::kMacArray, kVec, 0)}),
                  {});
  const auto waited = [&] {
    machine.run();
    return unit(machine.stats(), "mac_array").cycles(Bucket::kWaitDependency);
  };
  const std::uint64_t first = waited();
  EXPECT_GT(first, 0U);
  EXPECT_GT(waited(), first);
}

TEST(Machine, TimingOnlyTakesTheSameCycles) {
  const isa::Program program = machine_test::tiled_gemm(6, 2);
  const auto full = simulate(program, small_config()).stats;
  isa::Program without_bytes = program;
  without_bytes.image[0].bytes.clear();
  const auto timed = simulate(without_bytes, small_config(), {.timing_only = true}).stats;
  EXPECT_EQ(full.total_cycles, timed.total_cycles);
  EXPECT_EQ(full.events, timed.events);
  for (std::size_t u = 0; u < full.units.size(); ++u) {
    EXPECT_EQ(full.units[u].timeline.all(), timed.units[u].timeline.all()) << full.units[u].name;
  }
}

TEST(Machine, SamePlaceSameCycles) {
  const auto a = simulate(machine_test::tiled_gemm(6, 2), small_config(), {.trace = true}).stats;
  const auto b = simulate(machine_test::tiled_gemm(6, 2), small_config(), {.trace = true}).stats;
  EXPECT_EQ(a.total_cycles, b.total_cycles);
  EXPECT_EQ(a.kernel_events, b.kernel_events);
  ASSERT_EQ(a.spans.size(), b.spans.size());
  EXPECT_FALSE(a.spans.empty());
  for (std::size_t i = 0; i < a.spans.size(); ++i) {
    EXPECT_EQ(a.spans[i].begin_cycle, b.spans[i].begin_cycle);
    EXPECT_EQ(a.spans[i].instruction, b.spans[i].instruction);
  }
}

TEST(Machine, TraceIsOffUnlessAskedFor) {
  EXPECT_TRUE(simulate(machine_test::tiled_gemm(2, 2), small_config()).stats.spans.empty());
}

TEST(Machine, CapturesTensorsWhenTheyAreReady) {
  isa::Program program =
      program_of({load(0, 0, 0, 96, 0, kMac), gemm(0, 64, 256, 2, 1, 32, kDma0, 0),
                  load(0, 1000, 128, 16), load(0, 2000, 128, 16)});
  program.tensors = {
      {.id = 0, .name = "in", .shape = {96}, .role = isa::TensorRole::kIntermediate, .address = 0},
      {.id = 1,
       .name = "acc",
       .type = DType::kInt32,
       .shape = {2},
       .memory = isa::Memory::kAccumulator,
       .address = 256,
       .ready_after = 1},
      {.id = 2,
       .name = "early",
       .shape = {16},
       .memory = isa::Memory::kScratchpad,
       .address = 128,
       .ready_after = 2},
      {.id = 3,
       .name = "late",
       .shape = {16},
       .memory = isa::Memory::kScratchpad,
       .address = 128,
       .ready_after = 3}};
  const auto outcome = simulate(program, small_config(), {.capture_tensors = true});
  const auto& captured = outcome.captured;
  ASSERT_EQ(captured.size(), 4U);
  const auto byte_of = [](std::int64_t i) {
    return std::to_integer<std::int8_t>(machine_test::pattern(i));
  };
  EXPECT_EQ(captured[0].at(95), machine_test::pattern(95));
  ASSERT_EQ(captured[1].size(), 8U);
  for (std::int64_t row = 0; row < 2; ++row) {
    std::int32_t expected = 0, got = 0;
    for (std::int64_t k = 0; k < 32; ++k) expected += byte_of(row * 32 + k) * byte_of(64 + k);
    std::memcpy(&got, captured[1].data() + row * 4, 4);
    EXPECT_EQ(got, expected);
  }
  EXPECT_EQ(captured[2].at(3), machine_test::pattern(1003));
  EXPECT_EQ(captured[3].at(3), machine_test::pattern(2003));
}

TEST(Machine, VariablesStartEveryRunAtTheirResetByte) {
  isa::Program program =
      program_of({load(0, 0, 0, 8, 0, kDma1), store(1, 0, kOutputAddress, 8, kDma0, 0)});
  program.tensors = {{.id = 0,
                      .name = "state",
                      .shape = {8},
                      .role = isa::TensorRole::kVariable,
                      .address = kOutputAddress,
                      .reset_byte = 0x80},
                     {.id = 0,
                      .name = "state",
                      .shape = {8},
                      .role = isa::TensorRole::kIntermediate,
                      .address = kOutputAddress,
                      .ready_after = 1}};
  Machine machine(small_config(), program, {.capture_tensors = true});
  for (int run = 0; run < 2; ++run) {
    if (run > 0) machine.capture_next_run();
    machine.run();
    EXPECT_EQ(machine.captured()[0].at(7), std::byte{0x80});
    EXPECT_EQ(machine.captured()[1].at(7), machine_test::pattern(7));
  }
}

TEST(Machine, CapturesTheFirstRunOnlyUnlessAsked) {
  isa::Program program = program_of({load(0, 0x30000, 0, 8, 0, 0)});
  program.tensors = {
      {.id = 0, .name = "in", .shape = {8}, .role = isa::TensorRole::kInput, .address = 0x30000}};
  Machine machine(small_config(), program, {.capture_tensors = true});
  const auto run_with = [&](std::uint8_t value) {
    machine.write_dram(0x30000, std::vector<std::byte>(8, std::byte{value}));
    machine.run();
    return std::to_integer<int>(machine.captured()[0].at(0));
  };
  EXPECT_EQ(run_with(1), 1);
  EXPECT_EQ(run_with(2), 1);
  machine.capture_next_run();
  EXPECT_EQ(run_with(3), 3);
}

TEST(Machine, CaptureNeedsData) {
  const isa::Program program = program_of({});
  expect_message<Error>(
      [&] { Machine(small_config(), program, {.timing_only = true, .capture_tensors = true}); },
      "cannot be captured in a timing-only run");
  Machine machine(small_config(), program, {.timing_only = true});
  expect_message<Error>([&] { machine.capture_next_run(); },
                        "cannot be captured in a timing-only run");
}

TEST(Machine, RefusesAProgramForAnotherConfiguration) {
  isa::Program program = program_of({});
  program.provenance["config"] = "other.yaml";
  program.provenance["config_fingerprint"] = "0123456789abcdef";
  expect_message<Error>(
      [&] { Machine(small_config(), program, {}); },
      "the program was made for another configuration: other.yaml with fingerprint "
      "0123456789abcdef");
  EXPECT_NO_THROW(simulate(program, small_config(), {.allow_other_config = true}));
  program.provenance["config_fingerprint"] = small_config().fingerprint();
  EXPECT_NO_THROW(simulate(program, small_config()));
}

TEST(Machine, ReportsCodeThatTheProgramOverwrites) {
  std::vector<isa::Instruction> code = {
      store(0, 0, machine_test::kCodeAddress + 60 * isa::kWordBytes, 64, 0, kVec),
      sync(Engine::kVector, kDma0, 0)};
  for (int i = 0; i < 80; ++i) code.push_back(sync(Engine::kVector, 0, 0));
  expect_message<RunFault>(
      [&] { simulate(program_of(code), small_config(), {.check_hazards = false}); },
      "instruction 60: its word in DRAM at 0x10f00 was overwritten during the run");
}

TEST(Machine, HostAccessStaysInsideTheDram) {
  const NpuConfig config = small_config();
  Machine machine(config, program_of({}), {});
  const std::int64_t end = config.dram.capacity_bytes();
  std::vector<std::byte> bytes(8, std::byte{42}), back(8);
  machine.write_dram(end - 8, bytes);
  machine.read_dram(end - 8, back);
  EXPECT_EQ(bytes, back);
  expect_message<Error>([&] { machine.write_dram(end - 7, bytes); }, "host access of 8 bytes at");
  expect_message<Error>([&] { machine.read_dram(-1, back); }, "is outside the");
}

}  // namespace
}  // namespace npu
