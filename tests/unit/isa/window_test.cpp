#include "isa/window.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace npu::isa {
namespace {

/// By trying every tap of every output.
std::set<std::int64_t> every_tap(const Axis& a) {
  std::set<std::int64_t> touched;
  for (std::int64_t y = 0; y < a.out; ++y) {
    for (std::int64_t k = 0; k < a.kernel; ++k) {
      const std::int64_t p = a.origin + y * a.stride + k * a.dilation;
      if (p >= 0 && p % a.up == 0 && p / a.up < a.in) touched.insert(p / a.up);
    }
  }
  return touched;
}

void expect_exact(const Axis& a) {
  std::vector<Strip> strips;
  touched_positions(a, strips);
  std::multiset<std::int64_t> found;
  for (const Strip& s : strips) {
    for (std::int64_t i = 0; i < s.count; ++i) {
      for (std::int64_t j = 0; j < s.width; ++j) found.insert(s.first + i * s.stride + j);
    }
  }
  const auto expected = every_tap(a);
  ASSERT_EQ(found, std::multiset<std::int64_t>(expected.begin(), expected.end()))
      << "origin " << a.origin << " out " << a.out << " stride " << a.stride << " kernel "
      << a.kernel << " dilation " << a.dilation << " up " << a.up << " in " << a.in;
}

TEST(TouchedPositions, EqualsEveryTapOnRandomAxes) {
  std::mt19937 rng(5);
  const auto pick = [&rng](int low, int high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(rng);
  };
  for (int i = 0; i < 40000; ++i) {
    expect_exact({pick(-30, 30), pick(1, 12), pick(1, 7), pick(1, 6), pick(1, 5),
                  rng() % 3 == 0 ? pick(1, 4) : 1, pick(1, 40)});
  }
}

TEST(TouchedPositions, UsualAxesAreOneStrip) {
  for (const Axis& a :
       {Axis{-1, 32, 1, 3, 1, 1, 32}, Axis{0, 16, 2, 3, 1, 1, 32}, Axis{0, 16, 2, 1, 1, 1, 32},
        Axis{-2, 8, 1, 3, 2, 1, 8}, Axis{-2, 16, 1, 3, 1, 2, 8}, Axis{0, 1, 9, 3, 4, 1, 32}}) {
    std::vector<Strip> strips;
    touched_positions(a, strips);
    EXPECT_EQ(strips.size(), 1U);
  }
}

TEST(TouchedPositions, OnlyPaddingTouchesNothing) {
  std::vector<Strip> strips{{0, 1, 1, 0}};
  touched_positions({-5, 2, 1, 3, 1, 1, 8}, strips);
  EXPECT_TRUE(strips.empty()) << "positions -5 to -2";
  touched_positions({-5, 3, 1, 4, 1, 1, 8}, strips);
  ASSERT_EQ(strips.size(), 1U) << "positions -5 to 0";
  EXPECT_EQ(strips[0].width, 1);
  touched_positions({8, 2, 1, 3, 1, 1, 8}, strips);
  EXPECT_TRUE(strips.empty());
}

}  // namespace
}  // namespace npu::isa
