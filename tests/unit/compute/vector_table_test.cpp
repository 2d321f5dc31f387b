// vec.interpolate and vec.softmax_table against their formulas, element by element.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "sim/base/error.h"
#include "sim/compute/vector_exec.h"
#include "sim/compute/vector_work.h"
#include "tests/unit/compute/random_operands.h"

namespace npu::compute {
namespace {

using isa::Opcode;
using isa::Opd;
using test::Draw;
using test::Memories;

constexpr std::int64_t kParams = 1 << 16, kTable = kParams + 64, kDst = 1 << 17;

template <typename T>
T at(const Memories& m, std::int64_t address) {
  return load<T>(m.scratchpad.data() + address);
}
void put_words(Memories& m, std::initializer_list<std::int64_t> words) {
  std::int64_t address = kParams;
  for (const std::int64_t w : words) {
    store(m.scratchpad.data() + address, static_cast<std::int32_t>(w));
    address += 4;
  }
}

/// floor(a / 2^n) for either sign.
std::int64_t shifted(std::int64_t a, std::int64_t n) { return a >> n; }

std::int16_t interpolated(const Memories& m, std::int16_t q) {
  const auto word = [&](std::int64_t i) -> std::int64_t {
    return at<std::int32_t>(m, kParams + 4 * i);
  };
  std::int64_t p = std::int64_t{q} * word(0);
  if (word(1) > 0) p += std::int64_t{1} << (word(1) - 1);
  p = shifted(p, word(1));
  const std::int64_t u = p < 0 ? -p : p;
  const std::int64_t spacing = std::int64_t{1} << word(2);
  std::int64_t r = word(3) * spacing;
  if (u / spacing < 255) {
    const auto i = static_cast<std::int64_t>(u / spacing);
    const std::int64_t from = at<std::uint16_t>(m, kTable + 2 * i);
    const std::int64_t to = at<std::uint16_t>(m, kTable + 2 * i + 2);
    r = from * spacing + (u % spacing) * (to - from);
  }
  const std::int64_t y = shifted(p >= 0 ? word(4) + r : word(5) - r, word(6));
  return static_cast<std::int16_t>(std::clamp<std::int64_t>(y, -32768, 32767));
}

TEST(VectorInterpolate, FollowsItsFormula) {
  Draw draw(41);
  for (int n = 0; n < 300; ++n) {
    Memories m = draw.memories(1 << 18, 16);
    const bool wild = draw.chance(4);
    const std::int64_t fraction = wild ? draw(0, 31) : draw(6, 11);
    put_words(
        m, {draw(wild ? INT32_MIN : 1, wild ? INT32_MAX : 32767), wild ? draw(0, 31) : draw(0, 6),
            fraction, draw(0, 65535), draw(INT32_MIN, INT32_MAX), draw(INT32_MIN, INT32_MAX),
            wild ? draw(0, 31) : draw(8, 12)});
    const std::int64_t n0 = draw.chance(8) ? 1200 : draw(1, 60);
    const std::int64_t n1 = draw(1, 4);
    const std::int64_t n2 = draw(1, 3);
    const std::int64_t s1 = 2 * n0 + draw(0, 5);
    const std::int64_t s2 = -(s1 * n1 + draw(0, 5));
    const isa::Instruction i =
        test::make(Opcode::kInterpolate, {{Opd::kSrc, draw(0, 9) - s2 * (n2 - 1)},
                                          {Opd::kDst, kDst - s2 * (n2 - 1)},
                                          {Opd::kParams, kParams},
                                          {Opd::kTable, kTable},
                                          {Opd::kN0, n0},
                                          {Opd::kN1, n1},
                                          {Opd::kN2, n2},
                                          {Opd::kSrcStride1, s1},
                                          {Opd::kSrcStride2, s2},
                                          {Opd::kDstStride1, s1},
                                          {Opd::kDstStride2, s2}});
    Memories expected = m;
    for (std::int64_t i2 = 0; i2 < n2; ++i2) {
      for (std::int64_t i1 = 0; i1 < n1; ++i1) {
        for (std::int64_t i0 = 0; i0 < n0; ++i0) {
          const std::int64_t offset = i1 * s1 + i2 * s2 + 2 * i0;
          store(expected.scratchpad.data() + i[Opd::kDst] + offset,
                interpolated(m, at<std::int16_t>(m, i[Opd::kSrc] + offset)));
        }
      }
    }
    execute_vector(i, 0, Rounding::kFloatRne, m.scratchpad, m.accumulator);
    ASSERT_TRUE(m.scratchpad == expected.scratchpad) << n;
  }
}

TEST(VectorInterpolate, FaultsNameTheWord) {
  Memories m;
  m.scratchpad.resize(1 << 18);
  const auto fault = [&](std::initializer_list<std::int64_t> words) -> std::string {
    put_words(m, words);
    const isa::Instruction i = test::make(Opcode::kInterpolate, {{Opd::kParams, kParams},
                                                                 {Opd::kTable, kTable},
                                                                 {Opd::kDst, kDst},
                                                                 {Opd::kN0, 1},
                                                                 {Opd::kN1, 1},
                                                                 {Opd::kN2, 1}});
    try {
      execute_vector(i, 7, Rounding::kTfliteDouble, m.scratchpad, m.accumulator);
    } catch (const RunFault& f) {
      return f.what();
    }
    return "no fault";
  };
  const std::string start = "instruction 7: vec.interpolate: ";
  EXPECT_EQ(fault({1, 32, 0, 0, 0, 0, 0}), start + "shift in params must be 0 to 31, got 32");
  EXPECT_EQ(fault({1, 0, -1, 0, 0, 0, 0}), start + "fraction in params must be 0 to 31, got -1");
  EXPECT_EQ(fault({1, 0, 0, 0, 0, 0, 32}), start + "out_shift in params must be 0 to 31, got 32");
  EXPECT_EQ(fault({1, 31, 31, 0, 0, 0, 31}), "no fault");
}

/// t[i] + (rise · (v mod 128) + 64) / 128 rounded down, i = 256 + floor(v / 128).
std::int64_t looked_up(const Memories& m, std::int64_t table, std::int64_t v) {
  const std::int64_t i = (v + 32768) / 128;
  const std::int64_t from = at<std::int16_t>(m, table + 2 * i);
  const std::int64_t rise = at<std::int16_t>(m, table + 2 * i + 2) - from;
  return from + ((rise * ((v + 32768) % 128) + 64) >> 7);
}

TEST(VectorSoftmaxTable, FollowsItsFormula) {
  Draw draw(42);
  for (int n = 0; n < 200; ++n) {
    Memories m = draw.memories(1 << 18, 16);
    const std::int64_t multiplier = draw(1 << 30, INT32_MAX);
    const std::int64_t shift = draw(-4, 6);
    put_words(m, {multiplier, shift});
    const std::int64_t n0 = draw.chance(10) ? 3000 : draw(1, 40);
    const std::int64_t rows = draw(1, 3);
    const std::int64_t stride = 2 * n0 + draw(0, 3);
    Memories expected = m;
    for (std::int64_t r = 0; r < rows; ++r) {
      std::int64_t largest = INT16_MIN;
      for (std::int64_t k = 0; k < n0; ++k)
        largest = std::max<std::int64_t>(largest, at<std::int16_t>(m, r * stride + 2 * k));
      std::vector<std::int64_t> e;
      std::int64_t sum = 0;
      for (std::int64_t k = 0; k < n0; ++k) {
        const std::int64_t d = at<std::int16_t>(m, r * stride + 2 * k) - largest;
        const std::int64_t x =
            rescale(static_cast<std::int32_t>(d),
                    {static_cast<std::int32_t>(multiplier), static_cast<std::int32_t>(shift)},
                    Rounding::kTfliteDouble);
        e.push_back(looked_up(m, kTable, std::clamp<std::int64_t>(x + 32767, -32768, 32767)));
        sum += e.back();
      }
      sum = std::clamp<std::int64_t>(sum, 1, INT32_MAX);
      int exponent = 0;
      while (sum >> (exponent + 1) != 0) ++exponent;
      const std::int64_t mantissa = ((sum << (30 - exponent)) + 8192) / 16384;
      const std::int64_t q =
          looked_up(m, kTable + 1026, std::min<std::int64_t>(mantissa - 98304, 32767));
      for (std::int64_t k = 0; k < n0; ++k) {
        std::int64_t y = e[static_cast<std::size_t>(k)] * q;
        if (exponent > 0) y = (y + (std::int64_t{1} << (exponent - 1))) >> exponent;
        store(expected.scratchpad.data() + kDst + r * stride + 2 * k,
              static_cast<std::int16_t>(std::clamp<std::int64_t>(y, 0, 32767)));
      }
    }
    execute_vector(test::make(Opcode::kSoftmaxTable, {{Opd::kSrc, 0},
                                                      {Opd::kDst, kDst},
                                                      {Opd::kParams, kParams},
                                                      {Opd::kTable, kTable},
                                                      {Opd::kRows, rows},
                                                      {Opd::kN0, n0},
                                                      {Opd::kSrcStride1, stride},
                                                      {Opd::kDstStride1, stride}}),
                   0, Rounding::kTfliteSingle, m.scratchpad, m.accumulator);
    ASSERT_TRUE(m.scratchpad == expected.scratchpad) << n;
  }
}

TEST(VectorTable, CountsTheBytesItMoves) {
  const VectorWork curve = describe_vector(
      test::make(Opcode::kInterpolate, {{Opd::kN0, 10}, {Opd::kN1, 3}, {Opd::kN2, 2}}), 0);
  EXPECT_EQ(curve.elements, 60);
  EXPECT_EQ(curve.steps, 2);
  ASSERT_EQ(curve.stream_count, 4U);
  EXPECT_EQ(curve.streams[0].bytes + curve.streams[1].bytes, 240);
  EXPECT_EQ(curve.streams[2].bytes, 28);
  EXPECT_EQ(curve.streams[3].bytes, 512);
  const VectorWork softmax =
      describe_vector(test::make(Opcode::kSoftmaxTable, {{Opd::kRows, 5}, {Opd::kN0, 10}}), 0);
  EXPECT_EQ(softmax.elements, 50);
  ASSERT_EQ(softmax.stream_count, 4U);
  EXPECT_EQ(softmax.streams[0].bytes, 300);
  EXPECT_EQ(softmax.streams[1].bytes, 8);
  EXPECT_EQ(softmax.streams[2].bytes, 2052);
  EXPECT_EQ(softmax.streams[3].bytes, 100);
}

}  // namespace
}  // namespace npu::compute
