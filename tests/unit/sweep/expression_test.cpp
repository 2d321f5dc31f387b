#include "sim/sweep/expression.h"

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/unit/base/expect_error.h"

namespace npu::sweep {
namespace {

std::string look_up(const std::string& name) {
  static const std::map<std::string, std::string> kValues = {
      {"rows", "16"}, {"mac_array.cols", "8"}, {"kind", "systolic"}, {"half", "0.5"}};
  const auto at = kValues.find(name);
  if (at == kValues.end()) fail("no {}", name);
  return at->second;
}

std::string value(const std::string& text) {
  return Expression::parse(text, "f:1:2: k").value_text(look_up);
}
std::string refusal(const std::string& text) {
  return error_of([&] { (void)value(text); });
}

TEST(Expression, FollowsTheOrderOfItsOperators) {
  EXPECT_EQ(value("2 + 3 * 4"), "14");
  EXPECT_EQ(value("(2 + 3) * 4"), "20");
  EXPECT_EQ(value("2 - 3 - 4"), "-5");
  EXPECT_EQ(value("64 / 4 / 2"), "8");
  EXPECT_EQ(value("-3 * -2"), "6");
  EXPECT_EQ(value("- - 3"), "3");
  EXPECT_EQ(value("7 % 4 + 1"), "4");
  EXPECT_EQ(value("-1 % 4"), "3");
  EXPECT_EQ(value("1 + 1 == 2 and not 2 < 1"), "1");
  EXPECT_EQ(value("1 == 2 or 3 >= 3"), "1");
  EXPECT_EQ(value("not 1 == 2"), "1");
  EXPECT_EQ(value("0 and 0 or 1"), "1");
}

TEST(Expression, KnowsNamesFunctionsAndTexts) {
  EXPECT_EQ(value("2 * rows + mac_array.cols"), "40");
  EXPECT_EQ(value("rows*half"), "8");
  EXPECT_EQ(value("min(rows, max(3, mac_array.cols))"), "8");
  EXPECT_EQ(value("floor(2.7) + ceil(2.2) + round(2.5) + abs(-1)"), "9");
  EXPECT_EQ(value("sqrt(rows) * log2(8)"), "12");
  EXPECT_EQ(value("kind == 'systolic'"), "1");
  EXPECT_EQ(value("kind != 'systolic'"), "0");
  EXPECT_EQ(value("kind == 3"), "0");
  EXPECT_EQ(value("kind"), "systolic");
  EXPECT_EQ(value("1 / 3"), "0.333333333333");
  EXPECT_EQ(value("1e3"), "1000");
  EXPECT_EQ(Expression::parse("a + b * a", "p").names(), (std::vector<std::string>{"a", "b"}));
}

TEST(Expression, ConditionsAreNumbers) {
  EXPECT_TRUE(Expression::parse("rows", "p").holds(look_up));
  EXPECT_FALSE(Expression::parse("rows - 16", "p").holds(look_up));
  EXPECT_EQ(error_of([] { (void)Expression::parse("kind", "p").holds(look_up); }),
            "p: a condition must be true or false, got the text systolic");
}

TEST(Expression, RefusesWhatIsNone) {
  EXPECT_EQ(refusal(""), "f:1:2: k: ends where a value is needed, column 1 of ``");
  EXPECT_EQ(refusal("1 +"), "f:1:2: k: ends where a value is needed, column 4 of `1 +`");
  EXPECT_EQ(refusal("1 2"), "f:1:2: k: an operator is needed, got 2, column 3 of `1 2`");
  EXPECT_EQ(refusal("* 2"), "f:1:2: k: a value is needed, got *, column 1 of `* 2`");
  EXPECT_EQ(refusal("and 2"), "f:1:2: k: a value is needed, got and, column 1 of `and 2`");
  EXPECT_EQ(refusal("1.2.3"), "f:1:2: k: a number is needed, got 1.2.3, column 1 of `1.2.3`");
  EXPECT_EQ(refusal("(1"), "f:1:2: k: a bracket is not closed, column 3 of `(1`");
  EXPECT_EQ(refusal("1)"), "f:1:2: k: a closing bracket without an open bracket, column 2 of `1)`");
  EXPECT_EQ(refusal("1, 2"), "f:1:2: k: a comma without an open bracket, column 2 of `1, 2`");
  EXPECT_EQ(refusal("(1, 2)"), "f:1:2: k: a comma outside of a function, column 3 of `(1, 2)`");
  EXPECT_EQ(refusal("min(1)"), "f:1:2: k: min takes 2 values, got 1, column 6 of `min(1)`");
  EXPECT_EQ(refusal("mim(1, 2)"),
            "f:1:2: k: no function mim (did you mean `min`?), column 1 of `mim(1, 2)`");
  EXPECT_EQ(refusal("1 < 2 < 3"),
            "f:1:2: k: comparisons are joined by `and`, not chained, column 7 of `1 < 2 < 3`");
  EXPECT_EQ(refusal("'a"), "f:1:2: k: a text is not closed by ', column 1 of `'a`");
}

TEST(Expression, RefusesWhatHasNoValue) {
  EXPECT_EQ(refusal("1 / 0"), "f:1:2: k: a division by zero, in `1 / 0`");
  EXPECT_EQ(refusal("1 % 0"), "f:1:2: k: a division by zero, in `1 % 0`");
  EXPECT_EQ(refusal("sqrt(-1)"), "f:1:2: k: the result is not a finite number, in `sqrt(-1)`");
  EXPECT_EQ(refusal("1e300 * 1e300"),
            "f:1:2: k: the result is not a finite number, in `1e300 * 1e300`");
  EXPECT_EQ(refusal("kind + 1"),
            "f:1:2: k: a number is needed, got the text systolic, in `kind + 1`");
  EXPECT_EQ(refusal("nothing"), "no nothing");
}

TEST(Expression, IsBounded) {
  const std::string open(64, '('), close(64, ')');
  EXPECT_EQ(value(open + "1" + close), "1");
  EXPECT_THAT(refusal(open + "(1)" + close), testing::HasSubstr("at most 64 brackets may be open"));
  EXPECT_EQ(value(std::string(999, ' ') + "1"), "1");
  EXPECT_THAT(refusal(std::string(1000, ' ') + "1"),
              testing::HasSubstr("an expression has at most 1000 characters, got 1001"));
}

}  // namespace
}  // namespace npu::sweep
