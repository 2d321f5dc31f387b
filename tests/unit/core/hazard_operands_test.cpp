#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "sim/core/hazard_checker.h"
#include "sim/core/operand_checks.h"
#include "tests/unit/core/hazard_program.h"

namespace npu {
namespace {

using namespace test;
using isa::Opcode;
using isa::Opd;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

/// Everything 1, addresses and types 0 (but for vec.output), no result stream: valid for every row.
isa::Instruction plain(Opcode opcode) {
  isa::Instruction in;
  in.opcode = opcode;
  const isa::InstrSpec& spec = isa::spec_of(opcode);
  for (std::size_t f = 0; f < spec.field_count; ++f) {
    const Opd opd = spec.fields[f].opd;
    const bool is_zero =
        opd <= Opd::kTable || opd == Opd::kStream || name_of(opd).ends_with("_type");
    in.values[f] = is_zero ? 0 : 1;
  }
  if (opcode == Opcode::kOutput) {  // int32 sums, accumulated in float32
    in.set(Opd::kInType, 3);
    in.set(Opd::kOutType, 6);
    in.set(Opd::kRaw, 0);
  }
  return in;
}

std::string fault(Opcode opcode, Opd opd, std::int64_t value) {
  isa::Instruction in = plain(opcode);
  in.set(opd, value);
  return operand_fault(in, small_config()).value_or("");
}

TEST(OperandChecks, PlainInstructionsAreSound) {
  for (const isa::InstrSpec& spec : isa::instruction_table()) {
    if (spec.unit == isa::Unit::kControl) continue;
    EXPECT_EQ(operand_fault(plain(spec.opcode), small_config()).value_or(""), "") << spec.mnemonic;
  }
}

TEST(OperandChecks, CountsAreAtLeastOne) {
  const std::vector<std::pair<Opcode, std::vector<Opd>>> rows = {
      {Opcode::kDmaLoad, {Opd::kN0, Opd::kN1, Opd::kN2, Opd::kN3}},
      {Opcode::kLoadWeights, {Opd::kN, Opd::kK}},
      {Opcode::kConv,
       {Opd::kInH, Opd::kInW, Opd::kKernelH, Opd::kKernelW, Opd::kStrideH, Opd::kStrideW,
        Opd::kDilationH, Opd::kDilationW, Opd::kUpH, Opd::kUpW, Opd::kOutH, Opd::kOutW, Opd::kInC,
        Opd::kOutC}},
      {Opcode::kDepthwise, {Opd::kMultiplier, Opd::kOutC}},
      {Opcode::kGemm, {Opd::kM, Opd::kN, Opd::kK}},
      {Opcode::kMaxPool, {Opd::kKernelH, Opd::kStrideW, Opd::kOutH}},
      {Opcode::kReduceSum, {Opd::kN0, Opd::kRows, Opd::kR1, Opd::kR2}},
      {Opcode::kSoftmax, {Opd::kRows, Opd::kN0}},
  };
  for (const auto& [opcode, opds] : rows) {
    for (const Opd opd : opds) {
      EXPECT_EQ(fault(opcode, opd, 0), fmt::format("{}: must be at least 1, got 0", name_of(opd)));
    }
  }
}

TEST(OperandChecks, ElementTypes) {
  for (const Opcode opcode : {Opcode::kConv, Opcode::kDepthwise, Opcode::kGemm}) {
    for (const Opd opd : {Opd::kXType, Opd::kWType}) {
      EXPECT_EQ(fault(opcode, opd, 2), "");
      EXPECT_EQ(fault(opcode, opd, 3),
                fmt::format("{}: element type must be 0, 1, 2, 4, 5, 6, got 3", name_of(opd)));
    }
  }
  EXPECT_EQ(fault(Opcode::kRescale, Opd::kInType, 3), "");
  EXPECT_EQ(fault(Opcode::kRequantize, Opd::kOutType, 3), "");
  EXPECT_EQ(fault(Opcode::kSoftmax, Opd::kOutType, 3),
            "out_type: element type must be 0, 1, 2, got 3");
  EXPECT_EQ(fault(Opcode::kAvgPool, Opd::kInType, 3),
            "in_type: element type must be 0, 1, 2, 4, 5, 6, got 3");
  EXPECT_EQ(fault(Opcode::kRescale, Opd::kInType, 4),
            "in_type: element type must be 0, 1, 2, 3, got 4");
}

TEST(OperandChecks, EnginesAndChannels) {
  EXPECT_EQ(fault(Opcode::kDmaLoad, Opd::kChannel, 1), "");
  EXPECT_EQ(fault(Opcode::kDmaLoad, Opd::kChannel, 2),
            "channel: the configuration has 2 DMA channels, got 2");
  EXPECT_EQ(fault(Opcode::kSync, Opd::kEngine, 3), "");
  EXPECT_EQ(fault(Opcode::kSync, Opd::kEngine, 4),
            "engine: the configuration has engines 0 to 3, got 4");
  isa::Instruction in = plain(Opcode::kSync);
  in.wait = 0x0f;
  in.signal = 0x0f;
  EXPECT_FALSE(operand_fault(in, small_config()).has_value());
  in.wait = 0x10;
  EXPECT_EQ(operand_fault(in, small_config()), "wait: the configuration has no engine dma2");
  in.wait = 0;
  in.signal = 0x80;
  EXPECT_EQ(operand_fault(in, small_config()), "signal: the configuration has no engine dma5");
}

TEST(OperandChecks, Accumulators) {
  EXPECT_EQ(fault(Opcode::kGemm, Opd::kAcc, 12), "acc: must be a multiple of 8 bytes, got 0xc")
      << "plain is wide";
  isa::Instruction narrow = plain(Opcode::kGemm);
  narrow.set(Opd::kWide, 0);
  narrow.set(Opd::kAcc, 12);
  EXPECT_FALSE(operand_fault(narrow, small_config()).has_value());
  narrow.set(Opd::kAcc, 14);
  EXPECT_EQ(operand_fault(narrow, small_config()), "acc: must be a multiple of 4 bytes, got 0xe");
  EXPECT_EQ(fault(Opcode::kDot, Opd::kAcc, 2), "acc: must be a multiple of 4 bytes, got 0x2");
  for (const auto& [opcode, columns, rows] :
       {std::tuple{Opcode::kGemm, Opd::kN, Opd::kM},
        std::tuple{Opcode::kConv, Opd::kOutC, Opd::kOutW},
        std::tuple{Opcode::kDepthwise, Opd::kOutC, Opd::kOutH},
        std::tuple{Opcode::kRequantize, Opd::kOutC, Opd::kOutW},
        std::tuple{Opcode::kReduceSum, Opd::kN0, Opd::kRows}}) {
    isa::Instruction in = plain(opcode);
    in.set(columns, 8);
    in.set(rows, 2);
    in.set(Opd::kAccPitch, 8);
    EXPECT_FALSE(operand_fault(in, small_config()).has_value());
    in.set(Opd::kAccPitch, 7);
    EXPECT_EQ(operand_fault(in, small_config()),
              "acc_pitch: must be at least the 8 elements of a row, got 7");
    in.set(rows, 1);
    EXPECT_FALSE(operand_fault(in, small_config()).has_value()) << "one row has no pitch";
  }
}

TEST(OperandChecks, ClampsAndFills) {
  EXPECT_EQ(fault(Opcode::kRequantize, Opd::kClampMin, 2),
            "clamp_min: must not exceed clamp_max 1, got 2");
  EXPECT_EQ(fault(Opcode::kMaxPool, Opd::kClampMin, 2),
            "clamp_min: must not exceed clamp_max 1, got 2");
  EXPECT_EQ(fault(Opcode::kDmaFill, Opd::kElementBytes, 4), "");
  EXPECT_EQ(fault(Opcode::kDmaFill, Opd::kElementBytes, 3),
            "element_bytes: must be 1, 2 or 4, got 3");
}

void expect_error(const isa::Program& program, const std::string& message) {
  EXPECT_THAT([&] { check_program(program, small_config()); },
              ThrowsMessage<Error>(HasSubstr(message)));
}

TEST(Bounds, EveryMemory) {
  const auto check = [](const std::string& text) {
    check_program(program_of(text + "halt\n"), small_config());
  };
  const auto error = [](const std::string& text, const std::string& message) {
    expect_error(program_of(text + "halt\n"), message);
  };
  EXPECT_NO_THROW(check(load(0, 0, 4096 - 8, 8)));
  error(load(0, 0, 4096 - 7, 8),
        "instruction 0 (dma.load): writes scratchpad [0xff9, 0x1001), outside its 4096 bytes");
  error(load(0, 0x10000 - 7, 0, 8),
        "instruction 0 (dma.load): reads DRAM [0xfff9, 0x10001), outside its 65536 bytes");
  const std::string loaded = load(0, 0, 0, 0x100, "", "mac");
  EXPECT_NO_THROW(check(loaded + gemm(0, 0, 1024 - 16, 1, 4, 8, "dma0")));
  error(loaded + gemm(0, 0, 1024 - 12, 1, 4, 8, "dma0"),
        "instruction 1 (mac.gemm): writes accumulator [0x3f4, 0x404), outside its 1024 bytes");
  error(
      "dma.load channel=0 src=0 dst=8 n0=8 n1=3 n2=1 n3=1 src_stride1=0 src_stride2=0 "
      "src_stride3=0 dst_stride1=-8 dst_stride2=0 dst_stride3=0\n",
      "writes scratchpad [-0x8, 0x10), outside its 4096 bytes");
  error(load(2, 0, 0, 8),
        "instruction 0 (dma.load): channel: the configuration has 2 DMA channels, got 2");
}

TEST(Layout, DramInUse) {
  isa::Program p = program_of("halt\n");
  EXPECT_NO_THROW(check_program(p, small_config()));
  p.dram_bytes = small_config().dram.capacity_bytes();
  EXPECT_NO_THROW(check_program(p, small_config()));
  ++p.dram_bytes;
  expect_error(p, fmt::format("the program needs {} bytes of DRAM, tiny has {}", p.dram_bytes,
                              p.dram_bytes - 1));
  p.dram_bytes = 0x803f;
  expect_error(
      p, "code: 64 bytes at 0x8000 are outside the 32831 bytes of DRAM that the program uses");
  p.dram_bytes = 0x10000;
  p.image[0].address = 0x10000 - 0x3ff;
  expect_error(p,
               "image 'weights': 1024 bytes at 0xfc01 are outside the 65536 bytes of DRAM that the "
               "program uses");
  p.image[0].address = 0;
  p.image[0].bytes.resize(5);
  expect_error(p, "image 'weights': size is 1024, but it has 5 bytes");
  p.image[0].bytes.clear();
  p.tensors[1].address = -1;
  expect_error(p, "tensor 2 'out': 1024 bytes at -0x1 are outside");
  p.tensors[1].memory = isa::Memory::kScratchpad;
  p.tensors[1].address = 4096 - 1024;
  EXPECT_NO_THROW(check_program(p, small_config()));
  ++p.tensors[1].address;
  expect_error(p, "tensor 2 'out': 1024 bytes at 0xc01 are outside the 4096 bytes of scratchpad");
  p.layer_of = {0, 0};
  p.tensors.pop_back();
  expect_error(p, "2 layer indices for 1 instructions");
}

TEST(Layout, Overlaps) {
  const isa::Program good = program_of("halt\n");
  isa::Program p = good;
  p.code_address = 0x3ff;
  expect_error(p, "code [0x3ff, 0x43f) overlaps image 'weights' [0x0, 0x400)");
  p.code_address = 0x400;
  EXPECT_NO_THROW(check_program(p, small_config()));
  p = good;
  p.image.push_back({"bias", 0x3ff, 1, {}});
  expect_error(p, "image 'bias' [0x3ff, 0x400) overlaps image 'weights'");
  p.image[1].size = 0;
  EXPECT_NO_THROW(check_program(p, small_config()));
  p = good;
  p.tensors[1].address = 0x3ff;
  p.tensors[1].ready_after = 0;
  expect_error(p, "tensor 2 'out' [0x3ff, 0x7ff) overlaps image 'weights' [0x0, 0x400)");
  p.tensors[1].ready_after = -1;
  EXPECT_NO_THROW(check_program(p, small_config())) << "a constant";
  p.tensors[0].address = 0x7fff;
  expect_error(p, "tensor 1 'in' [0x7fff, 0x83ff) overlaps code [0x8000, 0x8040)");
  p = good;
  p.tensors[1].address = 0x13ff;
  EXPECT_NO_THROW(check_program(p, small_config())) << "memory may be used again";
  p.tensors[1].role = isa::TensorRole::kVariable;
  expect_error(p, "tensor 2 'out' [0x13ff, 0x17ff) overlaps tensor 1 'in' [0x1000, 0x1400)");
}

}  // namespace
}  // namespace npu
