#include "isa/unroll.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "isa/encoding.h"
#include "sim/base/error.h"

namespace npu::isa {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::string_view kLut =
    "vec.lut src=0 dst=0 table=0 n0=1 n1=1 n2=1 src_stride1=0 src_stride2=0 dst_stride1=0 "
    "dst_stride2=0 out_type=0\n";

std::string patch(int number, int slot, Opd opd, std::int64_t step) {
  return fmt::format(" patch{0}_slot={1} patch{0}_opd={2} patch{0}_step={3}", number, slot,
                     static_cast<int>(opd), step);
}

struct Step {
  std::int32_t index;
  std::int64_t src, dst;
  bool operator==(const Step&) const = default;
};
std::vector<Step> unroll(const std::string& text) {
  const auto code = assemble(text, "p.s");
  Unroller unroller(code);
  std::vector<Step> steps;
  Instruction in;
  std::int32_t index = 0;
  while (unroller.next(in, index)) {
    const bool lut = in.opcode == Opcode::kLut;
    steps.push_back({index, lut ? in[Opd::kSrc] : -1, lut ? in[Opd::kDst] : -1});
  }
  EXPECT_FALSE(unroller.next(in, index)) << "halt stays halt";
  EXPECT_EQ(unroller.dynamic_count(), std::ssize(steps));
  return steps;
}

void expect_error(const std::string& text, const std::string& message) {
  const auto code = assemble(text, "p.s");
  EXPECT_THAT([&] { Unroller unroller(code); }, ThrowsMessage<Error>(HasSubstr(message))) << text;
}

TEST(Unroller, StraightCodeStopsAtHalt) {
  EXPECT_THAT(unroll(std::string(kLut) + "sync engine=0\nhalt\nsync engine=1\n"),
              ElementsAre(Step{0, 0, 0}, Step{1, -1, -1}));
  EXPECT_TRUE(unroll("halt").empty());
}

TEST(Unroller, PatchesGrowWithTheIteration) {
  EXPECT_THAT(
      unroll("loop count=3 length=2" + patch(0, 0, Opd::kSrc, 16) + patch(3, 1, Opd::kDst, 4) +
             "\n" + std::string(kLut) + std::string(kLut) + "halt"),
      ElementsAre(Step{1, 0, 0}, Step{2, 0, 0}, Step{1, 16, 0}, Step{2, 0, 4}, Step{1, 32, 0},
                  Step{2, 0, 8}));
}

TEST(Unroller, NestedLoopsAddTheirSteps) {
  // The inner loop ends where the outer one ends; slots of the outer loop count the inner loop's
  // word.
  EXPECT_THAT(
      unroll("loop count=2 length=2" + patch(0, 1, Opd::kSrc, 100) + "\nloop count=3 length=1" +
             patch(0, 0, Opd::kSrc, 1) + patch(1, 0, Opd::kDst, 7) + patch(2, 0, Opd::kSrc, 10) +
             "\n" + std::string(kLut) + "halt"),
      ElementsAre(Step{2, 0, 0}, Step{2, 11, 7}, Step{2, 22, 14}, Step{2, 100, 0}, Step{2, 111, 7},
                  Step{2, 122, 14}));
}

TEST(Unroller, StepZeroPatchesNothingWhateverTheirSlot) {
  EXPECT_EQ(
      unroll("loop count=2 length=1 patch0_slot=200 patch0_opd=255\n" + std::string(kLut) + "halt")
          .size(),
      2U);
}

TEST(Unroller, RefusesBadLoops) {
  const std::string lut(kLut);
  expect_error(lut, "instruction 1: code ends without halt");
  expect_error("", "instruction 0: code ends without halt");
  expect_error("loop count=0 length=1\n" + lut + "halt",
               "instruction 0: loop: count must be at least 1, got 0");
  expect_error("loop count=1 length=0\nhalt",
               "instruction 0: loop: length must be at least 1, got 0");
  expect_error(lut + "loop count=2 length=3\n" + lut + "halt",
               "instruction 1: loop: body of 3 instructions goes beyond the code");
  expect_error("loop count=2 length=2\nloop count=2 length=2\n" + lut + lut + "halt",
               "instruction 1: loop: body goes beyond the end of the loop at instruction 0");
  expect_error("loop count=2 length=2\n" + lut + "halt",
               "instruction 2: halt inside the loop at instruction 0");
}

TEST(Unroller, RefusesBadPatches) {
  const std::string lut(kLut);
  const std::string end = "\n" + lut + "halt";
  expect_error("loop count=2 length=1" + patch(2, 1, Opd::kSrc, 1) + end,
               "instruction 0: loop: patch2_slot 1 is outside the body of 1 instructions");
  expect_error("loop count=2 length=1" + patch(0, 0, Opd::kAcc, 1) + end,
               "patch0_opd: instruction 1 (vec.lut) has no operand acc");
  expect_error("loop count=2 length=1 patch0_opd=200 patch0_step=1" + end, "has no operand 200");
  expect_error("loop count=2 length=2 patch0_opd=11 patch0_step=1\nloop count=1 length=1" + end,
               "patch0 changes instruction 1, a control instruction (loop)");
}

TEST(Unroller, PatchedOperandsStayInTheirField) {
  const std::string lut(kLut);
  const std::int64_t most = (std::int64_t{1} << 32) - 1;
  EXPECT_EQ(unroll("loop count=2 length=1" + patch(0, 0, Opd::kSrc, most) + "\n" + lut + "halt")
                .back()
                .src,
            most);
  expect_error("loop count=2 length=1" + patch(0, 0, Opd::kSrc, most + 1) + "\n" + lut + "halt",
               "instruction 1: vec.lut: the patches of its loops move src from 0 to 4294967296, "
               "out of its 32 bits");
  expect_error("loop count=2 length=1" + patch(0, 0, Opd::kSrc, -1) + "\n" + lut + "halt",
               "move src from -1 to 0");
  // One loop's growth does not excuse the other's: all iterations are combined.
  expect_error("loop count=2 length=2" + patch(0, 1, Opd::kSrc, 8) + "\nloop count=2 length=1" +
                   patch(0, 0, Opd::kSrc, -4) + "\n" + lut + "halt",
               "move src from -4 to 8");
  expect_error("loop count=16777215 length=1" +
                   patch(0, 0, Opd::kSrc, (std::int64_t{1} << 39) - 1) +
                   patch(1, 0, Opd::kSrc, (std::int64_t{1} << 39) - 1) + "\n" + lut + "halt",
               "out of its 32 bits");
}

TEST(Unroller, BoundsTheDynamicCount) {
  const std::string lut(kLut);
  const auto nested = [&](int outer, int inner) {
    return fmt::format("loop count={} length=2\nloop count={} length=1\n{}halt", outer, inner, lut);
  };
  const auto code = assemble(nested(4, 1 << 23), "p.s");
  EXPECT_EQ(Unroller(code).dynamic_count(), std::int64_t{1} << 25);
  const auto most = assemble(nested(8, 1 << 23), "p.s");
  EXPECT_EQ(Unroller(most).dynamic_count(), kMaxDynamicInstructions);
  expect_error(nested(9, 1 << 23), "instruction 2: more than 67108864 dynamic instructions");
  expect_error(nested(16777215, 16777215), "more than 67108864 dynamic instructions");
}

TEST(Unroller, ControlInstructionsHaveNoTokens) {
  std::vector<Instruction> code(1);
  code[0].signal = 1;
  EXPECT_THAT([&] { Unroller unroller(code); },
              ThrowsMessage<Error>(
                  HasSubstr("instruction 0: halt: control instructions take and give no tokens")));
}

}  // namespace
}  // namespace npu::isa
