#include <algorithm>
#include <set>

#include "sim/base/error.h"
#include "sim/base/yaml_document.h"
#include "sim/interchange/settings_file.h"

namespace npu::interchange {
namespace {

constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text,
                             [](unsigned char c) { return c == '\t' || (c >= 0x20 && c != 0x7f); });
}

bool is_quoted(std::string_view text) {
  return text.size() >= 2 && text.front() == text.back() &&
         (text.front() == '"' || text.front() == '\'');
}

}  // namespace

class IniReader {
 public:
  IniReader(std::string_view text, const std::string& file) : text_(text), out_(file) {}

  SettingsFile read() {
    while (!text_.empty()) {
      const std::size_t end = std::min(text_.find('\n'), text_.size());
      std::string_view line = text_.substr(0, end);
      text_.remove_prefix(std::min(end + 1, text_.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      ++line_;
      read_line(line);
    }
    if (out_.empty()) fail("{}: has no values", out_.file());
    return std::move(out_);
  }

 private:
  template <typename... Args>
  [[noreturn]] void fail_here(fmt::format_string<Args...> format, Args&&... args) const {
    fail("{}:{}: {}", out_.file(), line_, fmt::format(format, std::forward<Args>(args)...));
  }

  void read_line(std::string_view line) {
    const std::string_view content = trimmed(line);
    if (content.empty() || content.front() == '#' || content.front() == ';') return;
    if (!is_printable(line)) fail_here("has a control character");
    if (kBlanks.find(line.front()) != std::string_view::npos && has_value_) {
      fail_here("{}: begins with a blank, which continues the value before: not read here",
                yaml::shown(content));
    }
    if (content.front() == '[') return read_section(content);
    if (section_.empty()) {
      fail_here("{}: must stand behind a [section]", yaml::shown(content));
    }
    const std::size_t delimiter = content.find_first_of("=:");
    const std::string_view key = trimmed(content.substr(0, delimiter));
    if (delimiter == std::string_view::npos || key.empty()) {
      fail_here("must be [section] or key = value, got {}", yaml::shown(content));
    }
    std::string_view value = trimmed(content.substr(delimiter + 1));
    const bool quoted = is_quoted(value);
    if (quoted) value = value.substr(1, value.size() - 2);
    out_.add({.key = section_ + "." + std::string(key),
              .kind = quoted ? Setting::Kind::kText : Setting::Kind::kWord,
              .text = std::string(value),
              .line = line_});
    has_value_ = true;
  }

  void read_section(std::string_view content) {
    const std::string_view name = trimmed(content.substr(1, content.size() - 2));
    if (content.back() != ']' || name.empty() || content.size() < 3) {
      fail_here("must be [section] or key = value, got {}", yaml::shown(content));
    }
    section_ = name;
    has_value_ = false;
    if (!sections_.insert(section_).second) {
      fail_here("section {} is there twice", yaml::shown(name));
    }
  }

  std::string_view text_;
  SettingsFile out_;
  std::string section_;
  std::set<std::string> sections_;
  bool has_value_ = false;  ///< In this section.
  int line_ = 0;
};

SettingsFile SettingsFile::parse_ini(std::string_view text, const std::string& file) {
  return IniReader(text, file).read();
}

}  // namespace npu::interchange
