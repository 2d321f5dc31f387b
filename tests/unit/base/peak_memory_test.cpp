#include "sim/base/peak_memory.h"

#include <gtest/gtest.h>

#include <vector>

namespace npu {
namespace {

TEST(PeakMemory, IsTheMostThatThereWas) {
  constexpr std::int64_t kKib = 1024, kMore = 64 * kKib;
  const auto before = peak_memory_kib();
  ASSERT_TRUE(before);
  EXPECT_GT(*before, kKib);
  { const std::vector<char> touched(static_cast<std::size_t>(kMore * kKib), 1); }
  const auto after = peak_memory_kib();
  ASSERT_TRUE(after);
  EXPECT_GE(*after, kMore);
  EXPECT_GE(*after, *before);
}

}  // namespace
}  // namespace npu
