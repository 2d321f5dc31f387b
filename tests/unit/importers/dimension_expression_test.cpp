#include "workloads/importers/dimension_expression.h"

#include <gtest/gtest.h>

#include "sim/base/error.h"

namespace npu::importers {
namespace {

const Dimensions kNames = {{"a", 6}, {"b_2", 4}, {"big", kLargestDimension}};

std::string error_of(const std::string& text) {
  try {
    return std::to_string(evaluate(text, kNames));
  } catch (const Error& error) {
    return error.what();
  }
}

TEST(DimensionExpression, Values) {
  EXPECT_EQ(evaluate("0", kNames), 0);
  EXPECT_EQ(evaluate(" 12 ", kNames), 12);
  EXPECT_EQ(evaluate("a", kNames), 6);
  EXPECT_EQ(evaluate("2 + a * b_2", kNames), 26);
  EXPECT_EQ(evaluate("(2+a)*b_2", kNames), 32);
  EXPECT_EQ(evaluate("a - b_2 - 1", kNames), 1);
  EXPECT_EQ(evaluate("12 / a / 2", kNames), 1);
  EXPECT_EQ(evaluate("a - 2 * b_2", kNames), -2);
}

TEST(DimensionExpression, Errors) {
  const std::string wanted = "must be an integer or a formula of dimensions, got ";
  EXPECT_EQ(error_of("a b_2"), wanted + "a b_2");
  EXPECT_EQ(error_of("a +"), wanted + "a +");
  EXPECT_EQ(error_of("-a"), wanted + "-a");
  EXPECT_EQ(error_of("1.5"), wanted + "1.5");
  EXPECT_EQ(error_of("0x10"), "must be an integer in plain decimal digits, got 0x10");
  EXPECT_EQ(error_of("010"), "must be an integer in plain decimal digits, got 010");
  EXPECT_EQ(error_of("99999999999999999999"),
            "must be an integer in plain decimal digits, got 99999999999999999999");
  EXPECT_EQ(error_of("aa"), "has no dimension aa (did you mean `a`?), got aa");
  EXPECT_EQ(error_of("a / b_2"), "must divide without remainder (6 / 4), got a / b_2");
  EXPECT_EQ(error_of("a / (a - 6)"), "must divide without remainder (6 / 0), got a / (a - 6)");
  EXPECT_EQ(error_of("big + 1"), "must stay within 2^40, got big + 1");
  EXPECT_EQ(error_of("big * big"), "must stay within 2^40, got big * big");
  EXPECT_EQ(error_of("(a"), "must close its parentheses, got (a");
  EXPECT_EQ(error_of(std::string(17, '(') + "1" + std::string(17, ')')),
            "must have at most 16 parentheses within each other, got "
            "(((((((((((((((((1)))))))))))))))))");
  EXPECT_EQ(error_of(std::string(16, '(') + "1" + std::string(16, ')')), "1");
  EXPECT_EQ(error_of(std::string(201, '1')).substr(0, 45),
            "must be a formula of at most 200 characters, ");
}

TEST(DimensionExpression, Names) {
  EXPECT_TRUE(is_dimension_name("tokens_2"));
  EXPECT_FALSE(is_dimension_name("2tokens"));
  EXPECT_FALSE(is_dimension_name("_a"));
  EXPECT_FALSE(is_dimension_name("Tokens"));
  EXPECT_FALSE(is_dimension_name(""));
  EXPECT_FALSE(is_dimension_name(std::string(41, 'a')));
}

}  // namespace
}  // namespace npu::importers
