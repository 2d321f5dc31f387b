#include "sim/report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace npu::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

constexpr std::string_view kOpen = R"(<script id="data" type="application/json">)";

std::string data_of(const std::string& html) {
  const std::size_t begin = html.find(kOpen) + kOpen.size();
  return html.substr(begin, html.find("</script>", begin) - begin);
}

TEST(Page, HoldsTitleAndData) {
  const std::string html = page("cycles & bytes", {{"kind", "validation"}, {"suites", {1, 2.5}}});
  EXPECT_THAT(html, HasSubstr("<title>cycles &amp; bytes</title>"));
  EXPECT_EQ(Json::parse(data_of(html)),
            Json({{"kind", "validation"}, {"title", "cycles & bytes"}, {"suites", {1, 2.5}}}));
}

TEST(Page, TextIsNeverMarkup) {
  const std::string name = "</script><script>alert(1)</script><!-- @DATA@ @TITLE@ \u2028\u2029";
  const Json data = {{"kind", "validation"}, {name, name}};
  const std::string json = data_of(page(name, data));
  EXPECT_THAT(json, Not(HasSubstr("<")));
  EXPECT_THAT(json, Not(HasSubstr("\u2028")));
  EXPECT_THAT(json, Not(HasSubstr("\u2029")));
  EXPECT_EQ(Json::parse(json).at(name), name);
  EXPECT_THAT(page(name, data), HasSubstr("<title>&lt;/script&gt;&lt;script&gt;"));
}

TEST(Page, BrokenTextAndFigures) {
  const std::string html = page(
      "a\xff", {{"kind", "validation"}, {"x", {"\xff", std::numeric_limits<double>::quiet_NaN()}}});
  EXPECT_THAT(html, HasSubstr("<title>a\uFFFD</title>"));
  EXPECT_EQ(Json::parse(data_of(html)).at("x"), Json({"\uFFFD", nullptr}));
}

TEST(Page, LoadsNothing) {
  const std::string html = page("t", {{"kind", "validation"}});
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  EXPECT_THAT(html, Not(HasSubstr("<link")));
  EXPECT_THAT(html, Not(HasSubstr("<script src")));
}

TEST(Page, DataNeedAKind) { EXPECT_THROW((void)page("t", Json::object()), std::logic_error); }

}  // namespace
}  // namespace npu::report
