#include "sim/memory/address_mapping.h"

#include <gtest/gtest.h>

#include <random>

#include "sim/memory/clock_ratio.h"
#include "sim/memory/paged_bytes.h"
#include "tests/unit/memory/fixtures.h"

namespace npu {
namespace {

using test::ddr4_2400;

TEST(AddressMapping, FieldsGoFromHighToLowAboveTheBurst) {
  DramConfig c = ddr4_2400();
  c.channels = 2;
  c.ranks = 2;
  c.address_mapping = "ro-ra-bg-ba-co-ch";
  const AddressMapping mapping(c);
  // 64 B bursts, 1 channel bit, 7 column bits (1024 / 8), 2 bank, 2 group, 1 rank.
  EXPECT_EQ(mapping.decode(63), (DramLocation{}));
  EXPECT_EQ(mapping.decode(1 << 6), (DramLocation{.channel = 1}));
  EXPECT_EQ(mapping.decode(1 << 7), (DramLocation{.column = 1}));
  EXPECT_EQ(mapping.decode(1 << 14), (DramLocation{.bank = 1}));
  EXPECT_EQ(mapping.decode(1 << 16), (DramLocation{.bank_group = 1}));
  EXPECT_EQ(mapping.decode(1 << 18), (DramLocation{.rank = 1}));
  EXPECT_EQ(mapping.decode(1 << 19), (DramLocation{.row = 1}));
  EXPECT_EQ(mapping.capacity_bytes(), std::int64_t{32} << 30);
}

TEST(AddressMapping, OrderFollowsTheString) {
  DramConfig c = ddr4_2400();
  c.channels = 4;
  c.address_mapping = "ch-ro-co-ba-ra-bg";
  const AddressMapping mapping(c);
  EXPECT_EQ(mapping.decode(1 << 6), (DramLocation{.bank_group = 1}));
  EXPECT_EQ(mapping.decode(1 << 8), (DramLocation{.bank = 1}));
  EXPECT_EQ(mapping.decode(mapping.capacity_bytes() / 4), (DramLocation{.channel = 1}));
}

TEST(AddressMapping, EncodeIsTheInverse) {
  std::mt19937_64 random(5);
  for (const char* order : {"ro-ra-bg-ba-co-ch", "ch-ra-ro-ba-bg-co", "co-ch-bg-ro-ba-ra"}) {
    DramConfig c = ddr4_2400();
    c.channels = 8;
    c.ranks = 2;
    c.address_mapping = order;
    const AddressMapping mapping(c);
    for (int i = 0; i < 1000; ++i) {
      const auto address = static_cast<std::int64_t>(
          random() % static_cast<std::uint64_t>(mapping.capacity_bytes()));
      EXPECT_EQ(mapping.encode(mapping.decode(address)), address / 64 * 64);
    }
  }
}

TEST(AddressMapping, RefusesWhatTheConfigurationShouldHaveRefused) {
  DramConfig c = ddr4_2400();
  for (const char* order : {"ro-ra-bg-ba-co", "ro-ra-bg-ba-co-co", "ro-ra-bg-ba-co-xx", "r"}) {
    c.address_mapping = order;
    EXPECT_THROW(AddressMapping{c}, std::logic_error) << order;
  }
  c = ddr4_2400();
  c.rows = 1000;
  EXPECT_THROW(AddressMapping{c}, std::logic_error);
}

TEST(PagedBytes, MakesPagesOnlyWhereWritten) {
  PagedBytes bytes;
  std::vector<std::byte> block(200'000, std::byte{5});
  bytes.write((std::int64_t{1} << 40) + 100, block);
  EXPECT_EQ(bytes.page_count(), 4U);
  std::vector<std::byte> out(200'200, std::byte{9});
  bytes.read(std::int64_t{1} << 40, out);
  EXPECT_EQ(bytes.page_count(), 4U);
  EXPECT_EQ(out[99], std::byte{0});
  EXPECT_EQ(out[100], std::byte{5});
  EXPECT_EQ(out[200'099], std::byte{5});
  EXPECT_EQ(out[200'100], std::byte{0});
}

TEST(ClockRatio, RoundsAndIsItsOwnInverse) {
  const ClockRatio up(1200, 1000);
  const ClockRatio down(1000, 1200);
  EXPECT_EQ(up.ceil(5), 6);
  EXPECT_EQ(up.ceil(6), 8);
  EXPECT_EQ(up.floor(6), 7);
  for (std::int64_t cycle = 0; cycle < 1'000'000'000'000; cycle = cycle * 3 + 5) {
    EXPECT_EQ(up.ceil(cycle * 5), cycle * 6);
    EXPECT_EQ(down.ceil(cycle * 6), cycle * 5);
    EXPECT_EQ(down.floor(up.ceil(cycle)), cycle);
  }
}

}  // namespace
}  // namespace npu
