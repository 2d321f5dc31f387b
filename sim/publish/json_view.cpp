#include "sim/publish/json_view.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "sim/base/error.h"

namespace npu::publish {
namespace {

using Json = nlohmann::json;

constexpr int kMaxDepth = 32;
constexpr std::size_t kShown = 60;

/// A value as messages show it.
std::string shown(const Json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "a list";
  const std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= kShown ? text : text.substr(0, kShown) + "...";
}

std::int64_t integer_of(const Json& value, const std::string& place, std::int64_t low,
                        std::int64_t high) {
  const bool fits =
      value.is_number_integer() &&
      (!value.is_number_unsigned() || std::in_range<std::int64_t>(value.get<std::uint64_t>())) &&
      value.get<std::int64_t>() >= low && value.get<std::int64_t>() <= high;
  if (!fits) fail("{}: must be an integer from {} to {}, got {}", place, low, high, shown(value));
  return value.get<std::int64_t>();
}

const std::string& text_of(const Json& value, const std::string& place) {
  if (!value.is_string()) fail("{}: must be text, got {}", place, shown(value));
  return value.get_ref<const std::string&>();
}

}  // namespace

Json parse_json(std::string_view text, const std::string& file) {
  const auto check_depth = [&](int depth, Json::parse_event_t, Json&) {
    if (depth > kMaxDepth) fail("{}: more than {} levels", file, kMaxDepth);
    return true;
  };
  try {
    return Json::parse(text, check_depth);
  } catch (const Json::parse_error& error) {
    fail("{}: byte {}: not JSON", file, error.byte);
  } catch (const Json::out_of_range&) {
    fail("{}: a number is beyond the range of a double", file);
  }
}

JsonView::JsonView(const Json& json, std::string file, std::string path)
    : json_(&json), file_(std::move(file)), path_(std::move(path)) {
  if (!json.is_object()) {
    fail("{}: must be an object, got {}", path_.empty() ? file_ : file_ + ": " + path_,
         shown(json));
  }
}

std::string JsonView::place(std::string_view key) const {
  return fmt::format("{}: {}{}{}", file_, path_, path_.empty() ? "" : ".", key);
}

bool JsonView::has(std::string_view key) const { return json_->contains(key); }

bool JsonView::has_value(std::string_view key) const {
  return has(key) && !json_->find(key)->is_null();
}

const Json& JsonView::at(std::string_view key) const {
  const auto found = json_->find(key);
  if (found == json_->end()) fail("{}: is missing", place(key));
  return *found;
}

const Json& JsonView::list(std::string_view key) const {
  const Json& value = at(key);
  if (!value.is_array()) fail("{}: must be a list, got {}", place(key), shown(value));
  return value;
}

const std::string& JsonView::text(std::string_view key) const {
  return text_of(at(key), place(key));
}

bool JsonView::boolean(std::string_view key) const {
  const Json& value = at(key);
  if (!value.is_boolean()) fail("{}: must be true or false, got {}", place(key), shown(value));
  return value.get<bool>();
}

double JsonView::number(std::string_view key, double low, double high) const {
  const Json& value = at(key);
  const double number = value.is_number() ? value.get<double>() : NAN;
  if (!(number >= low && number <= high)) {
    fail("{}: must be a number from {} to {}, got {}", place(key), low, high, shown(value));
  }
  return number;
}

std::int64_t JsonView::integer(std::string_view key, std::int64_t low, std::int64_t high) const {
  return integer_of(at(key), place(key), low, high);
}

JsonView JsonView::map(std::string_view key) const {
  return {at(key), file_, path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key)};
}

std::vector<JsonView> JsonView::maps(std::string_view key) const {
  std::vector<JsonView> out;
  const Json& values = list(key);
  for (std::size_t i = 0; i < values.size(); ++i) {
    out.emplace_back(values[i], file_,
                     fmt::format("{}{}{}[{}]", path_, path_.empty() ? "" : ".", key, i));
  }
  return out;
}

std::vector<std::string> JsonView::texts(std::string_view key) const {
  std::vector<std::string> out;
  for (const Json& value : list(key)) out.push_back(text_of(value, place(key)));
  return out;
}

std::vector<std::int64_t> JsonView::integers(std::string_view key, std::int64_t low,
                                             std::int64_t high) const {
  std::vector<std::int64_t> out;
  for (const Json& value : list(key)) out.push_back(integer_of(value, place(key), low, high));
  return out;
}

std::vector<std::string> JsonView::keys() const {
  std::vector<std::string> out;
  for (const auto& [key, value] : json_->items()) out.push_back(key);
  return out;
}

}  // namespace npu::publish
