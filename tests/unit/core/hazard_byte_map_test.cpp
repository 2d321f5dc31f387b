#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "sim/core/byte_map.h"

namespace npu {
namespace {

/// The same by one state per byte.
using PlainMap = std::vector<ByteState>;

ByteState& at(PlainMap& plain, std::int64_t byte) { return plain[static_cast<std::size_t>(byte)]; }

void expect_same(const ByteMap& map, PlainMap& plain) {
  std::int64_t next = 0;
  map.for_each(0, std::ssize(plain), [&](const ByteState& s, std::int64_t low, std::int64_t high) {
    ASSERT_EQ(low, next);
    for (auto b = low; b < high; ++b) ASSERT_TRUE(s == at(plain, b)) << b;
    next = high;
  });
  ASSERT_EQ(next, std::ssize(plain));
}

/// One contiguous or strided access; strides of up to a few pages.
Runs random_runs(std::mt19937& rng, std::int64_t capacity) {
  const auto draw = [&](std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(rng);
  };
  Runs r{draw(0, capacity - 1), rng() % 4 == 0 ? draw(1, 9000) : draw(1, 40)};
  if (rng() % 4 == 0) r.base &= ~std::int64_t{4095};
  r.run = std::min(r.run, capacity - r.base);
  if (rng() % 2 == 0) return r;
  r.stride = r.run + (rng() % 4 == 0 ? draw(0, 10000) : draw(0, 60));
  r.count = std::min(draw(1, 300), (capacity - r.base - r.run) / r.stride + 1);
  return r;
}

void run(std::int64_t capacity, std::uint32_t seed, int steps) {
  std::mt19937 rng(seed);
  ByteMap map(capacity);
  PlainMap plain(static_cast<std::size_t>(capacity));
  for (int step = 0; step < steps; ++step) {
    const bool write = rng() % 2 == 0;
    const auto engine = rng() % 8;
    const auto number = static_cast<std::uint32_t>(step);
    ByteState written;
    written.writer = static_cast<std::uint8_t>(engine);
    written.writer_number = number;
    // Every state that the access meets is judged, with a segment that has it.
    std::vector<ByteState> met;
    const auto meet = [&](const ByteState& s, std::int64_t low, std::int64_t high) {
      for (auto b = low; b < high; ++b) ASSERT_TRUE(s == at(plain, b)) << b;
      met.push_back(s);
    };
    const auto read = [&](ByteState& s) {
      s.readers |= static_cast<std::uint8_t>(1U << engine);
      s.reader_number[engine] = number;
    };
    map.begin_access();
    const Runs runs = random_runs(rng, capacity);
    if (write) {
      map.replace(runs, written, meet);
    } else {
      map.update(runs, [&](ByteState& s, std::int64_t low, std::int64_t high) {
        meet(s, low, high);
        read(s);
      });
    }
    for (std::int64_t i = 0; i < runs.count; ++i) {
      for (std::int64_t b = 0; b < runs.run; ++b) {
        ByteState& s = at(plain, runs.base + i * runs.stride + b);
        ASSERT_TRUE(std::ranges::find(met, s) != met.end());
        if (write) {
          s = written;
        } else {
          read(s);
        }
      }
    }
    if (step % 50 == 0 || step + 1 == steps) expect_same(map, plain);
  }
}

TEST(ByteMap, EqualsOneStatePerByte) {
  run(4096, 1, 1500);
  run(1, 2, 10);
  run(4095, 3, 300);
  run(4097, 4, 300);
  run(40000, 5, 600);
}

const auto kNothing = [](const ByteState&, std::int64_t, std::int64_t) {};

TEST(ByteMap, EqualNeighboursBecomeOne) {
  ByteMap map(1 << 20);
  ByteState s;
  s.writer = 1;
  map.begin_access();
  map.replace({0, 1, 512, 2}, s, kNothing);
  EXPECT_EQ(map.segment_count(), 1024U);
  map.begin_access();
  map.replace({0, 1024}, s, kNothing);
  EXPECT_EQ(map.segment_count(), 2U) << "the written bytes and the rest of the page";
  // The pieces of one access, in any order of calls.
  map.begin_access();
  map.replace({1, 1, 512, 2}, s, kNothing);
  map.replace({0, 1, 512, 2}, s, kNothing);
  EXPECT_EQ(map.segment_count(), 2U);
}

TEST(ByteMap, AnAccessJudgesItsOwnBytesNoMore) {
  ByteMap map(4096);
  ByteState s;
  s.writer = 3;
  map.begin_access();
  int calls = 0;
  const auto count = [&](const ByteState&, std::int64_t, std::int64_t) { ++calls; };
  map.replace({0, 100}, s, count);
  map.replace({50, 100}, s, count);
  EXPECT_EQ(calls, 1);
  map.begin_access();
  map.update({0, 100}, [&](ByteState& state, std::int64_t, std::int64_t) { state.readers = 1; });
  map.update({0, 200}, [&](ByteState& state, std::int64_t low, std::int64_t high) {
    EXPECT_EQ(state.writer, ByteState::kNobody);
    EXPECT_EQ(low, 150);
    EXPECT_EQ(high, 200);
  });
}

TEST(ByteMap, DropsStatesOfNoSegment) {
  ByteMap map(4096);
  for (std::uint32_t n = 0; n < 100000; ++n) {
    ByteState s;
    s.writer = 1;
    s.writer_number = n;
    map.begin_access();
    map.replace({n % 64 * 64, 64}, s, kNothing);
  }
  EXPECT_LE(map.state_count(), 1U << 14U);
  map.for_each(0, 4096, [](const ByteState& s, std::int64_t low, std::int64_t) {
    EXPECT_EQ(s.writer_number, 100000 - 1 - (100000 - 1 - low / 64) % 64);
  });
}

TEST(ByteMap, LargeMemoriesHaveLargePages) {
  ByteMap map(std::int64_t{1} << 40);
  ByteState s;
  s.writer = 2;
  const std::int64_t end = std::int64_t{1} << 40;
  map.begin_access();
  map.replace({end - 10, 10}, s, [](const ByteState& old, std::int64_t, std::int64_t) {
    EXPECT_EQ(old.writer, ByteState::kNobody);
  });
  map.for_each(end - 11, end, [&](const ByteState& found, std::int64_t low, std::int64_t) {
    EXPECT_EQ(found.writer, low < end - 10 ? ByteState::kNobody : 2);
  });
}

}  // namespace
}  // namespace npu
