#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "sim/base/error.h"
#include "sim/base/yaml_document.h"
#include "sim/interchange/settings_file.h"

namespace npu::interchange {
namespace {

constexpr std::size_t kMaxDepth = 8;

/// Walks over the text and counts its lines: the parser says no places of values.
class LineCounter {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  LineCounter(const char* at, int& line) : at_(at), line_(&line) {}
  reference operator*() const { return *at_; }
  LineCounter& operator++() {
    if (*at_ == '\n') ++*line_;
    ++at_;
    return *this;
  }
  LineCounter operator++(int) {
    const LineCounter before = *this;
    ++*this;
    return before;
  }
  friend bool operator==(const LineCounter& a, const LineCounter& b) { return a.at_ == b.at_; }

 private:
  const char* at_;
  int* line_;
};

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
}

}  // namespace

/// Handler of the parser's events.
class JsonReader {
 public:
  using Json = nlohmann::json;

  JsonReader(std::string_view text, const std::string& file) : text_(text), out_(file) {}

  SettingsFile read() {
    const LineCounter begin(text_.data(), line_);
    const LineCounter end(text_.data() + text_.size(), line_);
    if (!Json::sax_parse(begin, end, this)) fail_here("is no JSON: {}", problem_);
    if (out_.empty()) fail("{}: has no values", out_.file());
    return std::move(out_);
  }

  // The interface that the parser asks for.
  bool null() { return add(Setting::Kind::kWord, "null"); }
  bool boolean(bool value) { return add(Setting::Kind::kWord, value ? "true" : "false"); }
  bool number_integer(Json::number_integer_t value) {
    return add(Setting::Kind::kWord, fmt::format("{}", value));
  }
  bool number_unsigned(Json::number_unsigned_t value) {
    return add(Setting::Kind::kWord, fmt::format("{}", value));
  }
  bool number_float(Json::number_float_t /*value*/, const std::string& text) {
    return add(Setting::Kind::kWord, text);
  }
  bool string(const std::string& value) { return add(Setting::Kind::kText, value); }
  bool binary(const Json::binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*elements*/) {
    if (lists_ > 0) return true;
    if (depth_ == kMaxDepth) fail_here("objects are nested more than {} deep", kMaxDepth);
    if (depth_ > 0) path_.push_back(key_);
    ++depth_;
    return true;
  }
  bool key(const std::string& name) {
    if (lists_ > 0) return true;
    if (name.empty() || !is_printable(name)) fail_here("a key is empty or not printable");
    key_ = name;
    key_line_ = line_;
    return true;
  }
  bool end_object() {
    if (lists_ > 0) return true;
    --depth_;
    if (!path_.empty()) path_.pop_back();
    return true;
  }
  bool start_array(std::size_t /*elements*/) {
    if (lists_ == 0) add(Setting::Kind::kOther, "");
    ++lists_;
    return true;
  }
  bool end_array() {
    --lists_;
    return true;
  }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const Json::exception& /*error*/) {
    problem_ = fmt::format("stopped at byte {}", position);
    return false;
  }

 private:
  template <typename... Args>
  [[noreturn]] void fail_here(fmt::format_string<Args...> format, Args&&... args) const {
    fail("{}:{}: {}", out_.file(), line_, fmt::format(format, std::forward<Args>(args)...));
  }

  bool add(Setting::Kind kind, std::string text) {
    if (lists_ > 0) return true;
    if (depth_ == 0) fail_here("must be an object {{\"key\": value, ...}}");
    if (!is_printable(text)) fail_here("{}: a text is not printable", yaml::shown(key_));
    std::string full;
    for (const std::string& part : path_) full += part + ".";
    out_.add({.key = full + key_, .kind = kind, .text = std::move(text), .line = key_line_});
    return true;
  }

  std::string_view text_;
  SettingsFile out_;
  std::vector<std::string> path_;  ///< Keys of the objects around, but the outermost.
  std::string key_, problem_;
  std::size_t depth_ = 0, lists_ = 0;
  int line_ = 1, key_line_ = 1;
};

SettingsFile SettingsFile::parse_json(std::string_view text, const std::string& file) {
  return JsonReader(text, file).read();
}

}  // namespace npu::interchange
