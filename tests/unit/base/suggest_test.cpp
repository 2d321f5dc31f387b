#include "sim/base/suggest.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace npu {
namespace {

const std::vector<std::string> kKeys = {"rows", "cols", "capacity_bytes", "port_width_bytes"};

TEST(Suggest, FindsTheNearest) {
  EXPECT_EQ(closest_name("row", kKeys), "rows");
  EXPECT_EQ(closest_name("capcity_bytes", kKeys), "capacity_bytes");
  EXPECT_EQ(closest_name("port_with_byte", kKeys), "port_width_bytes");
  EXPECT_EQ(did_you_mean("clos", kKeys), " (did you mean `cols`?)");
}

TEST(Suggest, SwappedNeighboursAreOneEdit) {
  const std::vector<std::string> keys = {"ab"};
  EXPECT_EQ(closest_name("ba", keys), "ab");
}

TEST(Suggest, HasALimit) {
  const std::vector<std::string> six = {"abcdef"};
  EXPECT_EQ(closest_name("abcdxy", six), "abcdef");
  EXPECT_EQ(closest_name("abcxyz", six), std::nullopt);
  EXPECT_EQ(did_you_mean("frequency", kKeys), "");
  EXPECT_EQ(closest_name(std::string(65, 'a'), std::vector<std::string>{std::string(65, 'a')}),
            std::nullopt);
}

}  // namespace
}  // namespace npu
