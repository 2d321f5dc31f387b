#include "isa/encoding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sim/base/error.h"
#include "tests/unit/isa/random_instruction.h"

namespace npu::isa {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr int kOperandSets = 300;

TEST(Encoding, EveryRowRoundTripsRandomOperands) {
  std::mt19937 rng(20240611);
  for (const InstrSpec& spec : instruction_table()) {
    for (int i = 0; i < kOperandSets; ++i) {
      const Instruction in = test::random_instruction(spec.opcode, rng);
      ASSERT_EQ(decode(encode(in)), in) << disassemble(in);
    }
  }
}

TEST(Encoding, EveryBitOfEveryRowMatters) {
  for (const InstrSpec& spec : instruction_table()) {
    Instruction in;
    in.opcode = spec.opcode;
    const Word word = encode(in);
    std::size_t used = 8 + (spec.unit == Unit::kControl ? 0 : 16);
    for (std::size_t f = 0; f < spec.field_count; ++f) used += spec.fields[f].width;
    std::size_t accepted = 8;
    for (std::size_t bit = 8; bit < 512; ++bit) {
      Word flipped = word;
      flipped[bit / 64] ^= std::uint64_t{1} << (bit % 64);
      try {
        const Instruction out = decode(flipped);
        ASSERT_NE(out, in) << spec.mnemonic << " bit " << bit;
        ASSERT_EQ(encode(out), flipped) << spec.mnemonic << " bit " << bit;
        ++accepted;
      } catch (const Error&) {
        continue;
      }
    }
    EXPECT_EQ(accepted, used) << spec.mnemonic;
  }
}

TEST(Encoding, WordIsLaidOutAsTheTableSays) {
  Instruction in;
  in.opcode = Opcode::kLoadWeights;
  in.wait = 0x02;
  in.signal = 0x81;
  in.set(Opd::kW, 0x11223344);
  in.set(Opd::kWStride, 0xabcdef);
  in.set(Opd::kN, 0x5566);
  in.set(Opd::kK, 0x7788);
  in.set(Opd::kWType, 2);
  const Word word = encode(in);
  EXPECT_EQ(word[0], 0x11223344'00'81'02'07ULL);
  EXPECT_EQ(word[1], 0x02'7788'5566'abcdefULL);
}

TEST(Encoding, FieldsThatCrossA64BitBoundaryKeepTheirSign) {
  Instruction in;
  in.opcode = Opcode::kDmaLoad;
  for (const Opd opd : {Opd::kSrcStride1, Opd::kSrcStride2, Opd::kSrcStride3}) in.set(opd, -1);
  const Instruction out = decode(encode(in));
  EXPECT_EQ(out[Opd::kSrcStride1], -1);
  EXPECT_EQ(out[Opd::kSrcStride2], -1);
  EXPECT_EQ(out[Opd::kSrcStride3], -1);
  EXPECT_EQ(out[Opd::kDstStride1], 0);
}

TEST(Encoding, RefusesOperandsThatDoNotFit) {
  Instruction in;
  in.opcode = Opcode::kDmaLoad;
  in.set(Opd::kChannel, 7);
  EXPECT_NO_THROW((void)encode(in));
  in.set(Opd::kChannel, 8);
  EXPECT_THAT(
      [&] { (void)encode(in); },
      ThrowsMessage<Error>(HasSubstr("dma.load: channel = 8 does not fit its 3 bits (0 to 7)")));
  in.set(Opd::kChannel, 0);
  in.set(Opd::kDstStride1, -(std::int64_t{1} << 31));
  EXPECT_NO_THROW((void)encode(in));
  in.set(Opd::kDstStride1, -(std::int64_t{1} << 31) - 1);
  EXPECT_THAT([&] { (void)encode(in); },
              ThrowsMessage<Error>(HasSubstr("dst_stride1 = -2147483649")));
}

TEST(Encoding, RefusesUnknownOpcodesAndUnusedBits) {
  Word word{};
  word[0] = kOpcodeCount;
  EXPECT_THAT(
      [&] { (void)decode(word); },
      ThrowsMessage<Error>(HasSubstr("unknown opcode 0x" + fmt::format("{:x}", kOpcodeCount))));
  word[0] = static_cast<std::uint64_t>(Opcode::kSync) | 1ULL << 30;
  EXPECT_THAT(
      [&] { (void)decode(word); },
      ThrowsMessage<Error>(HasSubstr("sync: bit 30 is set but the instruction does not use it")));
  word[0] = static_cast<std::uint64_t>(Opcode::kSync);
  word[7] = 1ULL << 63;
  EXPECT_THAT([&] { (void)decode(word); }, ThrowsMessage<Error>(HasSubstr("sync: bit 511")));
  Instruction opcode;
  opcode.opcode = static_cast<Opcode>(77);
  EXPECT_THAT([&] { (void)encode(opcode); },
              ThrowsMessage<Error>(HasSubstr("opcode 77 does not exist")));
}

TEST(Encoding, ControlInstructionsHaveNoTokens) {
  Instruction in;
  in.opcode = Opcode::kHalt;
  in.wait = 1;
  EXPECT_THAT(
      [&] { (void)encode(in); },
      ThrowsMessage<Error>(HasSubstr("halt: control instructions take and give no tokens")));
  EXPECT_THAT(
      [&] { (void)decode(Word{0x100}); },
      ThrowsMessage<Error>(HasSubstr("halt: control instructions take and give no tokens")));
}

TEST(Names, AreUniqueAndMatchTheirOperand) {
  EXPECT_EQ(name_of(Opd::kWTapStride), "w_tap_stride");
  EXPECT_EQ(name_of(Opd::kPatch6Step), "patch6_step");
  EXPECT_EQ(name_of(Opd::kBType), "b_type");
  EXPECT_EQ(name_of(Engine::kDma5), "dma5");
  for (std::size_t i = 0; i < kOpdCount; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      ASSERT_NE(name_of(static_cast<Opd>(i)), name_of(static_cast<Opd>(j)));
    }
  }
  EXPECT_THROW((void)name_of(Opd::kCountOpds), std::logic_error);
}

TEST(Instruction, KnowsItsEngine) {
  Instruction in;
  in.opcode = Opcode::kDmaStore;
  in.set(Opd::kChannel, 1);
  EXPECT_EQ(in.engine(), Engine::kDma1);
  in.opcode = Opcode::kSync;
  in.set(Opd::kEngine, 1);
  EXPECT_EQ(in.engine(), Engine::kVector);
  in.opcode = Opcode::kHalt;
  EXPECT_THROW((void)in.engine(), std::logic_error);
  EXPECT_THROW((void)in[Opd::kSrc], std::logic_error);
}

}  // namespace
}  // namespace npu::isa
