#include <gtest/gtest.h>

#include <random>

#include "sim/core/byte_map.h"

namespace npu {
namespace {

/// The same by one state per byte.
class PlainMap {
 public:
  explicit PlainMap(std::size_t size) : bytes_(size) {}
  void replace(std::int64_t low, std::int64_t high, const ByteState& s) {
    for (auto b = low; b < high; ++b) at(b) = s;
  }
  ByteState& at(std::int64_t b) { return bytes_[static_cast<std::size_t>(b)]; }

 private:
  std::vector<ByteState> bytes_;
};

bool same(const ByteState& a, const ByteState& b) {
  return a.writer == b.writer && a.readers == b.readers && a.writer_number == b.writer_number &&
         a.reader_number == b.reader_number;
}

void run(std::int64_t capacity, std::uint32_t seed, int steps) {
  std::mt19937 rng(seed);
  ByteMap map(capacity);
  PlainMap plain(static_cast<std::size_t>(capacity));
  for (int step = 0; step < steps; ++step) {
    std::int64_t low = std::uniform_int_distribution<std::int64_t>(0, capacity - 1)(rng);
    std::int64_t high = std::min<std::int64_t>(
        capacity, low + 1 + static_cast<std::int64_t>(rng() % (rng() % 4 == 0 ? 9000 : 40)));
    if (rng() % 4 == 0) {
      low &= ~std::int64_t{4095};
      high = std::min(capacity, (high + 4095) & ~std::int64_t{4095});
    }
    const auto number = static_cast<std::uint32_t>(step);
    std::int64_t next = low;
    if (rng() % 2 == 0) {
      ByteState written;
      written.writer = static_cast<std::uint8_t>(rng() % 8);
      written.writer_number = number;
      map.replace(low, high, written, [&](const ByteState& s, std::int64_t from, std::int64_t to) {
        ASSERT_EQ(from, next);
        for (auto b = from; b < to; ++b) ASSERT_TRUE(same(s, plain.at(b)));
        next = to;
      });
      plain.replace(low, high, written);
    } else {
      const auto engine = rng() % 8;
      map.update(low, high, [&](ByteState& s, std::int64_t from, std::int64_t to) {
        ASSERT_EQ(from, next);
        for (auto b = from; b < to; ++b) ASSERT_TRUE(same(s, plain.at(b)));
        s.readers |= static_cast<std::uint8_t>(1U << engine);
        s.reader_number[engine] = number;
        for (auto b = from; b < to; ++b) plain.at(b) = s;
        next = to;
      });
    }
    ASSERT_EQ(next, high);
  }
  map.update(0, capacity, [&](ByteState& s, std::int64_t from, std::int64_t to) {
    for (auto b = from; b < to; ++b) ASSERT_TRUE(same(s, plain.at(b)));
  });
}

TEST(ByteMap, EqualsOneStatePerByte) {
  run(4096, 1, 3000);
  run(1, 2, 10);
  run(4095, 3, 500);
  run(4097, 4, 500);
  run(40000, 5, 3000);
}

TEST(ByteMap, WritesCoalesce) {
  ByteMap map(1 << 20);
  ByteState s;
  s.writer = 1;
  for (std::int64_t at = 0; at < 1024; at += 2)
    map.replace(at, at + 1, s, [](const ByteState&, std::int64_t, std::int64_t) {});
  EXPECT_EQ(map.segment_count(), 1024U);
  map.replace(0, 1024, s, [](const ByteState&, std::int64_t, std::int64_t) {});
  EXPECT_EQ(map.segment_count(), 2U) << "the written bytes and the rest of the page";
}

TEST(ByteMap, LargeMemoriesHaveLargePages) {
  ByteMap map(std::int64_t{1} << 40);
  ByteState s;
  s.writer = 2;
  const std::int64_t at = (std::int64_t{1} << 40) - 10;
  map.replace(at, at + 10, s, [](const ByteState& old, std::int64_t, std::int64_t) {
    EXPECT_EQ(old.writer, ByteState::kNobody);
  });
  map.update(at - 1, at + 10, [&](ByteState& found, std::int64_t low, std::int64_t) {
    EXPECT_EQ(found.writer, low < at ? ByteState::kNobody : 2);
  });
}

}  // namespace
}  // namespace npu
