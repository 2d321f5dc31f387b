#include "sim/publish/json_view.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "sim/base/error.h"

namespace npu::publish {
namespace {

template <typename F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string parse_error(const std::string& text) {
  return error_of([&] { (void)parse_json(text, "f.json"); });
}

TEST(ParseJson, RefusesWhatIsNoJson) {
  EXPECT_EQ(parse_error("{\"a\": 1"), "f.json: byte 8: not JSON");
  EXPECT_EQ(parse_error(""), "f.json: byte 1: not JSON");
  EXPECT_EQ(parse_error("{\"a\": NaN}"), "f.json: byte 7: not JSON");
  EXPECT_EQ(parse_error("{\"a\": 1e999}"), "f.json: a number is beyond the range of a double");
  EXPECT_EQ(parse_error(std::string(40, '[') + std::string(40, ']')),
            "f.json: more than 32 levels");
}

TEST(JsonView, ReadsValues) {
  const nlohmann::json json = parse_json(
      R"({"t": "x", "b": true, "n": 1.5, "i": -3, "m": {"k": 1}, "l": [{"k": 2}], "s": ["a"],
          "v": [1, 2], "z": null})",
      "f.json");
  const JsonView in(json, "f.json");
  EXPECT_EQ(in.text("t"), "x");
  EXPECT_TRUE(in.boolean("b"));
  EXPECT_EQ(in.number("n", 0, 2), 1.5);
  EXPECT_EQ(in.number("i", -5, 2), -3);
  EXPECT_EQ(in.integer("i", -3, -3), -3);
  EXPECT_EQ(in.map("m").integer("k", 0, 9), 1);
  EXPECT_EQ(in.maps("l").at(0).integer("k", 0, 9), 2);
  EXPECT_EQ(in.texts("s"), std::vector<std::string>{"a"});
  EXPECT_EQ(in.integers("v", 0, 2), (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(in.map("m").keys(), std::vector<std::string>{"k"});
  EXPECT_TRUE(in.has("z"));
  EXPECT_FALSE(in.has_value("z"));
  EXPECT_FALSE(in.has("q"));
}

TEST(JsonView, NamesThePlaceOfWhatIsWrong) {
  const nlohmann::json json = parse_json(
      R"({"t": 1, "m": {"l": [{"k": "x"}], "n": 1e30, "u": 18446744073709551615}})", "f");
  const JsonView in(json, "f");
  const JsonView m = in.map("m");
  EXPECT_EQ(error_of([&] { (void)in.text("t"); }), "f: t: must be text, got 1");
  EXPECT_EQ(error_of([&] { (void)in.text("q"); }), "f: q: is missing");
  EXPECT_EQ(error_of([&] { (void)in.boolean("t"); }), "f: t: must be true or false, got 1");
  EXPECT_EQ(error_of([&] { (void)in.map("t"); }), "f: t: must be an object, got 1");
  EXPECT_EQ(error_of([&] { (void)in.maps("t"); }), "f: t: must be a list, got 1");
  EXPECT_EQ(error_of([&] { (void)m.maps("l").at(0).integer("k", 0, 9); }),
            "f: m.l[0].k: must be an integer from 0 to 9, got \"x\"");
  EXPECT_EQ(error_of([&] { (void)m.number("n", 0, 5); }),
            "f: m.n: must be a number from 0 to 5, got 1e+30");
  EXPECT_EQ(error_of([&] { (void)m.number("l", 0, 5); }),
            "f: m.l: must be a number from 0 to 5, got a list");
  EXPECT_EQ(error_of([&] { (void)m.integer("u", 0, 5); }),
            "f: m.u: must be an integer from 0 to 5, got 18446744073709551615");
  EXPECT_EQ(error_of([&] { const JsonView v(nlohmann::json(1), "f"); }),
            "f: must be an object, got 1");
}

}  // namespace
}  // namespace npu::publish
