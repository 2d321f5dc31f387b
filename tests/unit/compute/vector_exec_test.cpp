#include "sim/compute/vector_exec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "sim/base/error.h"
#include "sim/compute/vector_work.h"
#include "tests/unit/compute/interpreter.h"
#include "tests/unit/compute/random_operands.h"

namespace npu::compute {
namespace {

using isa::Opcode;
using isa::Opd;
using test::Draw;
using test::Memories;

constexpr std::int64_t kBytes[] = {1, 1, 2, 4};
constexpr std::int64_t kSecond = 1 << 15, kParams = 1 << 16, kDst = 1 << 17;
constexpr Rounding kRoundings[] = {Rounding::kTfliteDouble, Rounding::kTfliteSingle,
                                   Rounding::kFloatRne};

void put_words(Memories& m, std::int64_t at, std::initializer_list<std::int64_t> words) {
  for (const std::int64_t w : words) {
    const auto word = static_cast<std::int32_t>(w);
    std::memcpy(m.scratchpad.data() + at, &word, 4);
    at += 4;
  }
}

std::int64_t multiplier(Draw& draw) { return draw.chance(20) ? 0 : draw(1 << 30, INT32_MAX); }

/// Unit and interpreter leave the same bytes, and every byte that changed lies in a written extent.
void expect_same(const isa::Instruction& i, Rounding rounding, const Memories& before,
                 const std::string& what) {
  Memories expected = before;
  test::interpret(i, rounding, expected);
  Memories actual = before;
  const VectorWork work = describe_vector(i, 0);
  for (std::size_t s = 0; s < work.stream_count; ++s) {
    const Stream& stream = work.streams[s];
    const auto& memory =
        stream.memory == isa::Memory::kScratchpad ? before.scratchpad : before.accumulator;
    ASSERT_NO_THROW(check_extent(i, 0, stream.operand, stream.extent,
                                 static_cast<std::int64_t>(memory.size())));
  }
  execute_vector(i, 0, rounding, actual.scratchpad, actual.accumulator);
  ASSERT_TRUE(actual.scratchpad == expected.scratchpad) << what;
  ASSERT_TRUE(actual.accumulator == expected.accumulator) << what;
  for (std::size_t s = 0; s < work.stream_count; ++s) {
    const Stream& stream = work.streams[s];
    if (!stream.is_write || stream.memory != isa::Memory::kScratchpad) continue;
    const auto same = [&](std::int64_t from, std::int64_t to) {
      return std::equal(before.scratchpad.begin() + from, before.scratchpad.begin() + to,
                        actual.scratchpad.begin() + from);
    };
    ASSERT_TRUE(same(0, stream.extent.low)) << what;
    ASSERT_TRUE(same(stream.extent.high, static_cast<std::int64_t>(before.scratchpad.size())))
        << what;
  }
}

TEST(VectorExec, Requantize) {
  Draw draw(21);
  for (int n = 0; n < 400; ++n) {
    Memories m = draw.memories(1 << 18, 1 << 16);
    const bool wide = draw.chance(3);
    const bool reduced = wide ? draw.chance(2) : draw.chance(8);
    const std::int64_t out_type = draw(0, 3);
    const std::int64_t c = draw.chance(6) ? draw(500, 1100) : draw(1, 40);
    const std::int64_t h = c > 100 ? 1 : draw(1, 5);
    const std::int64_t w = c > 100 ? draw(1, 3) : draw(1, 30);
    const std::int64_t pixel = c * kBytes[out_type] + (draw.chance(2) ? draw(0, 5) : 0);
    for (std::int64_t k = 0; k < c; ++k) {
      const std::int64_t at = kParams + k * (wide ? 16 : 12);
      const std::int64_t bias = draw(-100000, 100000);
      if (wide) {
        std::memcpy(m.scratchpad.data() + at, &bias, 8);
      } else {
        put_words(m, at, {draw.chance(4) ? draw(INT32_MIN, INT32_MAX) : bias});
      }
      put_words(m, at + (wide ? 8 : 4),
                {multiplier(draw), draw.chance(10) ? draw(1, 6) : draw(-31, 0)});
    }
    if (wide) {  // within the 47 bits of the 16x8 path, some beyond int32
      for (std::size_t b = 0; b + 8 <= m.accumulator.size(); b += 8) {
        const std::int64_t v = draw.chance(2)
                                   ? draw(-(std::int64_t{1} << 46), std::int64_t{1} << 46)
                                   : draw(-999999, 99999);
        std::memcpy(m.accumulator.data() + b, &v, 8);
      }
    }
    const std::int64_t low = draw(-200, 0);
    expect_same(test::make(Opcode::kRequantize,
                           {{Opd::kAcc, 8 * draw(0, 9)},
                            {Opd::kDst, kDst + draw(0, 9)},
                            {Opd::kParams, kParams},
                            {Opd::kAccPitch, c + (draw.chance(2) ? draw(0, 4) : 0)},
                            {Opd::kOutH, h},
                            {Opd::kOutW, w},
                            {Opd::kOutC, c},
                            {Opd::kDstRowStride, pixel * w + draw(0, 7)},
                            {Opd::kDstPixelStride, pixel},
                            {Opd::kOutType, out_type},
                            {Opd::kPerChannel, draw(0, 1)},
                            {Opd::kWide, wide ? 1 : 0},
                            {Opd::kReduced, reduced ? 1 : 0},
                            {Opd::kOutZero, draw(-128, 127)},
                            {Opd::kClampMin, draw.chance(9) ? INT32_MIN : low},
                            {Opd::kClampMax, draw.chance(9) ? INT32_MAX : low + draw(0, 300)}}),
                kRoundings[n % 3], m, "case " + std::to_string(n));
  }
}

/// n0, n1, n2 and strides of one operand set, negative ones included.
void set_space(Draw& draw, isa::Instruction& i, std::int64_t n0, std::int64_t n1, std::int64_t n2) {
  i.set(Opd::kN0, n0);
  i.set(Opd::kN1, n1);
  i.set(Opd::kN2, n2);
  const auto strides = [&](Opd base, Opd stride1, Opd stride2, std::int64_t bytes,
                           std::int64_t at) {
    std::int64_t s1 = n0 * bytes + draw(0, 5);
    std::int64_t s2 = s1 * n1 + draw(0, 5);
    if (draw.chance(4)) {
      at += s1 * (n1 - 1);
      s1 = -s1;
    }
    if (draw.chance(4)) {
      at += s2 * (n2 - 1);
      s2 = -s2;
    }
    i.set(base, at);
    i.set(stride1, s1);
    i.set(stride2, s2);
  };
  if (i.opcode == Opcode::kRescale || i.opcode == Opcode::kLut) {
    const std::int64_t in = i.opcode == Opcode::kLut ? 1 : kBytes[i[Opd::kInType]];
    strides(Opd::kSrc, Opd::kSrcStride1, Opd::kSrcStride2, in, draw(0, 99));
    strides(Opd::kDst, Opd::kDstStride1, Opd::kDstStride2, kBytes[i[Opd::kOutType]],
            kDst + draw(0, 99));
  } else {
    const std::int64_t bytes = kBytes[i[Opd::kInType]];
    strides(Opd::kA, Opd::kAStride1, Opd::kAStride2, bytes, draw(0, 99));
    strides(Opd::kB, Opd::kBStride1, Opd::kBStride2, bytes, kSecond + draw(0, 99));
    strides(Opd::kDst, Opd::kDstStride1, Opd::kDstStride2, bytes, kDst + draw(0, 99));
  }
}

TEST(VectorExec, Rescale) {
  Draw draw(22);
  for (int n = 0; n < 300; ++n) {
    Memories m = draw.memories(1 << 18, 16);
    isa::Instruction i = test::make(
        Opcode::kRescale,
        {{Opd::kInType, draw(0, 3)}, {Opd::kOutType, draw(0, 3)}, {Opd::kParams, kParams}});
    set_space(draw, i, draw.chance(8) ? 1200 : draw(1, 60), draw(1, 4), draw(1, 4));
    put_words(m, kParams,
              {draw(-128, 127), multiplier(draw), draw(-12, 3),
               draw.chance(4) ? -multiplier(draw) : multiplier(draw), draw(-12, 3),
               draw.chance(8) ? draw(INT32_MIN, INT32_MAX) : draw(-128, 127), draw(-128, 0),
               draw(0, 127)});
    expect_same(i, kRoundings[n % 3], m, "case " + std::to_string(n));
  }
}

TEST(VectorExec, Lut) {
  Draw draw(23);
  const Memories m = draw.memories(1 << 18, 16);
  for (int n = 0; n < 100; ++n) {
    isa::Instruction i = test::make(
        Opcode::kLut, {{Opd::kOutType, draw(0, 3)}, {Opd::kTable, kParams + draw(0, 9)}});
    set_space(draw, i, draw(1, 90), draw(1, 4), draw(1, 4));
    expect_same(i, Rounding::kTfliteDouble, m, "case " + std::to_string(n));
  }
}

TEST(VectorExec, AddSubMulMaxMin) {
  Draw draw(24);
  constexpr Opcode kOpcodes[] = {Opcode::kAdd, Opcode::kSub, Opcode::kMul, Opcode::kMax,
                                 Opcode::kMin};
  for (int n = 0; n < 1000; ++n) {
    Memories m = draw.memories(1 << 18, 16);
    const std::int64_t type = draw.chance(4) ? 3 : draw(0, 2);
    isa::Instruction i = test::make(kOpcodes[n % 5], {{Opd::kInType, type},
                                                      {Opd::kParams, kParams},
                                                      {Opd::kABroadcast, draw.chance(4) ? 1 : 0},
                                                      {Opd::kBBroadcast, draw.chance(4) ? 1 : 0}});
    set_space(draw, i, draw.chance(8) ? 1100 : draw(1, 60), draw(1, 4), draw(1, 3));
    put_words(m, kParams,
              {draw(-128, 127), draw(-128, 127),
               type == 3   ? 0
               : type == 2 ? draw(0, 14)
                           : draw(0, 20),
               multiplier(draw), draw(-5, 0), multiplier(draw), draw(-5, 0), multiplier(draw),
               draw(-20, 1), draw(-128, 127), draw(-128, 0), draw(0, 127)});
    expect_same(i, kRoundings[n / 5 % 3], m, "case " + std::to_string(n));
  }
}

TEST(VectorExec, AnInPlaceOperationReadsBeforeItWrites) {
  Draw draw(25);
  Memories m = draw.memories(1 << 18, 16);
  put_words(m, kParams, {3, -5, 20, 1 << 30, 0, 1 << 30, -1, 1 << 30, -18, 4, -128, 127});
  const isa::Instruction i = test::make(Opcode::kAdd, {{Opd::kA, 64},
                                                       {Opd::kB, kSecond},
                                                       {Opd::kDst, 64},
                                                       {Opd::kN0, 1500},
                                                       {Opd::kN1, 1},
                                                       {Opd::kN2, 1},
                                                       {Opd::kParams, kParams}});
  expect_same(i, Rounding::kTfliteDouble, m, "in place");
}

isa::Instruction random_pool(Draw& draw, Opcode opcode) {
  const std::int64_t type = draw(0, 3);
  const std::int64_t c = draw.chance(8) ? 600 : draw(1, 40);
  const std::int64_t in_w = draw(1, 8);
  const std::int64_t pixel = c * kBytes[type] + draw(0, 3);
  const std::int64_t out_w = draw(1, 5);
  const std::int64_t dst_pixel = c * kBytes[type] + draw(0, 3);
  const std::int64_t low = draw(-300, 100);
  // The first window starts within its own kernel of the input, and later ones do not leave it:
  // some tap is valid.
  const std::int64_t kernel = draw(1, 5);
  return test::make(opcode, {{Opd::kX, draw(0, 99)},
                             {Opd::kDst, kDst},
                             {Opd::kRowStride, pixel * in_w + draw(0, 3)},
                             {Opd::kPixelStride, pixel},
                             {Opd::kInH, 8},
                             {Opd::kInW, in_w},
                             {Opd::kY0, draw(1 - kernel, 1)},
                             {Opd::kX0, draw(1 - kernel, 0)},
                             {Opd::kKernelH, kernel},
                             {Opd::kKernelW, kernel},
                             {Opd::kStrideH, draw(1, 2)},
                             {Opd::kStrideW, out_w > in_w ? 0 : 1},
                             {Opd::kOutH, draw(1, 3)},
                             {Opd::kOutW, out_w},
                             {Opd::kOutC, c},
                             {Opd::kDstRowStride, dst_pixel * out_w + draw(0, 3)},
                             {Opd::kDstPixelStride, dst_pixel},
                             {Opd::kInType, type},
                             {Opd::kClampMin, low},
                             {Opd::kClampMax, low + draw(0, 400)}});
}

TEST(VectorExec, Pooling) {
  Draw draw(26);
  const Memories m = draw.memories(1 << 18, 16);
  for (int n = 0; n < 400; ++n) {
    expect_same(random_pool(draw, n % 2 == 0 ? Opcode::kMaxPool : Opcode::kAvgPool),
                Rounding::kTfliteDouble, m, "case " + std::to_string(n));
  }
}

TEST(VectorExec, ReduceSum) {
  Draw draw(27);
  const Memories m = draw.memories(1 << 18, 1 << 16);
  for (int n = 0; n < 300; ++n) {
    const std::int64_t type = draw(0, 3);
    const std::int64_t n0 = draw.chance(8) ? 1100 : draw(1, 40);
    const std::int64_t step = draw.chance(3) ? draw(-9, 9) : kBytes[type];
    expect_same(test::make(Opcode::kReduceSum, {{Opd::kSrc, 20000 + draw(0, 99)},
                                                {Opd::kAcc, draw(0, 99)},
                                                {Opd::kAccPitch, n0 + draw(0, 3)},
                                                {Opd::kN0, n0},
                                                {Opd::kSrcStep0, step},
                                                {Opd::kRows, draw(1, 5)},
                                                {Opd::kSrcStride1, draw(-200, 900)},
                                                {Opd::kR1, draw(1, 6)},
                                                {Opd::kRStride1, draw(-200, 200)},
                                                {Opd::kR2, draw(1, 4)},
                                                {Opd::kRStride2, draw(-200, 200)},
                                                {Opd::kInType, type},
                                                {Opd::kAccumulate, draw(0, 1)}}),
                Rounding::kTfliteDouble, m, "case " + std::to_string(n));
  }
}

TEST(VectorExec, Dot) {
  Draw draw(28);
  const Memories m = draw.memories(1 << 18, 1 << 16);
  for (int n = 0; n < 300; ++n) {
    expect_same(test::make(Opcode::kDot, {{Opd::kA, 3000 + draw(0, 99)},
                                          {Opd::kB, kSecond + draw(0, 99)},
                                          {Opd::kAcc, draw(0, 99)},
                                          {Opd::kRows, draw(1, 20)},
                                          {Opd::kN0, draw.chance(8) ? 1300 : draw(1, 70)},
                                          {Opd::kAStride1, draw(-100, 300)},
                                          {Opd::kBStride1, draw(0, 300)},
                                          {Opd::kAZero, draw(-128, 127)},
                                          {Opd::kBZero, draw(-128, 127)},
                                          {Opd::kAType, draw(0, 3)},
                                          {Opd::kBType, draw(0, 3)},
                                          {Opd::kAccumulate, draw(0, 1)}}),
                Rounding::kTfliteDouble, m, "case " + std::to_string(n));
  }
}

TEST(VectorExec, Softmax) {
  Draw draw(29);
  for (int n = 0; n < 200; ++n) {
    Memories m = draw.memories(1 << 18, 16);
    const std::int64_t in_type = draw(0, 2);
    const std::int64_t out_type = draw(0, 2);
    const std::int64_t n0 = draw.chance(10) ? 2000 : draw(1, 60);
    const std::int64_t left = in_type == 2 ? draw(8, 14) : draw(20, 23);
    put_words(m, kParams, {multiplier(draw), left, -((std::int64_t{31} << 26) >> left)});
    expect_same(
        test::make(Opcode::kSoftmax, {{Opd::kSrc, draw(0, 99)},
                                      {Opd::kDst, kDst + draw(0, 9)},
                                      {Opd::kParams, kParams},
                                      {Opd::kRows, draw(1, 3)},
                                      {Opd::kN0, n0},
                                      {Opd::kSrcStride1, n0 * kBytes[in_type] + draw(0, 3)},
                                      {Opd::kDstStride1, n0 * kBytes[out_type] + draw(0, 3)},
                                      {Opd::kInType, in_type},
                                      {Opd::kOutType, out_type}}),
        Rounding::kTfliteDouble, m, "case " + std::to_string(n));
  }
}

TEST(VectorExec, SoftmaxOfARowTooLongForItsSumSaturates) {
  constexpr std::int64_t kLength = 20000;
  Memories m;
  m.scratchpad.assign(kDst + kLength, std::byte{5});
  put_words(m, kParams, {1 << 30, 20, -1000});
  const isa::Instruction i = test::make(Opcode::kSoftmax, {{Opd::kSrc, 0},
                                                           {Opd::kDst, kDst},
                                                           {Opd::kParams, kParams},
                                                           {Opd::kRows, 1},
                                                           {Opd::kN0, kLength},
                                                           {Opd::kSrcStride1, 0},
                                                           {Opd::kDstStride1, 0}});
  execute_vector(i, 0, Rounding::kTfliteDouble, m.scratchpad, m.accumulator);
  EXPECT_EQ(static_cast<std::int8_t>(m.scratchpad[kDst]), -128);
}

template <typename Call>
std::string fault_of(Call call) {
  try {
    call();
  } catch (const RunFault& fault) {
    return fault.what();
  }
  return "no fault";
}

TEST(VectorExec, FaultsNameTheInstruction) {
  Draw draw(30);
  Memories m = draw.memories(1 << 18, 64);
  const auto run = [&](const isa::Instruction& i) {
    return fault_of(
        [&] { execute_vector(i, 7, Rounding::kTfliteDouble, m.scratchpad, m.accumulator); });
  };
  isa::Instruction pool = random_pool(draw, Opcode::kAvgPool);
  pool.set(Opd::kY0, 100);
  EXPECT_EQ(run(pool), "instruction 7: vec.avg_pool: output (0, 0) averages over no valid tap");
  put_words(m, kParams, {0, 32, 32});
  isa::Instruction add = test::make(
      Opcode::kAdd, {{Opd::kParams, kParams}, {Opd::kN0, 1}, {Opd::kN1, 1}, {Opd::kN2, 1}});
  EXPECT_EQ(run(add), "instruction 7: vec.add: left_shift in params must be 0 to 31, got 32");
  isa::Instruction softmax =
      test::make(Opcode::kSoftmax, {{Opd::kParams, kParams}, {Opd::kN0, 1}, {Opd::kRows, 1}});
  EXPECT_EQ(run(softmax),
            "instruction 7: vec.softmax: left shift in params must be 0 to 31, got 32");
}

}  // namespace
}  // namespace npu::compute
