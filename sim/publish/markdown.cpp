#include "sim/publish/markdown.h"

#include <fmt/format.h>

namespace npu::publish {

std::string markdown_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '|':
        out += "\\|";
        break;
      case '<':
        out += "&lt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '\n':
      case '\r':
        out += ' ';
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string markdown_head(const std::vector<std::string>& names) {
  std::string titles = "\n|", rule = "|";
  for (const std::string& name : names) {
    const bool is_number = name.starts_with('>');
    titles += fmt::format(" {} |", markdown_text(is_number ? name.substr(1) : name));
    rule += is_number ? " ---: |" : " --- |";
  }
  return titles + "\n" + rule + "\n";
}

}  // namespace npu::publish
