#include "sim/base/yaml_map.h"

#include <array>
#include <string>

#include "tests/unit/base/expect_error.h"

namespace npu {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

YamlMap map_of(const std::string& text) { return YamlMap::from_text(text, "f.yaml"); }
std::string parse_error(const std::string& text) {
  return error_of([&] { (void)map_of(text); });
}
template <typename T>
std::string require_error(const std::string& value) {
  return error_of([&] { (void)map_of("k: " + value + "\n").require<T>("k"); });
}

TEST(YamlMap, ReadsEachType) {
  const YamlMap in = map_of("i: -42\nd: 1.5e-3\nb: true\ns: some words\nq: \"12\"\nz: 0\n");
  EXPECT_EQ(in.require<int>("i"), -42);
  EXPECT_DOUBLE_EQ(in.require<double>("d"), 1.5e-3);
  EXPECT_DOUBLE_EQ(in.require<double>("i"), -42.0);
  EXPECT_TRUE(in.require<bool>("b"));
  EXPECT_EQ(in.require<std::string>("s"), "some words");
  EXPECT_EQ(in.require<std::string>("q"), "12");
  EXPECT_EQ(in.get<int>("absent", 7), 7);
  EXPECT_EQ(in.require<std::uint64_t>("z"), 0U);
  in.finish();
}

TEST(YamlMap, ReadsIntegerLimits) {
  EXPECT_EQ(map_of("k: 9223372036854775807").require<std::int64_t>("k"), INT64_MAX);
  EXPECT_EQ(map_of("k: -9223372036854775808").require<std::int64_t>("k"), INT64_MIN);
  EXPECT_THAT(require_error<std::int64_t>("9223372036854775808"),
              HasSubstr("must be an integer of 64 bits, got 9223372036854775808"));
  EXPECT_EQ(map_of("k: 255").require<std::uint8_t>("k"), 255);
  EXPECT_THAT(require_error<std::uint8_t>("256"), HasSubstr("must be 0 to 255, got 256"));
  EXPECT_THAT(require_error<std::uint32_t>("-1"), HasSubstr("must be 0 to 4294967295, got -1"));
}

TEST(YamlMap, RefusesOtherNotationsForIntegers) {
  for (const char* const value : {"010", "0x10", "0o17", "1e3", "1.0", "+1", "\"1\"", "1_000", "-x",
                                  "1 2", ".inf", "one", "--1", "00"}) {
    EXPECT_THAT(require_error<int>(value),
                StartsWith("f.yaml:1:4: k: must be an integer in plain decimal digits, got "))
        << value;
  }
}

TEST(YamlMap, RefusesOtherNotationsForNumbers) {
  for (const char* const value : {".nan", ".inf", "-.inf", "nan", "inf", "1.", ".5", "0x1p3",
                                  "01.5", "1e", "'1.5'", "1.5.2", "1,5"}) {
    EXPECT_THAT(require_error<double>(value), HasSubstr("k: must be a finite decimal number, got "))
        << value;
  }
  EXPECT_THAT(require_error<double>("1e999"), HasSubstr("within the range of a double, got 1e999"));
  EXPECT_THAT(require_error<double>("1e-999"), HasSubstr("within the range of a double"));
}

TEST(YamlMap, RefusesOtherTypes) {
  EXPECT_THAT(require_error<bool>("yes"), HasSubstr("must be true or false, got yes"));
  EXPECT_THAT(require_error<bool>("\"true\""), HasSubstr("must be true or false, got \"true\""));
  EXPECT_THAT(require_error<std::string>("' '"), HasSubstr("must be a text, got \" \""));
  EXPECT_THAT(require_error<int>("[1]"), HasSubstr("must be a single value, got a list"));
  EXPECT_THAT(require_error<int>("{a: 1}"), HasSubstr("must be a single value, got a mapping"));
  EXPECT_THAT(require_error<int>("~"), HasSubstr("must be a single value, got nothing"));
  EXPECT_THAT(error_of([] { (void)map_of("k: 3").require_map("k"); }),
              HasSubstr("must be a mapping, got 3"));
}

TEST(YamlMap, RangesIncludeTheirEnds) {
  const YamlMap in = map_of("i: 5\nd: 2.5\n");
  EXPECT_EQ(in.require_int("i", 5, 5), 5);
  EXPECT_THAT(error_of([&] { (void)in.require_int("i", 6, 9); }),
              StartsWith("f.yaml:1:4: i: must be 6 to 9, got 5"));
  EXPECT_THAT(error_of([&] { (void)in.get_int("i", 0, 1, 4); }),
              HasSubstr("must be 1 to 4, got 5"));
  EXPECT_EQ(in.get_int("absent", 0, 1, 4), 0);
  EXPECT_DOUBLE_EQ(in.require_number("d", 2.5, 2.5), 2.5);
  EXPECT_THAT(error_of([&] { (void)in.require_number("d", 0, 2.4); }),
              StartsWith("f.yaml:2:4: d: must be 0 to 2.4, got 2.5"));
  EXPECT_THAT(error_of([&] { (void)in.get_number("d", 1, 3, 4); }), HasSubstr("must be 3 to 4"));
}

TEST(YamlMap, Choices) {
  constexpr std::array<std::pair<std::string_view, int>, 2> kWords = {{{"open", 1}, {"closed", 2}}};
  EXPECT_EQ(map_of("k: closed").require_choice<int>("k", kWords), 2);
  EXPECT_EQ(map_of("x: 1").get_choice("k", 9, kWords), 9);
  EXPECT_THAT(error_of([&] { (void)map_of("k: opne").require_choice<int>("k", kWords); }),
              HasSubstr("k: must be one of open, closed, got opne (did you mean `open`?)"));
}

TEST(YamlMap, MissingAndUnknownKeys) {
  EXPECT_THAT(error_of([] { (void)map_of("a: 1").require<int>("rows"); }),
              StartsWith("f.yaml:1:1: rows: must be given, got nothing"));
  const YamlMap in = map_of("rows: 1\ncolz: 2\n");
  EXPECT_EQ(in.require<int>("rows"), 1);
  EXPECT_EQ(in.get<int>("cols", 3), 3);
  EXPECT_THAT(error_of([&] { in.finish(); }),
              StartsWith("f.yaml:2:1: colz: unknown key (did you mean `cols`?)"));
  EXPECT_THAT(
      error_of([&] { (void)map_of("colz: 2").require<int>("cols"); }),
      StartsWith("f.yaml:1:1: cols: must be given, got nothing; is `colz` in line 1 meant?"));
  EXPECT_EQ(error_of([] { map_of("whatever: 2").finish(); }), "f.yaml:1:1: whatever: unknown key");
}

TEST(YamlMap, NestedKeysHaveDottedPaths) {
  const YamlMap in = map_of("outer:\n  inner: {deep: x}\n");
  const YamlMap inner = in.require_map("outer").require_map("inner");
  EXPECT_EQ(inner.path(), "outer.inner");
  EXPECT_THAT(error_of([&] { (void)inner.require<int>("deep"); }),
              StartsWith("f.yaml:2:17: outer.inner.deep: must be an integer"));
  EXPECT_FALSE(in.get_map("other").has_value());
  EXPECT_EQ(in.keys(), std::vector<std::string>{"outer"});
  in.finish();
}

TEST(YamlMap, RefusesWhatYamlCppLetsPass) {
  EXPECT_THAT(parse_error("a: 1\nb: 2\na: 3\n"),
              StartsWith("f.yaml:3:1: a: key must be given once, got it already in line 1"));
  EXPECT_THAT(parse_error("a: &x 1\nb: *x\n"), HasSubstr("anchors are not allowed, got &x"));
  EXPECT_THAT(parse_error("b: *x\n"), HasSubstr("not valid YAML"));
  EXPECT_THAT(parse_error("<<: {a: 1}\n"), HasSubstr("merge keys are not allowed, got <<"));
  EXPECT_THAT(parse_error("a: !!int 3\n"), HasSubstr("tags are not allowed"));
  EXPECT_THAT(parse_error("a: !mine {}\n"), HasSubstr("tags are not allowed, got !mine"));
  EXPECT_THAT(parse_error("[a]: 3\n"), HasSubstr("keys must be plain words, got a list"));
  EXPECT_THAT(parse_error("? {a: 1}\n: 3\n"), HasSubstr("keys must be plain words"));
  EXPECT_THAT(parse_error("~: 3\n"), HasSubstr("keys must be plain words, got nothing"));
  EXPECT_THAT(parse_error("a: 1\n---\nb: 2\n"), HasSubstr("only one document is allowed"));
}

TEST(YamlMap, RefusesWhatIsNoMapping) {
  EXPECT_THAT(parse_error(""), StartsWith("f.yaml:1:1: must hold a mapping of keys to values"));
  EXPECT_THAT(parse_error("# nothing\n"), HasSubstr("got nothing"));
  EXPECT_THAT(parse_error("- a\n- b\n"), HasSubstr("got a list"));
  EXPECT_THAT(parse_error("word\n"), HasSubstr("got word"));
  EXPECT_THAT(parse_error("a: [1\n"), HasSubstr("not valid YAML"));
  EXPECT_THAT(parse_error("a: b: c\n"), StartsWith("f.yaml:1:"));
}

TEST(YamlMap, RefusesWhatIsNoText) {
  EXPECT_THAT(
      parse_error(std::string("a: \0b", 5)),
      StartsWith("f.yaml:1:4: text must be UTF-8 without control characters, got byte 0x00"));
  EXPECT_THAT(parse_error("a: 1\nb: \xff\xfe\n"), StartsWith("f.yaml:2:4: text must be UTF-8"));
  for (const char* const bad :
       {"a: \xc0\x80", "a: \xed\xa0\x80", "a: \xe0\x80\x80", "a: \xf4\x90\x80\x80",
        "a: \xf0\x80\x80\x80", "a: \xe2\x82", "a: \x80", "a: \x1b[0m"}) {
    EXPECT_THAT(parse_error(bad), HasSubstr("text must be UTF-8"));
  }
  EXPECT_EQ(map_of("a: 32\xc3\x97"
                   "32 \xe2\x82\xac \xf0\x9f\x98\x80")
                .require<std::string>("a"),
            "32\xc3\x97"
            "32 \xe2\x82\xac \xf0\x9f\x98\x80");
}

TEST(YamlMap, BoundsDepthSizeAndCount) {
  std::string nested = "a: ";
  EXPECT_EQ(map_of(nested + std::string(31, '[') + std::string(31, ']')).keys().size(), 1U);
  EXPECT_THAT(parse_error(nested + std::string(32, '[') + std::string(32, ']')),
              HasSubstr("at most 32 levels may be nested, got more"));
  EXPECT_THAT(parse_error(nested + std::string(500'000, '[')), StartsWith("f.yaml:1:"));
  EXPECT_THAT(parse_error(nested + std::string(500'000, '{')), StartsWith("f.yaml:1:"));
  std::string dashes = "a:\n";
  for (int i = 0; i < 100'000; ++i) dashes += "- ";
  EXPECT_THAT(parse_error(dashes), HasSubstr("at most 32 levels"));
  EXPECT_THAT(parse_error(std::string((1 << 20) + 1, '#')),
              HasSubstr("f.yaml: at most 1048576 bytes are read, got 1048577"));
  std::string many = "a: [";
  for (int i = 0; i < 100'001; ++i) many += "1,";
  EXPECT_THAT(parse_error(many + "]"), HasSubstr("at most 100000 values are read, got more"));
}

TEST(YamlMap, ShowsLongAndStrangeValuesSafely) {
  const std::string message = require_error<int>("\"" + std::string(200, 'x') + "\"");
  EXPECT_LT(message.size(), 200U);
  EXPECT_THAT(message, HasSubstr("xxx..."));
  EXPECT_THAT(require_error<int>("\"a\\nb\""), HasSubstr("got \"a\\x0ab\""));
}

TEST(YamlMap, FailNamesTheMappingWhereTheKeyIsAbsent) {
  const YamlMap in = map_of("outer:\n  a: 1\n").require_map("outer");
  EXPECT_THAT(error_of([&] { in.fail("b", "must be even, got 3"); }),
              StartsWith("f.yaml:2:3: outer.b: must be even, got 3"));
}

TEST(YamlMap, ReadsLists) {
  const YamlMap in = map_of("a: [1, x y, 'z']\nb: one\nc:\n  - {k: 1}\n  - {k: 2}\n");
  EXPECT_EQ(in.require_texts("a"), (std::vector<std::string>{"1", "x y", "z"}));
  EXPECT_EQ(in.require_texts("b"), (std::vector<std::string>{"one"}));
  const std::vector<YamlMap> maps = in.require_maps("c");
  ASSERT_EQ(maps.size(), 2U);
  EXPECT_EQ(maps[1].require<int>("k"), 2);
  EXPECT_EQ(maps[1].path(), "c[1]");
}

TEST(YamlMap, RefusesOtherLists) {
  const YamlMap in = map_of("a: [1, [2]]\nb: []\nc: [{k: 1}, 2]\nd: 5\n");
  const auto error_of = [](const auto& read) -> std::string {
    try {
      (void)read();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of([&] { return in.require_texts("a"); }),
            "f.yaml:1:8: a[1]: must be a single value, got a list");
  EXPECT_EQ(error_of([&] { return in.require_texts("b"); }),
            "f.yaml:2:4: b: must be a list of values, got an empty one");
  EXPECT_EQ(error_of([&] { return in.require_maps("c"); }),
            "f.yaml:3:13: c[1]: must be a mapping, got 2");
  EXPECT_EQ(error_of([&] { return in.require_maps("d"); }),
            "f.yaml:4:4: d: must be a list of mappings, got 5");
}

}  // namespace
}  // namespace npu
