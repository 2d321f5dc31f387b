#include "tests/golden/arithmetic_patch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "sim/base/error.h"

namespace npu::test {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

/// A program with one block of these words.
isa::Program block(const std::string& name, const std::vector<std::int32_t>& words) {
  isa::ImageSegment segment{name, 0, std::ssize(words) * 4, {}};
  segment.bytes.resize(words.size() * 4);
  std::memcpy(segment.bytes.data(), words.data(), segment.bytes.size());
  isa::Program program;
  program.image.push_back(std::move(segment));
  return program;
}

std::vector<std::int32_t> words_of(const isa::Program& program) {
  std::vector<std::int32_t> words(program.image.at(0).bytes.size() / 4);
  std::memcpy(words.data(), program.image[0].bytes.data(), words.size() * 4);
  return words;
}

TEST(ArithmeticPatch, ReplacesEachMarkerOnce) {
  isa::Program program = block("weights", {7, 100, -3, 8, 101, -3});
  ArithmeticPatch patch;
  patch.multiplier({100, -3}, {101, -3});
  patch.multiplier({101, -3}, {5, 6});
  patch.apply(program);
  EXPECT_EQ(words_of(program), (std::vector<std::int32_t>{7, 101, -3, 8, 5, 6}));
}

TEST(ArithmeticPatch, RefusesAMarkerThatIsMissingOrThereTwice) {
  ArithmeticPatch patch;
  patch.multiplier({100, -3}, {5, 6});
  isa::Program none = block("weights", {100, -4});
  EXPECT_THAT([&] { patch.apply(none); }, ThrowsMessage<Error>(HasSubstr("found 0 times, not 1")));
  isa::Program twice = block("weights", {100, -3, 100, -3});
  EXPECT_THAT([&] { patch.apply(twice); }, ThrowsMessage<Error>(HasSubstr("found 2 times, not 1")));
}

TEST(ArithmeticPatch, ChangesOperandsAndBinaryBlocks) {
  isa::Program program = block("parameters ADD #0", std::vector<std::int32_t>(12, 1));
  isa::Instruction requantize, add;
  requantize.opcode = isa::Opcode::kRequantize;
  add.opcode = isa::Opcode::kAdd;
  program.code = {requantize, add};
  ArithmeticPatch patch;
  patch.clamp({-5, 9});
  patch.out_zero(128);
  patch.apply(program);
  EXPECT_EQ(program.code[0][isa::Opd::kOutZero], 128);
  EXPECT_EQ(program.code[0][isa::Opd::kClampMin], -5);
  EXPECT_EQ(program.code[0][isa::Opd::kClampMax], 9);
  EXPECT_EQ(words_of(program), (std::vector<std::int32_t>{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -5, 9}));
}

TEST(ArithmeticPatch, RefusesAClampWithNothingToClamp) {
  isa::Program program = block("weights", {1, 2});
  ArithmeticPatch patch;
  patch.clamp({0, 1});
  EXPECT_THAT([&] { patch.apply(program); }, ThrowsMessage<Error>(HasSubstr("has a clamp")));
  program = block("parameters ADD #0", {1, 2});
  program.code.resize(1);
  program.code[0].opcode = isa::Opcode::kAdd;
  EXPECT_THAT([&] { patch.apply(program); }, ThrowsMessage<Error>(HasSubstr("not twelve words")));
}

}  // namespace
}  // namespace npu::test
