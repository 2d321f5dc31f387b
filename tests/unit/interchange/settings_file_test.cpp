#include "sim/interchange/settings_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "sim/base/error.h"

namespace npu::interchange {
namespace {

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

std::string ini_error(std::string_view text) {
  return message_of([&] { (void)SettingsFile::parse_ini(text, "a.cfg"); });
}
std::string json_error(std::string_view text) {
  return message_of([&] { (void)SettingsFile::parse_json(text, "a.json"); });
}

TEST(IniFiles, AreReadAsConfigparserDoes) {
  auto in = SettingsFile::parse_ini(
      "# a comment\r\n[General]\r\nrun_name = \"a b\"\n; more\n\n[x]\nHeight:  32\n"
      "Width = 7 \nlist: 1, 2\nempty =\n",
      "a.cfg");
  EXPECT_EQ(in.require("General.RUN_NAME").text, "a b");
  EXPECT_EQ(in.require("General.run_name").kind, Setting::Kind::kText);
  EXPECT_EQ(in.require("x.Height").line, 7);
  EXPECT_EQ(in.require_int("x.height", 1, 64), 32);
  EXPECT_EQ(in.get_int("x.width", 1, 64), 7);
  EXPECT_EQ(in.get_int("x.depth", 1, 64), std::nullopt);
  EXPECT_EQ(in.find("x.list")->text, "1, 2");
  const std::vector<const Setting*> unused = in.unused();
  ASSERT_EQ(unused.size(), 1);
  EXPECT_EQ(in.place(*unused[0]), "a.cfg:10: x.empty");
}

TEST(IniFiles, BrokenOnesNameTheLine) {
  EXPECT_EQ(ini_error(""), "a.cfg: has no values");
  EXPECT_EQ(ini_error("a = 1\n"), "a.cfg:1: a = 1: must stand behind a [section]");
  EXPECT_EQ(ini_error("[s]\nnothing\n"), "a.cfg:2: must be [section] or key = value, got nothing");
  EXPECT_EQ(ini_error("[s]\n= 3\n"), "a.cfg:2: must be [section] or key = value, got = 3");
  EXPECT_EQ(ini_error("[s\n"), "a.cfg:1: must be [section] or key = value, got [s");
  EXPECT_EQ(ini_error("[]\n"), "a.cfg:1: must be [section] or key = value, got []");
  EXPECT_EQ(ini_error("[s]\na = 1\n[s]\n"), "a.cfg:3: section s is there twice");
  EXPECT_EQ(ini_error("[s]\na = 1\nA: 2\n"), "a.cfg:3: s.A: is there twice, first in line 2");
  EXPECT_EQ(ini_error("[s]\na = 1\n  2\n"),
            "a.cfg:3: 2: begins with a blank, which continues the value before: not read here");
  EXPECT_EQ(ini_error(std::string("[s]\na = \0\n", 9)), "a.cfg:2: has a control character");
}

TEST(IniFiles, HaveAtMostTenThousandValues) {
  std::string text = "[s]\n";
  for (int i = 0; i < 10'000; ++i) text += "a" + std::to_string(i) + " = 1\n";
  EXPECT_EQ(ini_error(text), "no error");
  EXPECT_EQ(ini_error(text + "more = 1\n"), "a.cfg:10002: more than 10000 values");
}

TEST(JsonFiles, AreFlattened) {
  auto in = SettingsFile::parse_json(
      "{\n \"a\" : 3,\n\t\"b\":{\"c\": \"x\",\n\"d\": {\"e\": true}},\n\"f\": [1, {\"g\": 2}], "
      "\"h\": -1.5, \"i\": null}",
      "a.json");
  EXPECT_EQ(in.require_int("a", 0, 9), 3);
  EXPECT_EQ(in.require("b.c").kind, Setting::Kind::kText);
  EXPECT_EQ(in.require("b.c").line, 3);
  EXPECT_EQ(in.require("b.d.e").text, "true");
  EXPECT_EQ(in.require("f").kind, Setting::Kind::kOther);
  EXPECT_EQ(in.require("h").text, "-1.5");
  EXPECT_EQ(in.require("h").line, 5);
  EXPECT_FALSE(in.has("g"));
  EXPECT_EQ(in.unused().size(), 1);
}

TEST(JsonFiles, BrokenOnesNameTheLine) {
  EXPECT_EQ(json_error(""), "a.json:1: is no JSON: stopped at byte 1");
  EXPECT_EQ(json_error("{\n\"a\": 1,\n}"), "a.json:3: is no JSON: stopped at byte 11");
  EXPECT_EQ(json_error("3"), "a.json:1: must be an object {\"key\": value, ...}");
  EXPECT_EQ(json_error("[3]"), "a.json:1: must be an object {\"key\": value, ...}");
  EXPECT_EQ(json_error("{}"), "a.json: has no values");
  EXPECT_EQ(json_error("{\"a\": 1,\n\"A\": 2}"), "a.json:2: A: is there twice, first in line 1");
  EXPECT_EQ(json_error("{\"\": 1}"), "a.json:1: a key is empty or not printable");
  EXPECT_EQ(json_error("{\"a\": \"x\\u0007\"}"), "a.json:1: a: a text is not printable");
  std::string deep;
  for (int i = 0; i < 9; ++i) deep += "{\"a\":";
  EXPECT_EQ(json_error(deep), "a.json:1: objects are nested more than 8 deep");
}

TEST(Settings, MessagesNameKeyAndValue) {
  auto in =
      SettingsFile::parse_ini("[s]\nheigth = 3\nword = x\nnumber = 70\ntext = \"3\"\n", "a.cfg");
  EXPECT_EQ(message_of([&] { (void)in.require("s.height"); }),
            "a.cfg: s.height: is missing (did you mean `s.heigth`?)");
  EXPECT_EQ(message_of([&] { (void)in.require_int("s.word", 1, 9); }),
            "a.cfg:3: s.word: must be an integer from 1 to 9, got x");
  EXPECT_EQ(message_of([&] { (void)in.require_int("s.number", 1, 9); }),
            "a.cfg:4: s.number: must be an integer from 1 to 9, got 70");
  EXPECT_EQ(message_of([&] { (void)in.require_int("s.text", 1, 9); }),
            "a.cfg:5: s.text: must be an integer from 1 to 9, got 3");
  constexpr std::array<std::string_view, 2> kWords = {"on", "off"};
  EXPECT_EQ(message_of([&] { (void)in.require_choice("s.word", kWords); }),
            "a.cfg:3: s.word: must be one of on, off, got x");
  auto json = SettingsFile::parse_json(R"({"a": [1]})", "a.json");
  EXPECT_EQ(message_of([&] { (void)json.require_choice("a", kWords); }),
            "a.json:1: a: must be one of on, off, got a list");
}

}  // namespace
}  // namespace npu::interchange
