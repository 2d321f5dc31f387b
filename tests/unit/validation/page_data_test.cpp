#include "sim/validation/page_data.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace npu::validation {
namespace {

using Json = nlohmann::json;

TEST(PageData, SuiteWithABoundAndAFailedRow) {
  Suite suite;
  suite.name = "s";
  suite.quantity = "cycles";
  suite.unit = "cycles";
  suite.reference = "r";
  suite.differs = "d";
  suite.bound.max_error_percent = 20;
  SuiteResult result;
  result.suite = &suite;
  result.rows_file = "folder/rows.csv";
  result.rows = {{"a", 100, 110, ""}, {"b", 200, 100, ""}, {"c", 300, 0, "does not map"}};
  summarize(result);
  const Json rows = {{{"row", "a"}, {"reference", 100.0}, {"predicted", 110.0}, {"error", 0.1}},
                     {{"row", "b"}, {"reference", 200.0}, {"predicted", 100.0}, {"error", -0.5}},
                     {{"row", "c"}, {"reference", 300.0}, {"failure", "does not map"}}};
  const Json expected = {{"name", "s"},
                         {"quantity", "cycles"},
                         {"unit", "cycles"},
                         {"reference", "r"},
                         {"differs", "d"},
                         {"bound", "max <= 20 %"},
                         {"verdict", "FAILED ROWS"},
                         {"mean_error_percent", 30.0},
                         {"bias_percent", -20.0},
                         {"max_error_percent", 50.0},
                         {"worst_row", "b"},
                         {"rank_correlation", nullptr},
                         {"failures", 1},
                         {"rows", rows}};
  EXPECT_EQ(page_data({result}), Json({{"kind", "validation"}, {"suites", {expected}}}));
}

TEST(PageData, NoSuites) {
  EXPECT_EQ(page_data({}), Json({{"kind", "validation"}, {"suites", Json::array()}}));
}

}  // namespace
}  // namespace npu::validation
