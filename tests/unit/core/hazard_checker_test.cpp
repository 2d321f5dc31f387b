#include "sim/core/hazard_checker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/unit/core/hazard_program.h"

namespace npu {
namespace {

using namespace test;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

void check(const std::string& text) { check_program(program_of(text + "halt\n"), small_config()); }

template <typename... Parts>
void expect_fault(const std::string& text, const Parts&... parts) {
  EXPECT_THAT([&] { check(text); }, ThrowsMessage<RunFault>(AllOf(HasSubstr(parts)...))) << text;
}

/// Two tiles through load (dma0), gemm, requantize and store (dma1), the input buffer single, each
/// step ordered by tokens.
std::vector<std::string> pipeline() {
  return {
      load(0, 0x000, 0x000, 0x100, "", ""),         // weights and parameters
      load(0, 0x1000, 0x100, 0x40, "", "mac,vec"),  // input tile 0
      gemm(0x100, 0x000, 0, 8, 8, 8, "dma0", "vec,dma0"),
      load(0, 0x1040, 0x100, 0x40, "mac", "mac"),  // input tile 1 into the same buffer
      requantize(0, 0x200, 0x80, 8, 8, "mac,dma0", "dma1,mac"),
      gemm(0x100, 0x000, 0, 8, 8, 8, "dma0,vec", "vec"),
      store(1, 0x200, 0x2000, 0x40, "vec", "vec"),
      requantize(0, 0x200, 0x80, 8, 8, "mac,dma1", "dma1"),
      store(1, 0x200, 0x2040, 0x40, "vec", ""),
  };
}
std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

TEST(HazardChecker, AcceptsAnOrderedPipeline) { EXPECT_NO_THROW(check(joined(pipeline()))); }

TEST(HazardChecker, CatchesEveryDroppedPairOfTokens) {
  // Removing the k-th signal A→B together with B's k-th wait leaves a program that runs, and must
  // be refused.
  isa::Program good = program_of(joined(pipeline()) + "halt\n");
  int dropped = 0;
  for (int from = 0; from < 4; ++from) {
    for (int to = 0; to < 4; ++to) {
      for (int k = 0;; ++k) {
        isa::Program p = good;
        int signals = 0;
        int waits = 0;
        for (isa::Instruction& in : p.code) {
          if (in.opcode == isa::Opcode::kHalt) continue;
          if (static_cast<int>(in.engine()) == from && (in.signal >> to & 1) != 0 && signals++ == k)
            in.signal ^= static_cast<std::uint8_t>(1 << to);
          if (static_cast<int>(in.engine()) == to && (in.wait >> from & 1) != 0 && waits++ == k)
            in.wait ^= static_cast<std::uint8_t>(1 << from);
        }
        if (k >= waits) break;
        // The parameters came with dma0 before the tile that gemm waited for: that chain orders
        // them without this token.
        const bool redundant = from == 2 && to == 1;
        if (redundant) {
          EXPECT_NO_THROW(check_program(p, small_config()));
        } else {
          EXPECT_THROW(check_program(p, small_config()), RunFault)
              << from << " to " << to << " token " << k;
          ++dropped;
        }
      }
    }
  }
  EXPECT_EQ(dropped, 9);
}

TEST(HazardChecker, NamesBothInstructionsMemoryAndBytes) {
  isa::Program p = program_of(load(0, 0, 0x10, 0x20) + max(0x18, 0x18, 0x100, 0x8) + "halt\n");
  p.layers = {{"CONV_2D #0", 0, 0}, {"ADD #1", 1, 0}};
  p.layer_of = {0, 1, -1};
  EXPECT_THAT(
      [&] { check_program(p, small_config()); },
      ThrowsMessage<RunFault>(
          "hazard: instruction 1 (vec.max, layer 'ADD #1') on vec reads scratchpad [0x18, 0x20), "
          "which "
          "instruction 0 (dma.load, layer 'CONV_2D #0') on dma0 writes: no token orders them"));
}

TEST(HazardChecker, ReadAfterWrite) {
  expect_fault(load(0, 0, 0, 8) + max(0, 0, 8, 8),
               "instruction 1 (vec.max) on vec reads scratchpad [0x0, 0x8)",
               "instruction 0 (dma.load) on dma0 writes");
  EXPECT_NO_THROW(check(load(0, 0, 0, 8, "", "vec") + max(0, 0, 8, 8, "dma0")));
}

TEST(HazardChecker, WriteAfterWrite) {
  expect_fault(load(0, 0, 0, 8) + load(1, 0, 7, 8),
               "instruction 1 (dma.load) on dma1 writes scratchpad [0x7, 0x8)",
               "instruction 0 (dma.load) on dma0 writes");
  EXPECT_NO_THROW(check(load(0, 0, 0, 8) + load(1, 0, 8, 8)));
  EXPECT_NO_THROW(check(load(0, 0, 0, 8) + load(0, 0, 7, 8))) << "one engine is in order";
}

TEST(HazardChecker, WriteAfterRead) {
  const std::string loads =
      load(0, 0, 0, 0x40, "", "vec,dma1") + max(0, 8, 0x80, 8, "dma0", "dma1");
  expect_fault(loads + load(1, 0, 15, 1, "dma0"),
               "instruction 2 (dma.load) on dma1 writes scratchpad [0xf, 0x10)",
               "instruction 1 (vec.max) on vec reads");
  EXPECT_NO_THROW(check(loads + load(1, 0, 16, 1, "dma0")));
  EXPECT_NO_THROW(check(loads + load(1, 0, 15, 1, "dma0,vec")));
  // Readers on two engines: the order to one does not excuse the other.
  const std::string readers = load(0, 0, 0, 0x40, "", "vec,mac") +
                              max(0, 0, 0x80, 8, "dma0", "dma1") +
                              gemm(0, 0, 0, 1, 1, 8, "dma0", "dma1");
  expect_fault(readers + load(1, 0, 0, 1, "vec"), "instruction 2 (mac.gemm) on mac reads");
  expect_fault(readers + load(1, 0, 0, 1, "mac"), "instruction 1 (vec.max) on vec reads");
  EXPECT_NO_THROW(check(readers + load(1, 0, 0, 1, "vec,mac")));
}

TEST(HazardChecker, DramAndAccumulatorsToo) {
  expect_fault(load(0, 0, 0, 8) + store(0, 0, 0x2000, 8) + load(1, 0x2000, 0x10, 8),
               "reads DRAM [0x2000, 0x2008)", "(dma.store) on dma0 writes");
  expect_fault(load(0, 0, 0, 0x40, "", "mac") + gemm(0, 0, 0, 2, 4, 8, "dma0", "") +
                   requantize(4, 0x80, 0, 1, 4),
               "reads accumulator [0x4, 0x14)", "(mac.gemm) on mac writes");
}

TEST(HazardChecker, OrderIsTransitive) {
  EXPECT_NO_THROW(check(load(0, 0, 0, 8, "", "mac") + sync("mac", "dma0", "dma1") +
                        sync("dma1", "mac", "vec") + max(0, 0, 8, 8, "dma1")));
  expect_fault(load(0, 0, 0, 8, "", "mac") + sync("mac", "dma0", "") + sync("dma1", "", "vec") +
                   max(0, 0, 8, 8, "dma1"),
               "no token orders them");
}

TEST(HazardChecker, TheKthSignalMatchesTheKthWait) {
  // vec's second wait takes dma0's second token; the first says nothing about the second load.
  const std::string loads = load(0, 0, 0, 8, "", "vec") + load(0, 0, 8, 8, "", "vec");
  EXPECT_NO_THROW(check(loads + max(0, 0, 0x80, 8, "dma0") + max(8, 8, 0x88, 8, "dma0")));
  expect_fault(loads + max(8, 8, 0x88, 8, "dma0"),
               "instruction 2 (vec.max) on vec reads scratchpad [0x8, 0x10)");
}

TEST(HazardChecker, InstructionsStartWhenTheirTokensCome) {
  // In program order the reader stands before its writer.
  EXPECT_NO_THROW(check(max(0, 0, 0x80, 8, "dma0") + load(0, 0, 0, 8, "", "vec")));
  EXPECT_NO_THROW(check(sync("dma1", "vec", "") + max(0, 0, 0x80, 8, "dma0", "dma1") +
                        load(0, 0, 0, 8, "", "vec")));
}

TEST(HazardChecker, LeavesDeadlocksToTheRun) {
  EXPECT_NO_THROW(check(sync("mac", "vec", "vec") + sync("vec", "mac", "mac")));
  EXPECT_NO_THROW(check(max(0, 0, 0x80, 8, "dma0"))) << "never starts, so it never reads";
  // Behind an instruction that never starts nothing is stored without end.
  EXPECT_NO_THROW(check("loop count=16777215 length=1\n" + sync("mac", "vec", "")));
}

TEST(HazardChecker, UnwrittenReads) {
  expect_fault(max(0, 0, 8, 8),
               "unwritten read: instruction 0 (vec.max) reads scratchpad [0x0, 0x8), which nothing "
               "before it has written");
  expect_fault(load(0, 0, 0, 7, "", "vec") + max(0, 0, 8, 8, "dma0"),
               "reads scratchpad [0x7, 0x8)");
  expect_fault(load(0, 0x400, 0, 1), "reads DRAM [0x400, 0x401)");
  EXPECT_NO_THROW(check(load(0, 0x3ff, 0, 1))) << "the image";
  EXPECT_NO_THROW(check(load(0, 0x13ff, 0, 1))) << "the input";
  expect_fault(load(0, 0x1400, 0, 1), "reads DRAM [0x1400, 0x1401)");
  expect_fault(load(0, 0x2000, 0, 1), "reads DRAM [0x2000, 0x2001)");
  EXPECT_NO_THROW(check(load(0, 0, 0, 16, "", "mac") + gemm(0, 8, 0, 1, 1, 8, "dma0")));
  expect_fault(load(0, 0, 0, 16, "", "mac") + gemm(0, 8, 0, 1, 1, 8, "dma0", "", true),
               "reads accumulator [0x0, 0x4)");
  isa::Program variable = program_of(load(0, 0x2000, 0, 8) + "halt\n");
  variable.tensors[1].role = isa::TensorRole::kVariable;
  EXPECT_NO_THROW(check_program(variable, small_config()));
}

TEST(HazardChecker, OutputsAreWrittenWhole) {
  const auto program = [](int bytes) {
    isa::Program p = program_of(load(0, 0, 0, 0x400) + store(0, 0, 0x2000, bytes) + "halt\n");
    p.tensors[1].role = isa::TensorRole::kOutput;
    return p;
  };
  EXPECT_NO_THROW(check_program(program(0x400), small_config()));
  EXPECT_THAT([&] { check_program(program(0x3ff), small_config()); },
              ThrowsMessage<RunFault>(
                  "unwritten output: tensor 2 'out': DRAM [0x23ff, 0x2400) is never written"));
  isa::Program named = program(0x3ff);
  named.tensors[1].ready_after = 1;
  EXPECT_THAT([&] { check_program(named, small_config()); },
              ThrowsMessage<RunFault>(testing::HasSubstr(
                  "never written, it should be whole after instruction 1 (dma")));
}

TEST(HazardChecker, ConstantsAreNotOverwritten) {
  const std::string loaded = load(0, 0, 0, 8);
  expect_fault(loaded + store(0, 0, 0x3f9, 8),
               "overwritten constant: instruction 1 (dma.store) writes DRAM [0x3f9, 0x400), which "
               "holds image 'weights'");
  EXPECT_NO_THROW(check(loaded + store(0, 0, 0x400, 8)));
  expect_fault(loaded + store(0, 0, 0x7ff9, 8), "writes DRAM [0x8000, 0x8001), which holds code");
  EXPECT_NO_THROW(check(loaded + store(0, 0, 0x8000 + 3 * 64, 8))) << "three instructions";
}

TEST(HazardChecker, LoopsAreUnrolled) {
  // Double buffering over four tiles: the load of tile i + 2 waits for the reader of tile i.
  const auto patched = [](const std::string& wait) {
    return load(0, 0x1000, 0x000, 0x40, "", "vec") + load(0, 0x1040, 0x40, 0x40, "", "vec") +
           fmt::format(
               "loop count=3 length=4 patch0_slot=1 patch0_opd={0} patch0_step=128 patch1_slot=3 "
               "patch1_opd={0} patch1_step=128\n",
               static_cast<int>(isa::Opd::kSrc)) +
           max(0x00, 0x00, 0x80, 0x40, "dma0", "dma0") + load(0, 0x1080, 0x00, 0x40, wait, "vec") +
           max(0x40, 0x40, 0x80, 0x40, "dma0", "dma0") + load(0, 0x10c0, 0x40, 0x40, wait, "vec");
  };
  EXPECT_NO_THROW(check(patched("vec")));
  expect_fault(patched(""), "instruction 4 (dma.load) on dma0 writes scratchpad [0x0, 0x40)",
               "instruction 3 (vec.max) on vec reads");
  // The patched address leaves the input in the last iteration only.
  EXPECT_NO_THROW(check(fmt::format("loop count=16 length=1 patch0_opd=0 patch0_step=64\n") +
                        load(0, 0x1000, 0, 0x40)));
  expect_fault(fmt::format("loop count=17 length=1 patch0_opd=0 patch0_step=64\n") +
                   load(0, 0x1000, 0, 0x40),
               "instruction 1 (dma.load) reads DRAM [0x1400, 0x1440)");
}

TEST(HazardChecker, StridedTilesConflictByteByByte) {
  // Two stores interleave columns of one DRAM row; a third byte column stays free.
  const auto column = [](int channel, int dst, int bytes) {
    return fmt::format(
        "dma.store channel={} src=0 dst={} n0={} n1=16 n2=1 n3=1 src_stride1=0 src_stride2=0 "
        "src_stride3=0 dst_stride1=12 dst_stride2=0 dst_stride3=0\n",
        channel, dst, bytes);
  };
  const std::string loaded = load(0, 0, 0, 16, "", "dma1") + sync("dma1", "dma0");
  EXPECT_NO_THROW(check(loaded + column(0, 0x2000, 4) + column(1, 0x2004, 8)));
  expect_fault(loaded + column(0, 0x2000, 5) + column(1, 0x2004, 8),
               "writes DRAM [0x2004, 0x2005)");
}

TEST(HazardChecker, SameMessageEveryTime) {
  const std::string text = load(0, 0, 0, 8) + load(1, 0, 0x40, 8) + max(0, 0x40, 0x80, 8);
  std::string first;
  for (int i = 0; i < 3; ++i) {
    try {
      check(text);
      FAIL();
    } catch (const RunFault& fault) {
      if (i == 0) first = fault.what();
      EXPECT_EQ(fault.what(), first);
    }
  }
  EXPECT_THAT(first, StartsWith("hazard: instruction 2 (vec.max)"));
}

TEST(HazardChecker, BoundsTokensThatNothingTakes) {
  const auto loop = [](int count) {
    return fmt::format("loop count={} length=1\n", count) + sync("mac", "", "vec");
  };
  EXPECT_NO_THROW(check(loop(65535)));
  EXPECT_THAT(
      [&] { check(loop(65536)); },
      ThrowsMessage<Error>(HasSubstr(
          "instruction 1 (sync): more than 65535 tokens from mac to vec that nothing takes")));
}

}  // namespace
}  // namespace npu
