#include <gtest/gtest.h>

#include <string>

#include "sim/base/error.h"
#include "sim/base/half.h"
#include "sim/compute/float_format.h"
#include "sim/compute/map_functions.h"
#include "sim/compute/vector_exec.h"
#include "sim/compute/vector_work.h"
#include "tests/unit/compute/float_interpreter.h"
#include "tests/unit/compute/random_floats.h"

namespace npu::compute {
namespace {

using isa::Opcode;
using isa::Opd;
using test::bits_of;
using test::bytes_of;
using test::Draw;
using test::fill_values;
using test::Memories;

constexpr std::int64_t kSecond = 1 << 14, kParams = 1 << 15, kDst = 1 << 16, kBytes = 1 << 17;

/// Unit and interpreter leave the same bytes; what they touch lies in the streams' extents.
void expect_same(const isa::Instruction& i, const Memories& before, const std::string& what) {
  Memories expected = before;
  test::interpret(i, Rounding::kTfliteDouble, expected);
  Memories actual = before;
  const VectorWork work = describe_vector(i, 0);
  for (std::size_t s = 0; s < work.stream_count; ++s) {
    const Stream& stream = work.streams[s];
    const auto& memory =
        stream.memory == isa::Memory::kScratchpad ? before.scratchpad : before.accumulator;
    ASSERT_NO_THROW(check_extent(i, 0, stream.operand, stream.extent,
                                 static_cast<std::int64_t>(memory.size())));
  }
  execute_vector(i, 0, Rounding::kTfliteDouble, actual.scratchpad, actual.accumulator);
  for (std::size_t b = 0; b < actual.scratchpad.size(); ++b) {
    ASSERT_EQ(actual.scratchpad[b], expected.scratchpad[b]) << what << ", byte " << b;
  }
  ASSERT_TRUE(actual.accumulator == expected.accumulator) << what;
}

TEST(FloatFormat, EveryHalfAndBfloatIsExactAndComesBack) {
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto b = static_cast<std::uint16_t>(bits);
    const float half = half_to_float(b);
    const float bfloat = bfloat_to_float(b);
    ASSERT_EQ(std::isnan(half), std::isnan(test::decode(bits, 4)));
    if (std::isnan(half)) {
      ASSERT_EQ(half_bits(half), 0x7e00);
    } else {
      ASSERT_EQ(half, test::decode(bits, 4));
      ASSERT_EQ(half_bits(half), b);
    }
    if (std::isnan(bfloat)) {
      ASSERT_EQ(bfloat_bits(bfloat), 0x7fc0);
    } else {
      ASSERT_EQ(bfloat, test::decode(bits, 5));
      ASSERT_EQ(bfloat_bits(bfloat), b);
    }
  }
}

TEST(FloatFormat, NarrowsToNearestEven) {
  Draw draw(71);
  for (int n = 0; n < 300'000; ++n) {
    auto bits = static_cast<std::uint32_t>(draw(0, UINT32_MAX));
    if (n % 3 == 0) bits = (bits & 0x807fffffU) | static_cast<std::uint32_t>(draw(100, 145)) << 23;
    if (n % 2 == 0) bits &= 0xfffff000U;                    // halfway between two halfs is frequent
    if (n % 5 == 0) bits = (bits & 0xffff0000U) | 0x8000U;  // … two bfloats
    const auto value = std::bit_cast<float>(bits);
    ASSERT_EQ(half_bits(value), test::encode(value, 4)) << value;
    ASSERT_EQ(bfloat_bits(value), test::encode(value, 5)) << value;
  }
  EXPECT_EQ(half_bits(65519.99F), 0x7bff);
  EXPECT_EQ(half_bits(65520.0F), 0x7c00);
  EXPECT_EQ(half_bits(0x1p-25F), 0);
  EXPECT_EQ(half_bits(0x1.000002p-25F), 1);
}

TEST(FloatFormat, IntegersRoundOnceToNarrowFormats) {
  Draw draw(72);
  for (int n = 0; n < 100'000; ++n) {
    const std::int64_t v = draw(INT64_MIN, INT64_MAX) >> draw(0, 63);
    ASSERT_EQ(bfloat_bits(odd_float_of(v)), test::encode(static_cast<long double>(v), 5)) << v;
    ASSERT_EQ(half_bits(odd_float_of(v)), test::encode(static_cast<long double>(v), 4)) << v;
  }
}

/// A type that the function takes; immediates that it can use.
isa::Instruction random_map(Draw& draw, MapFunction f) {
  const std::int64_t last = takes_integers_only(f) ? 3 : 6;
  const std::int64_t a_type = draw(0, last);
  const std::int64_t b_type = draw.chance(2) ? a_type : draw(0, last);
  const std::int64_t out_type = draw.chance(2) ? a_type : draw(0, 6);
  const std::int64_t n0 = draw.chance(10) ? draw(500, 1100) : draw(1, 40);
  const std::int64_t n1 = n0 > 100 ? 1 : draw(1, 4);
  const std::int64_t n2 = n0 > 100 ? 1 : draw(1, 3);
  isa::Instruction i = test::make(Opcode::kMap, {{Opd::kN0, n0},
                                                 {Opd::kN1, n1},
                                                 {Opd::kN2, n2},
                                                 {Opd::kAType, a_type},
                                                 {Opd::kBType, b_type},
                                                 {Opd::kOutType, out_type},
                                                 {Opd::kFunction, static_cast<std::int64_t>(f)},
                                                 {Opd::kBImmediate, draw.chance(4) ? 1 : 0}});
  const auto space = [&](Opd base, Opd step, Opd stride1, Opd stride2, std::int64_t type,
                         std::int64_t at, bool is_source) {
    std::int64_t s0 = bytes_of(type) + (draw.chance(4) ? draw(0, 3) : 0);
    if (is_source && draw.chance(5)) s0 = 0;
    std::int64_t s1 = s0 * n0 + (draw.chance(3) ? draw(0, 5) : 0);
    if (is_source && draw.chance(5)) s1 = 0;
    std::int64_t s2 = std::max<std::int64_t>(s1 * n1, s0 * n0);
    if (draw.chance(6)) {
      at += s0 * (n0 - 1);
      s0 = -s0;
    }
    i.set(base, at);
    i.set(step, s0);
    i.set(stride1, s1);
    i.set(stride2, s2);
  };
  space(Opd::kA, Opd::kAStep0, Opd::kAStride1, Opd::kAStride2, a_type, draw(0, 3), true);
  space(Opd::kB, Opd::kBStep0, Opd::kBStride1, Opd::kBStride2, b_type, kSecond + draw(0, 3), true);
  space(Opd::kDst, Opd::kDstStep0, Opd::kDstStride1, Opd::kDstStride2, out_type, kDst + draw(0, 3),
        false);
  const bool integers = a_type < 4 && !is_real_function(f);
  const auto number = [&] { return static_cast<float>(draw(-64, 64)) / 16.0F; };
  std::int64_t imm0 = integers ? draw(-100, 100) & 0xffffffff : bits_of(number());
  std::int64_t imm1 = integers ? draw(0, 100) : bits_of(number());
  if (f == MapFunction::kQuantize || f == MapFunction::kDequantize) {
    imm0 = bits_of(static_cast<float>(draw(1, 1000)) / 1024.0F);
    imm1 = draw(-128, 127) & 0xffffffff;
  }
  i.set(Opd::kImm0, imm0);
  i.set(Opd::kImm1, imm1);
  return i;
}

TEST(FloatVector, EveryFunctionOnRandomTypesAndStrides) {
  Draw draw(73);
  const Memories random = draw.memories(kBytes, 16);
  for (std::size_t f = 0; f < kMapFunctions; ++f) {
    const auto function = static_cast<MapFunction>(f);
    for (int n = 0; n < 40; ++n) {
      Memories m = random;
      const isa::Instruction i = random_map(draw, function);
      if (n % 4 != 0) {  // otherwise any bits
        fill_values(draw, m.scratchpad, i[Opd::kA] % 4, 1200, i[Opd::kAType]);
        fill_values(draw, m.scratchpad, kSecond + i[Opd::kB] % 4, 1200, i[Opd::kBType]);
        fill_values(draw, m.scratchpad, kDst + i[Opd::kDst] % 4, 1200, i[Opd::kOutType]);
      }
      if ((function == MapFunction::kPow || function == MapFunction::kIntegerSqrt) &&
          i[Opd::kAType] < 4) {  // small enough for a loop
        for (std::int64_t at = 0; at < kParams; ++at) {
          m.scratchpad[static_cast<std::size_t>(at)] = std::byte(draw(0, 5));
        }
        if (i[Opd::kAType] == 3 || i[Opd::kBType] == 3) continue;
      }
      expect_same(i, m, std::string(name_of(function)) + ", case " + std::to_string(n));
      if (HasFatalFailure()) return;
    }
  }
}

TEST(FloatVector, Reductions) {
  Draw draw(74);
  const Memories random = draw.memories(kBytes, 16);
  for (int n = 0; n < 700; ++n) {
    Memories m = random;
    const std::int64_t function = n % 7;
    const std::int64_t in = draw(0, 6);
    const std::int64_t out = function >= 5 ? 3 : draw.chance(2) ? in : draw(0, 6);
    const std::int64_t in_bytes = bytes_of(in);
    const std::int64_t out_bytes = bytes_of(out);
    const bool across = draw.chance(2);  // outputs are neighbours in memory, not elements
    const std::int64_t n0 = draw.chance(10) ? (across ? 9 : 1100) : draw(1, 12);
    const std::int64_t n1 = draw.chance(10) ? (across ? 600 : 3) : draw(1, 20);
    const std::int64_t r1 = n0 * n1 > 400 ? 1 : draw(1, 4);
    const std::int64_t step = across ? in_bytes * n1 : in_bytes + (draw.chance(3) ? 1 : 0);
    const std::int64_t stride1 = across ? in_bytes : step * n0;
    fill_values(draw, m.scratchpad, 0, 4000, in, n % 3 == 0);
    fill_values(draw, m.scratchpad, kDst, 3000, out, n % 3 == 0);
    expect_same(test::make(Opcode::kReduce, {{Opd::kSrc, 0},
                                             {Opd::kDst, kDst},
                                             {Opd::kN0, n0},
                                             {Opd::kR1, r1},
                                             {Opd::kN1, n1},
                                             {Opd::kN2, n0 * n1 > 400 ? 1 : draw(1, 3)},
                                             {Opd::kSrcStep0, step},
                                             {Opd::kRStride1, n0 * n1 * in_bytes},
                                             {Opd::kSrcStride1, stride1},
                                             {Opd::kSrcStride2, n0 * n1 * r1 * in_bytes},
                                             {Opd::kDstStride1, out_bytes},
                                             {Opd::kDstStride2, out_bytes * n1},
                                             {Opd::kInType, in},
                                             {Opd::kOutType, out},
                                             {Opd::kFunction, function},
                                             {Opd::kAccumulate, function < 5 ? draw(0, 1) : 0}}),
                m, "case " + std::to_string(n));
    if (HasFatalFailure()) return;
  }
}

TEST(FloatVector, ASumKeepsItsOrderWhicheverWayTheOutputsLie) {
  // 2^24 + 1 - 2^24 is 0 in this order and 1 in another.
  Memories m;
  m.scratchpad.assign(64, std::byte{0});
  const float values[] = {0x1p24F, 1.0F, -0x1p24F};
  std::memcpy(m.scratchpad.data(), values, sizeof values);
  const isa::Instruction i = test::make(Opcode::kReduce, {{Opd::kDst, 32},
                                                          {Opd::kN0, 3},
                                                          {Opd::kR1, 1},
                                                          {Opd::kN1, 1},
                                                          {Opd::kN2, 1},
                                                          {Opd::kSrcStep0, 4},
                                                          {Opd::kInType, 6},
                                                          {Opd::kOutType, 6}});
  execute_vector(i, 0, Rounding::kTfliteDouble, m.scratchpad, m.accumulator);
  EXPECT_EQ(load<float>(m.scratchpad.data() + 32), 0.0F);
}

TEST(FloatVector, Outputs) {
  Draw draw(75);
  const Memories random = draw.memories(kBytes, 1 << 15);
  for (int n = 0; n < 500; ++n) {
    Memories m = random;
    const std::int64_t in = draw.chance(2) ? 3 : 6;
    const bool raw = draw.chance(6);
    const bool accumulate = !raw && draw.chance(4);
    const std::int64_t out = raw ? in : accumulate ? 6 : draw(0, 6);
    const std::int64_t c = draw.chance(10) ? draw(500, 1100) : draw(1, 40);
    const std::int64_t h = c > 100 ? 1 : draw(1, 4);
    const std::int64_t w = c > 100 ? 2 : draw(1, 5);
    const std::int64_t pixel = c * bytes_of(out) + draw(0, 3);
    const bool extremes = n % 3 == 0;
    if (in == 6) fill_values(draw, m.accumulator, 0, 1 << 12, 6, extremes);
    fill_values(draw, m.scratchpad, kParams, 2300, 6, extremes);
    fill_values(draw, m.scratchpad, kSecond, 100, 6, extremes);
    if (accumulate) fill_values(draw, m.scratchpad, kDst, 3000, 6, extremes);
    const float low = draw.chance(2) ? -std::numeric_limits<float>::infinity() : -100.0F;
    const float high = draw.chance(2) ? std::numeric_limits<float>::infinity() : 60.5F;
    const auto word = [](float v) {
      return std::int64_t{static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(v))};
    };
    expect_same(test::make(Opcode::kOutput, {{Opd::kAcc, 4 * draw(0, 3)},
                                             {Opd::kDst, kDst},
                                             {Opd::kParams, kParams},
                                             {Opd::kRowsAt, kSecond},
                                             {Opd::kAccPitch, c + draw(0, 3)},
                                             {Opd::kOutH, h},
                                             {Opd::kOutW, w},
                                             {Opd::kOutC, c},
                                             {Opd::kDstRowStride, pixel * w + draw(0, 3)},
                                             {Opd::kDstPixelStride, pixel},
                                             {Opd::kInType, in},
                                             {Opd::kOutType, out},
                                             {Opd::kPerChannel, draw(0, 1)},
                                             {Opd::kScaleRows, draw(0, 1)},
                                             {Opd::kAccumulate, accumulate ? 1 : 0},
                                             {Opd::kRaw, raw ? 1 : 0},
                                             {Opd::kOutZero, draw(-128, 127)},
                                             {Opd::kClampMin, word(low)},
                                             {Opd::kClampMax, word(high)}}),
                m, "case " + std::to_string(n));
    if (HasFatalFailure()) return;
  }
}

isa::Instruction random_pool(Draw& draw, Opcode opcode, std::int64_t type) {
  const std::int64_t c = draw.chance(8) ? 600 : draw(1, 40);
  const std::int64_t in_w = draw(1, 6);
  const std::int64_t pixel = c * bytes_of(type) + draw(0, 3);
  const std::int64_t out_w = draw(1, 5);
  const std::int64_t dst_pixel = c * bytes_of(type) + draw(0, 3);
  const std::int64_t kernel = draw(1, 4);
  const auto word = [](float v) {
    return std::int64_t{static_cast<std::int32_t>(std::bit_cast<std::uint32_t>(v))};
  };
  return test::make(opcode, {{Opd::kX, draw(0, 3)},
                             {Opd::kDst, kDst},
                             {Opd::kRowStride, pixel * in_w + draw(0, 3)},
                             {Opd::kPixelStride, pixel},
                             {Opd::kInH, 4},
                             {Opd::kInW, in_w},
                             {Opd::kY0, draw(1 - kernel, 1)},
                             {Opd::kX0, draw(1 - kernel, 0)},
                             {Opd::kKernelH, kernel},
                             {Opd::kKernelW, kernel},
                             {Opd::kStrideH, 1},
                             {Opd::kStrideW, out_w > in_w ? 0 : 1},
                             {Opd::kOutH, draw(1, 3)},
                             {Opd::kOutW, out_w},
                             {Opd::kOutC, c},
                             {Opd::kDstRowStride, dst_pixel * out_w + draw(0, 3)},
                             {Opd::kDstPixelStride, dst_pixel},
                             {Opd::kInType, type},
                             {Opd::kClampMin, word(draw.chance(2) ? -HUGE_VALF : 0.0F)},
                             {Opd::kClampMax, word(draw.chance(2) ? HUGE_VALF : 6.0F)}});
}

TEST(FloatVector, Pooling) {
  Draw draw(76);
  const Memories random = draw.memories(kBytes, 16);
  for (int n = 0; n < 200; ++n) {
    Memories m = random;
    const std::int64_t type = draw(4, 6);
    const isa::Instruction i =
        random_pool(draw, n % 2 == 0 ? Opcode::kMaxPool : Opcode::kAvgPool, type);
    fill_values(draw, m.scratchpad, i[Opd::kX], 15000, type, n % 3 == 0);
    expect_same(i, m, "case " + std::to_string(n));
    if (HasFatalFailure()) return;
  }
}

TEST(FloatVector, AnAverageOverNoTapNamesTheInstruction) {
  Draw draw(77);
  Memories m = draw.memories(kBytes, 16);
  isa::Instruction i = random_pool(draw, Opcode::kAvgPool, 4);
  i.set(Opd::kY0, 100);
  try {
    execute_vector(i, 7, Rounding::kTfliteDouble, m.scratchpad, m.accumulator);
    FAIL();
  } catch (const RunFault& fault) {
    EXPECT_STREQ(fault.what(),
                 "instruction 7: vec.avg_pool: output (0, 0) averages over no valid tap");
  }
}

}  // namespace
}  // namespace npu::compute
