#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "isa/encoding.h"
#include "sim/base/error.h"
#include "tests/unit/isa/random_instruction.h"

namespace npu::isa {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr int kOperandSets = 250;

void expect_error(const std::string& text, const std::string& message) {
  EXPECT_THAT([&] { (void)assemble(text, "p.s"); }, ThrowsMessage<Error>(HasSubstr(message)))
      << text;
}

TEST(Assembler, EveryRowRoundTripsRandomOperands) {
  std::mt19937 rng(7);
  for (const InstrSpec& spec : instruction_table()) {
    std::vector<Instruction> code;
    std::string text;
    for (int i = 0; i < kOperandSets; ++i) {
      code.push_back(test::random_instruction(spec.opcode, rng));
      text += disassemble(code.back()) + "\n";
    }
    ASSERT_EQ(assemble(text, "p.s"), code) << spec.mnemonic;
  }
}

TEST(Assembler, PrintsOneReadableLine) {
  Instruction in;
  in.opcode = Opcode::kLoadWeights;
  in.wait = 0b101;
  in.signal = 0b10;
  in.set(Opd::kW, 0x1000);
  in.set(Opd::kWStride, 64);
  in.set(Opd::kN, 16);
  in.set(Opd::kK, 64);
  EXPECT_EQ(disassemble(in),
            "mac.load_weights w=0x1000 w_stride=64 n=16 k=64 w_type=0 w_transposed=0 wait=mac,dma0 "
            "signal=vec");
  Instruction loop;
  loop.opcode = Opcode::kLoop;
  loop.set(Opd::kCount, 3);
  loop.set(Opd::kLength, 2);
  loop.set(Opd::kPatch1Slot, 1);
  loop.set(Opd::kPatch1Step, -4);
  EXPECT_EQ(disassemble(loop), "loop count=3 length=2 patch1_slot=1 patch1_step=-4");
  Instruction sync;
  sync.opcode = Opcode::kSync;
  sync.set(Opd::kEngine, 3);
  EXPECT_EQ(disassemble(sync), "sync engine=dma1");
}

TEST(Assembler, ReadsCommentsBlankLinesBothBasesAndAnyOrder) {
  const auto code = assemble(
      "# a program\r\n\n"
      "  mac.load_weights k=0x40 n=16 w_type=1 w_stride=64 w_transposed=0 w=4096 signal=vec # "
      "comment "
      "halt\r\n"
      "\tsync engine=2\n"
      "halt",
      "p.s");
  ASSERT_EQ(code.size(), 3U);
  EXPECT_EQ(code[0][Opd::kW], 0x1000);
  EXPECT_EQ(code[0][Opd::kK], 64);
  EXPECT_EQ(code[0].signal, 2);
  EXPECT_EQ(code[1].engine(), Engine::kDma0);
  EXPECT_EQ(code[2].opcode, Opcode::kHalt);
  EXPECT_TRUE(assemble("", "p.s").empty());
}

TEST(Assembler, ErrorsNameLineAndColumn) {
  expect_error("halt\n  stop\n", "p.s:2:3: unknown instruction 'stop'");
  expect_error("sync engine", "p.s:1:6: expected operand=value, got 'engine'");
  expect_error("sync engine=mac foo=1", "p.s:1:17: sync: unknown operand 'foo'");
  expect_error("sync engine=1 engine=2", "p.s:1:15: sync: operand engine is given twice");
  expect_error("\n\nsync wait=mac", "p.s:3:1: sync: operand engine is missing");
  expect_error("sync engine=16", "p.s:1:6: sync: engine must be 0 to 15, got 16");
  expect_error("sync engine=-1", "sync: engine must be 0 to 15, got -1");
  expect_error("sync engine=gpu",
               "sync: engine: expected a decimal or 0x hexadecimal integer, got 'gpu'");
  for (const char* value : {"", "0x", "-", "1.5", "12a", "0xg", "99999999999999999999",
                            "9223372036854775808", "+1", "--1"}) {
    expect_error(fmt::format("sync engine={}", value),
                 "expected a decimal or 0x hexadecimal integer");
  }
  expect_error("sync engine=1 wait=mac,tpu", "p.s:1:15: sync: wait: unknown engine 'tpu'");
  expect_error("sync engine=1 wait=", "sync: wait: unknown engine ''");
  expect_error("sync engine=1 wait=mac,", "sync: wait: unknown engine ''");
  expect_error("sync engine=1 signal=mac,mac", "sync: signal: engine mac is given twice");
  expect_error("sync engine=1 wait=mac wait=vec", "sync: operand wait is given twice");
  expect_error("halt wait=mac", "p.s:1:6: halt: control instructions take and give no tokens");
  expect_error("loop count=1", "loop: operand length is missing");
  expect_error("loop count=1 length=256", "loop: length must be 0 to 255, got 256");
}

TEST(Assembler, SurvivesRandomText) {
  std::mt19937 rng(99);
  constexpr std::string_view kPieces[] = {
      "halt",  "sync", " ", "engine=", "mac", "\n", "=",
      "wait=", ",",    "#", "0x",      "9",   "-",  "loop count=1 length=1",
      "\xff",  "\t"};
  int refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string text;
    for (auto n = rng() % 12; n > 0; --n) text += kPieces[rng() % std::size(kPieces)];
    try {
      (void)assemble(text, "p.s");
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace npu::isa
