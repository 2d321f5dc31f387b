#include "sim/publish/sweep_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace npu::publish {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

Json sweep_of(int points) {
  Json data = {{"name", "s|1"},
               {"parameters", {{{"key", "mac_array.rows"}}, {{"key", "npu"}}}},
               {"metrics",
                {{{"name", "latency_ms"}, {"label", "latency"}, {"unit", "ms"}},
                 {{"name", "mac_utilization"}, {"label", "utilization"}, {"unit", ""}}}},
               {"sensitivity", {{{"parameter", "npu"}, {"metric", "latency_ms"}, {"share", 0.25}}}},
               {"points", Json::array()}};
  for (int i = 0; i < points; ++i) {
    Json point = {{"id", i},
                  {"model", "net"},
                  {"status", "done"},
                  {"pareto", i % 10 == 3},
                  {"bound_by", "dram"},
                  {"error", nullptr},
                  {"parameters", {{"mac_array.rows", 8 * i}, {"npu", "edge"}}},
                  {"metrics", {{"latency_ms", 0.5 + i}}}};
    if (i % 10 == 9) point.update({{"status", "failed"}, {"error", "invalid: a|b"}});
    data["points"].push_back(std::move(point));
  }
  return data;
}

TEST(SweepMarkdown, FrontSensitivityAndFailures) {
  const std::string text = sweep_markdown(sweep_of(10));
  EXPECT_THAT(text, HasSubstr("# npusim sweep s\\|1\n\n10 points, 9 done, 1 failed.\n"));
  EXPECT_THAT(text,
              HasSubstr("| point | model | mac_array.rows | npu | latency [ms] | utilization | "
                        "bound by |\n| ---: | --- | --- | --- | ---: | ---: | --- |\n"
                        "| 3 | net | 24 | edge | 3.5 |  | dram |\n\n"));
  EXPECT_THAT(text, HasSubstr("| latency_ms | npu | 25.0 |\n"));
  EXPECT_THAT(text, HasSubstr("\n## Failed points\n"));
  EXPECT_THAT(text, HasSubstr("| 9 | net | 72 | edge | invalid: a\\|b |\n"));
}

TEST(SweepMarkdown, BoundsTheFailures) {
  const std::string text = sweep_markdown(sweep_of(600));
  EXPECT_THAT(text, HasSubstr("\n## Failed points, the first 50 of 60\n"));
  EXPECT_THAT(text, HasSubstr("| 499 | net |"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("| 509 | net |")));
}

TEST(ThinOutPoints, KeepsTheFrontAndAShareOfTheRest) {
  Json data = sweep_of(100);
  thin_out_points(data, 100);
  EXPECT_EQ(data["points"].size(), 100U);
  EXPECT_FALSE(data.contains("all_points"));
  thin_out_points(data, 40);
  EXPECT_EQ(data["all_points"], 100U);
  // 10 on the front; of the other 90 every third.
  ASSERT_EQ(data["points"].size(), 40U);
  int front = 0;
  for (const Json& point : data["points"]) front += point["pareto"] ? 1 : 0;
  EXPECT_EQ(front, 10);
}

}  // namespace
}  // namespace npu::publish
