#include "sim/memory/sram.h"

#include <gtest/gtest.h>

#include <random>

namespace npu {
namespace {

SramConfig config(Interleave interleave, int ports) {
  return {.capacity_bytes = 64 * 1024,
          .banks = 8,
          .port_width_bytes = 8,
          .ports = ports,
          .latency_cycles = 1,
          .interleave = interleave};
}
constexpr bool kRead = false, kWrite = true;
constexpr std::int64_t kPeak = 64;  ///< Bytes per cycle over all banks.

TEST(Sram, LoneStreamTakesItsOwnTime) {
  Sram sram("spm", config(Interleave::kWord, 1), false);
  EXPECT_EQ(sram.book(kRead, 0, 1024, 10 * kPeak, 100, 10), 110U);
  EXPECT_EQ(sram.book(kRead, 0, 1024, 1, 200, 50), 250U);
  EXPECT_EQ(sram.book(kRead, 0, 1024, 0, 300, 7), 307U);
}

TEST(Sram, StreamWiderThanTheBanksTakesTheirTime) {
  Sram sram("spm", config(Interleave::kWord, 1), false);
  EXPECT_EQ(sram.book(kRead, 0, 4096, 100 * kPeak, 0, 10), 100U);
  EXPECT_EQ(sram.book(kRead, 0, 4096, 100 * kPeak + 1, 100, 100), 201U);
}

TEST(Sram, TwoFullStreamsShareTheBank) {
  Sram sram("spm", config(Interleave::kWord, 1), false);
  EXPECT_EQ(sram.book(kRead, 0, 4096, 100 * kPeak, 0, 100), 100U);
  EXPECT_EQ(sram.book(kWrite, 0, 4096, 100 * kPeak, 0, 100), 200U);
}

TEST(Sram, StreamsThatFitTogetherDoNotWait) {
  Sram sram("spm", config(Interleave::kWord, 1), false);
  EXPECT_EQ(sram.book(kRead, 0, 4096, 50 * kPeak, 0, 100), 100U);
  EXPECT_EQ(sram.book(kRead, 0, 4096, 50 * kPeak, 0, 100), 100U);
  // Nothing is left until cycle 100.
  EXPECT_EQ(sram.book(kRead, 0, 4096, 1 * kPeak, 0, 1), 101U);
}

TEST(Sram, LoserGetsWhatIsLeft) {
  Sram sram("spm", config(Interleave::kWord, 1), false);
  EXPECT_EQ(sram.book(kRead, 0, 4096, 75 * kPeak, 0, 100), 100U);
  // 100 cycles at a quarter, the other 50 cycles of work at its own rate of three quarters.
  EXPECT_EQ(sram.book(kRead, 0, 4096, 75 * kPeak, 0, 100), 100U + 67);
}

TEST(Sram, ShortStreamPassesBesideALongOne) {
  Sram sram("spm", config(Interleave::kWord, 1), false);
  EXPECT_EQ(sram.book(kRead, 0, 4096, 5000 * kPeak, 0, 10000), 10000U);
  for (std::uint64_t start = 0; start < 9000; start += 10) {
    EXPECT_EQ(sram.book(kWrite, 0, 4096, 4 * kPeak, start, 8), start + 8);
  }
}

TEST(Sram, SecondPortTakesTheWrites) {
  Sram sram("spm", config(Interleave::kWord, 2), false);
  EXPECT_EQ(sram.book(kRead, 0, 4096, 100 * kPeak, 0, 100), 100U);
  EXPECT_EQ(sram.book(kWrite, 0, 4096, 100 * kPeak, 0, 100), 100U);
  EXPECT_EQ(sram.book(kWrite, 0, 4096, 100 * kPeak, 0, 100), 200U);
}

TEST(Sram, BlockInterleavingKeepsStreamsApartByRange) {
  Sram sram("spm", config(Interleave::kBlock, 1), false);
  constexpr std::int64_t kBank = 8 * 1024;
  EXPECT_EQ(sram.book(kRead, 0, kBank, 100 * 8, 0, 100), 100U);
  EXPECT_EQ(sram.book(kRead, kBank, 2 * kBank, 100 * 8, 0, 100), 100U);
  EXPECT_EQ(sram.book(kRead, kBank - 1, kBank, 100 * 8, 0, 100), 200U);
  // Over banks 1 and 2: half of the bytes in each, bank 1 is busy until 100.
  EXPECT_EQ(sram.book(kRead, 2 * kBank - 1, 2 * kBank + 1, 100 * 8, 0, 50), 150U);
}

TEST(Sram, NeverPromisesMoreThanThePortHas) {
  std::mt19937 random(11);
  Sram sram("spm", config(Interleave::kWord, 1), false);
  std::uint64_t last = 0;
  std::int64_t bytes = 0;
  for (int i = 0; i < 5000; ++i) {
    const auto size = static_cast<std::int64_t>(random() % 4096 + 1);
    const std::uint64_t start = static_cast<std::uint64_t>(i) * 20;
    const std::uint64_t duration = random() % 100;
    const std::uint64_t end = sram.book(i % 2 == 0, 0, 4096, size, start, duration);
    ASSERT_GE(end, start + duration);
    last = std::max(last, end);
    bytes += size;
  }
  EXPECT_GE(static_cast<std::int64_t>(last) * kPeak, bytes);
}

TEST(Sram, HasBytesOnlyWithData) {
  EXPECT_TRUE(Sram("spm", config(Interleave::kWord, 1), false).data().empty());
  Sram sram("spm", config(Interleave::kWord, 1), true);
  EXPECT_EQ(sram.data().size(), 64U * 1024);
  EXPECT_EQ(sram.data()[77], std::byte{0});
  EXPECT_EQ(sram.name(), "spm");
}

TEST(Sram, RefusesStreamsOutsideIt) {
  Sram sram("spm", config(Interleave::kWord, 1), false);
  EXPECT_THROW((void)sram.book(kRead, -1, 4, 4, 0, 1), std::logic_error);
  EXPECT_THROW((void)sram.book(kRead, 0, 64 * 1024 + 1, 4, 0, 1), std::logic_error);
  EXPECT_THROW((void)sram.book(kRead, 8, 4, 4, 0, 1), std::logic_error);
}

}  // namespace
}  // namespace npu
