#include "sim/report/page.h"

#include <nlohmann/json.hpp>

#include "sim/base/error.h"

namespace npu {

/// The bytes of sim/report/page/template.html (CMake: npusim_embed).
std::string_view page_template();

namespace report {
namespace {

using Json = nlohmann::json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// JSON for a <script> element: '<' cannot begin "</script" or "<!--", and the line ends that only
/// JavaScript knows (U+2028, U+2029) are escaped. All of them stand in strings only.
std::string script_json(const Json& data) {
  const std::string json = dump(data);
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string_view rest = std::string_view(json).substr(i);
    if (rest.starts_with('<')) {
      out += "\\u003c";
    } else if (rest.starts_with("\u2028") || rest.starts_with("\u2029")) {
      out += rest.starts_with("\u2028") ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += rest.front();
    }
  }
  return out;
}

/// Text for the content of an element.
std::string html_text(std::string_view text) {
  const std::string valid = Json::parse(dump(Json(std::string(text)))).get<std::string>();
  std::string out;
  for (const char c : valid) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace

std::string page(std::string_view title, const nlohmann::json& data) {
  constexpr std::string_view kTitle = "@TITLE@";
  constexpr std::string_view kData = "@DATA@";
  const std::string_view text = page_template();
  const std::size_t title_at = text.find(kTitle);
  const std::size_t data_at = text.find(kData);
  NPU_CHECK(
      title_at != std::string_view::npos && data_at != std::string_view::npos && title_at < data_at,
      "markers of the page");
  NPU_CHECK(data.is_object() && data.contains("kind"), "data of a page");
  std::string out(text.substr(0, title_at));
  out += html_text(title);
  out += text.substr(title_at + kTitle.size(), data_at - title_at - kTitle.size());
  Json titled = data;
  titled["title"] = title;
  out += script_json(titled);
  out += text.substr(data_at + kData.size());
  return out;
}

}  // namespace report
}  // namespace npu
