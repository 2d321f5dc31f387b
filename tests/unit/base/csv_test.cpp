#include "sim/base/csv.h"

#include "tests/unit/base/expect_error.h"

namespace npu {
namespace {

std::string refused(const std::string& text) {
  return error_of([&] { static_cast<void>(CsvTable::parse(text, "t.csv")); });
}

TEST(CsvTable, FieldsQuotesCommentsAndLineEnds) {
  const CsvTable t = CsvTable::parse(
      "# source: somewhere\n\n#\na,\"b,c\",d\r\n1,\"x \"\"y\"\", z\",-2.5e1\n  \n7,,\" q\"\n",
      "t.csv");
  EXPECT_EQ(t.comments(), (std::vector<std::string>{"source: somewhere", ""}));
  ASSERT_EQ(t.rows(), 2U);
  EXPECT_TRUE(t.has("b,c"));
  EXPECT_FALSE(t.has("b"));
  EXPECT_EQ(t.integer(0, "a", 1, 1), 1);
  EXPECT_EQ(t.text(0, "b,c"), "x \"y\", z");
  EXPECT_EQ(t.number(0, "d", -25, -25), -25);
  EXPECT_EQ(t.text(1, "b,c"), "");
  EXPECT_EQ(t.text(1, "d"), " q");
  EXPECT_EQ(t.place(0), "t.csv:5");
  EXPECT_EQ(t.place(1), "t.csv:7");
}

TEST(CsvTable, FilesThatAreNoTables) {
  EXPECT_EQ(refused(""), "t.csv: no header line");
  EXPECT_EQ(refused("# only\n\n"), "t.csv: no header line");
  EXPECT_EQ(refused("a,,b\n"), "t.csv:1: column 2 has no name");
  EXPECT_EQ(refused("a,b,a\n"), "t.csv:1: column \"a\" is there twice");
  EXPECT_EQ(refused("a,b\n1,2\n3\n"), "t.csv:3: expected 2 fields as in the header, got 1");
  EXPECT_EQ(refused("a,b\n1,2,3\n"), "t.csv:2: expected 2 fields as in the header, got 3");
  EXPECT_EQ(refused("a,b\n1,\"2\n"), "t.csv:2: a quoted field has no end");
  EXPECT_EQ(refused("a\n" + std::string(1000, ',')), "t.csv:2: more than 1000 fields");
  EXPECT_EQ(error_of([] { static_cast<void>(CsvTable::load("/none/t.csv")); }),
            "/none/t.csv: no such file");
}

TEST(CsvTable, FieldsThatAreNoNumbers) {
  const CsvTable t = CsvTable::parse("n\n12x\n\n7\n1e3\nnan\n99999999999999999999\n", "t.csv");
  const auto integer = [&](std::size_t row) {
    return error_of([&] { static_cast<void>(t.integer(row, "n", 1, 6)); });
  };
  EXPECT_EQ(integer(0), "t.csv:2: n: expected an integer from 1 to 6, got \"12x\"");
  EXPECT_EQ(integer(1), "t.csv:4: n: expected an integer from 1 to 6, got \"7\"");
  EXPECT_EQ(integer(2), "t.csv:5: n: expected an integer from 1 to 6, got \"1e3\"");
  EXPECT_EQ(integer(4),
            "t.csv:7: n: expected an integer from 1 to 6, got \"99999999999999999999\"");
  EXPECT_EQ(t.number(2, "n", 0, 1000), 1000);
  const auto number = [&](std::size_t row) {
    return error_of([&] { static_cast<void>(t.number(row, "n", 0, 999)); });
  };
  EXPECT_EQ(number(2), "t.csv:5: n: expected a number from 0 to 999, got \"1e3\"");
  EXPECT_EQ(number(3), "t.csv:6: n: expected a number from 0 to 999, got \"nan\"");
  EXPECT_EQ(error_of([&] { static_cast<void>(t.text(0, "m")); }), "t.csv: no column \"m\"");
}

TEST(CsvField, ReadsBackAsItWas) {
  for (const std::string text : {"", "plain", "a,b", "say \"no\"", "# not a comment", " blanks "}) {
    const CsvTable t = CsvTable::parse("x,y\n" + csv_field(text) + ",1\n", "t.csv");
    EXPECT_EQ(t.text(0, "x"), text);
  }
  EXPECT_EQ(csv_field("two\nlines"), "\"two lines\"");
}

}  // namespace
}  // namespace npu
