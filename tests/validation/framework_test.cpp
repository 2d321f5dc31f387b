// What suites are made of: figures of a result, bounds, the CSV, rows that fail.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "sim/base/error.h"
#include "sim/validation/suite.h"
#include "sim/validation/writers.h"

namespace npu::validation {
namespace {

using testing::HasSubstr;

TEST(RankCorrelation, OrdersTiesAndConstants) {
  EXPECT_DOUBLE_EQ(*rank_correlation({1, 2, 3, 4}, {10, 20, 30, 1000}), 1);
  EXPECT_DOUBLE_EQ(*rank_correlation({1, 2, 3}, {3, 2, 1}), -1);
  // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: covariance 4.5, variances 4.5 and 5.
  EXPECT_DOUBLE_EQ(*rank_correlation({5, 7, 7, 9}, {1, 2, 3, 4}), 4.5 / std::sqrt(4.5 * 5));
  EXPECT_DOUBLE_EQ(*rank_correlation({5, 7, 7, 9}, {0, 3, 3, 8}), 1);
  EXPECT_FALSE(rank_correlation({1, 2}, {1, 2}).has_value());
  EXPECT_FALSE(rank_correlation({1, 2, 3}, {4, 4, 4}).has_value());
  EXPECT_FALSE(rank_correlation({}, {}).has_value());
}

SuiteResult result_of(const Suite& suite) {
  SuiteResult r;
  r.suite = &suite;
  r.rows = {{"a", 100, 110, ""}, {"b, c", 200, 160, ""}, {"d", 50, 50, ""}};
  return r;
}

TEST(Summarize, MeanBiasMaximumAndBounds) {
  Suite suite;
  SuiteResult r = result_of(suite);
  summarize(r);
  EXPECT_DOUBLE_EQ(r.mean_error_percent, 10);
  EXPECT_DOUBLE_EQ(r.bias_percent, -10.0 / 3);
  EXPECT_DOUBLE_EQ(r.max_error_percent, 20);
  EXPECT_EQ(r.worst_row, "b, c");
  EXPECT_DOUBLE_EQ(*r.rank_correlation, 1);
  EXPECT_TRUE(r.within_bound);
  EXPECT_FALSE(suite.bound.is_stated());

  const auto holds = [&](const Bound& bound) {
    EXPECT_TRUE(bound.is_stated());
    suite.bound = bound;
    summarize(r);
    return r.within_bound;
  };
  EXPECT_TRUE(holds({.mean_error_percent = 10.001}));
  EXPECT_FALSE(holds({.mean_error_percent = 9.99}));
  EXPECT_TRUE(holds({.max_error_percent = 20.001}));
  EXPECT_FALSE(holds({.max_error_percent = 19.99}));
  EXPECT_TRUE(holds({.rank_correlation = 0.999}));
  r.rows[2].predicted = 1000;
  EXPECT_FALSE(holds({.rank_correlation = 0.999}));
}

TEST(Summarize, AFailedRowLeavesEveryBound) {
  Suite suite;
  SuiteResult r = result_of(suite);
  r.rows[1] = {"b", 200, 0, "does not map"};
  summarize(r);
  EXPECT_EQ(r.failures, 1U);
  EXPECT_FALSE(r.within_bound);
  EXPECT_DOUBLE_EQ(r.mean_error_percent, 5);
  r.rows.clear();
  summarize(r);
  EXPECT_FALSE(r.within_bound);
}

TEST(Csv, OneOrSeveralSuitesAndFailedRows) {
  Suite suite;
  suite.name = "s";
  SuiteResult r = result_of(suite);
  r.rows[2] = {"d", 50, 0, "broke"};
  EXPECT_EQ(csv({r}),
            "row,reference,predicted,error\na,100,110,0.1\n\"b, c\",200,160,-0.2\nd,50,,\n");
  EXPECT_EQ(csv({r, r}).substr(0, 55),
            "suite,row,reference,predicted,error\ns,a,100,110,0.1\ns,\"");
}

TEST(RunSuite, EveryRowInAProcessOfItsOwn) {
  Suite suite;
  suite.quantity = "cycles";
  int calls = 0;
  suite.cases = [&](const CsvTable& rows, const SuiteContext&) {
    std::vector<Case> cases;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      const double x = rows.number(i, "x", 0, 100);
      cases.push_back({rows.place(i), x, [&calls, x] {
                         ++calls;
                         if (x > 50) fail("too large");
                         return x / 3 * calls;
                       }});
    }
    return cases;
  };
  std::vector<std::size_t> done;
  const auto run = [&](const std::string& text) {
    return run_suite(suite, CsvTable::parse(text, "t"), "t", {},
                     [&](std::size_t n, std::size_t) { done.push_back(n); });
  };
  const SuiteResult r = run("x\n3\n7\n60\n");
  EXPECT_EQ(done, (std::vector<std::size_t>{1, 2, 3}));
  ASSERT_EQ(r.rows.size(), 3U);
  EXPECT_EQ(r.rows[1].row, "t:3");
  EXPECT_EQ(r.rows[1].predicted, 7.0 / 3);  // The same bits.
  EXPECT_EQ(r.rows[2].failure, "too large");
  EXPECT_EQ(r.failures, 1U);
  try {
    static_cast<void>(run("x\n0\n"));
    FAIL() << "no error";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "t: t:2: the reference's cycles must be above 0, got 0");
  }
}

TEST(Suites, AreNamedOnceAndSayWhatTheyCompare) {
  std::set<std::string> names;
  for (const Suite& s : suites()) {
    SCOPED_TRACE(s.name);
    EXPECT_TRUE(names.insert(s.name).second);
    EXPECT_FALSE(s.quantity.empty() || s.unit.empty() || s.reference.empty() || s.rows.empty());
    const CsvTable rows =
        CsvTable::load(NPUSIM_SOURCE_DIR "/configs/validation/" + s.rows + ".csv");
    ASSERT_FALSE(rows.comments().empty());
    EXPECT_THAT(rows.comments()[0], HasSubstr("source: "));
    EXPECT_FALSE(s.cases(rows, {NPUSIM_SOURCE_DIR "/configs"}).empty());
  }
}

}  // namespace
}  // namespace npu::validation
