#include "isa/footprint.h"

#include <gtest/gtest.h>

#include <random>

#include "isa/encoding.h"
#include "sim/base/function.h"
#include "tests/unit/isa/interpreter.h"

namespace npu::isa {
namespace {

using test::Bytes;
using test::Interpreter;

Bytes bytes_of(const std::vector<Region>& regions) {
  Bytes set;
  for (const Region& r : regions) {
    for (std::int64_t i2 = 0; i2 < r.count[2]; ++i2) {
      for (std::int64_t i1 = 0; i1 < r.count[1]; ++i1) {
        for (std::int64_t i0 = 0; i0 < r.count[0]; ++i0) {
          const std::int64_t base = r.base + i0 * r.stride[0] + i1 * r.stride[1] + i2 * r.stride[2];
          EXPECT_GE(base, r.low());
          EXPECT_LE(base + r.run, r.high());
          for (std::int64_t b = 0; b < r.run; ++b) set.emplace(r.memory, base + b);
        }
      }
    }
  }
  return set;
}

/// Values small enough for the interpreter: addresses to 4000, counts to 4, strides to 40 with the
/// sign the field has.
Instruction small_instruction(Opcode opcode, std::mt19937& rng) {
  const auto pick = [&rng](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution(low, high)(rng);
  };
  Instruction in;
  in.opcode = opcode;
  const InstrSpec& spec = spec_of(opcode);
  for (std::size_t f = 0; f < spec.field_count; ++f) {
    const Field& field = spec.fields[f];
    const std::string_view name = name_of(field.opd);
    std::int64_t& value = in.values[f];
    if (field.opd <= Opd::kTable || field.opd == Opd::kRowsAt) {
      value = pick(0, 4000);
    } else if (name.ends_with("_type")) {
      value = pick(0, std::int64_t{kElementTypes} - 1);
    } else if (field.opd == Opd::kFunction) {
      value = pick(0, opcode == Opcode::kMap ? std::int64_t{kMapFunctions} - 1
                                             : std::int64_t{kReduceFunctions} - 1);
    } else if (field.opd == Opd::kElementBytes) {
      value = std::int64_t{1} << pick(0, 2);
    } else if (name.find("stride") != std::string_view::npos && field.opd != Opd::kStrideH &&
               field.opd != Opd::kStrideW) {
      value = pick(0, 3) == 0 ? pick(0, 4) * 4 : pick(field.is_signed ? -40 : 0, 40);
    } else if (name.find("step") != std::string_view::npos && !name.starts_with("patch")) {
      value = pick(-6, 6);
    } else if (field.opd == Opd::kY0 || field.opd == Opd::kX0) {
      value = pick(-5, 5);
    } else if (field.width == 1) {
      value = pick(0, 1);
    } else if (field.opd == Opd::kInH || field.opd == Opd::kInW) {
      value = pick(1, 12);
    } else {
      value = pick(1, 4);
    }
  }
  return in;
}

TEST(Footprint, EqualsTheSemanticsOnRandomSmallInstructions) {
  std::mt19937 rng(42);
  for (const InstrSpec& spec : instruction_table()) {
    for (int i = 0; i < 400; ++i) {
      const Instruction in = small_instruction(spec.opcode, rng);
      const Footprint found = footprint(in);
      const Interpreter expected(in);
      ASSERT_EQ(bytes_of(found.reads), expected.reads) << disassemble(in);
      ASSERT_EQ(bytes_of(found.writes), expected.writes) << disassemble(in);
    }
  }
}

Footprint of(const char* text) { return footprint(assemble(text, "p.s").front()); }

TEST(Footprint, DenseTilesAreOneRun) {
  const Footprint f =
      of("mac.conv x=0x100 w=0x2000 acc=0x40 row_stride=256 pixel_stride=8 w_stride=72 "
         "acc_pitch=16 in_h=10 in_w=32 y0=0 x0=-1 "
         "kernel_h=3 kernel_w=3 stride_h=1 stride_w=1 dilation_h=1 dilation_w=1 up_h=1 up_w=1 "
         "out_h=8 out_w=32 in_c=8 out_c=16 "
         "x_zero=0 w_zero=0 x_type=0 w_type=0 accumulate=0 wide=0 weights_loaded=1 stream=0");
  ASSERT_EQ(f.reads.size(), 2U);
  EXPECT_EQ(f.reads[0].base, 0x100);
  EXPECT_EQ(f.reads[0].run, 10 * 256);
  EXPECT_EQ(f.reads[1].run, 16 * 72)
      << "all weights, also when the first fold is in the shadow registers";
  ASSERT_EQ(f.writes.size(), 1U);
  EXPECT_EQ(f.writes[0].memory, Memory::kAccumulator);
  EXPECT_EQ(f.writes[0].run, 8 * 32 * 16 * 4);
  for (const Region& r : {f.reads[0], f.reads[1], f.writes[0]}) EXPECT_EQ(r.bytes(), r.run);
}

TEST(Footprint, PaddingOnlyReadsNothing) {
  const Footprint f =
      of("vec.max_pool x=0 dst=0 row_stride=8 pixel_stride=1 in_h=8 in_w=8 y0=-4 x0=0 kernel_h=2 "
         "kernel_w=2 stride_h=2 stride_w=2 "
         "out_h=2 out_w=1 out_c=1 dst_row_stride=1 dst_pixel_stride=1 in_type=0 clamp_min=0 "
         "clamp_max=0");
  EXPECT_TRUE(f.reads.empty());
  EXPECT_EQ(f.writes.size(), 1U);
}

TEST(Footprint, WorkGrowsWithTheRegionsNotTheBytes) {
  // Every count at the end of its field: no enumeration, no overflow.
  for (const InstrSpec& spec : instruction_table()) {
    for (const bool low : {false, true}) {
      Instruction in;
      in.opcode = spec.opcode;
      for (std::size_t f = 0; f < spec.field_count; ++f) {
        const Field& field = spec.fields[f];
        in.values[f] = low && field.is_signed ? min_of(field) : max_of(field);
        // Codes that name something; others are refused before a footprint is asked for.
        if (name_of(field.opd).ends_with("_type")) in.values[f] = kElementTypes - 1;
        if (field.opd == Opd::kFunction) in.values[f] = low ? 0 : kReduceFunctions - 1;
      }
      const Footprint f = footprint(in);
      for (const Region& r : f.reads) EXPECT_LT(r.low(), r.high());
      for (const Region& r : f.writes) EXPECT_LT(r.low(), r.high());
    }
  }
}

TEST(Canonical, MergesWhatTouches) {
  const Region merged = canonical({Memory::kScratchpad, 0, 4, {3, 2, 5}, {4, 12, 24}});
  EXPECT_EQ(merged.run, 120);
  EXPECT_EQ(merged.bytes(), 120);
  const Region gap = canonical({Memory::kScratchpad, 0, 4, {3, 2, 5}, {5, 15, 30}});
  EXPECT_EQ(gap.run, 4);
  EXPECT_EQ(gap.count, (std::array<std::int64_t, 3>{30, 1, 1}));
  EXPECT_EQ(gap.stride[0], 5);
}

TEST(Canonical, BackwardAndRepeatedStepsNameEachByteOnce) {
  const Region back = canonical({Memory::kDram, 100, 4, {3, 7, 1}, {-4, 0, 0}});
  EXPECT_EQ(back.memory, Memory::kDram);
  EXPECT_EQ(back.base, 92);
  EXPECT_EQ(back.run, 12);
  EXPECT_EQ(back.low(), 92);
  EXPECT_EQ(back.high(), 104);
}

TEST(Canonical, KeepsTheBytes) {
  std::mt19937 rng(3);
  const auto pick = [&rng](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution(low, high)(rng);
  };
  for (int i = 0; i < 5000; ++i) {
    const Region r{Memory::kScratchpad,
                   pick(-50, 50),
                   pick(1, 6),
                   {pick(1, 4), pick(1, 4), pick(1, 4)},
                   {pick(-20, 20), pick(-20, 20), pick(-20, 20)}};
    const Region c = canonical(r);
    ASSERT_EQ(bytes_of({c}), bytes_of({r}));
    ASSERT_EQ(c.low(), r.low());
    ASSERT_EQ(c.high(), r.high());
    ASSERT_LE(c.bytes(), r.bytes());
  }
}

}  // namespace
}  // namespace npu::isa
