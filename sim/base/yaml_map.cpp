#include "sim/base/yaml_map.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>
#include <system_error>

#include "sim/base/file.h"
#include "sim/base/key_error.h"
#include "sim/base/suggest.h"
#include "sim/base/yaml_document.h"

namespace npu {
namespace {

using yaml::shown;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Drops the leading digits of a plain decimal integer; false if there is none ("010" has none).
bool eat_integer(std::string_view& text) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0 || (digits > 1 && text[0] == '0')) return false;
  text.remove_prefix(digits);
  return true;
}

bool eat_digits(std::string_view& text) {
  if (text.empty() || !is_digit(text[0])) return false;
  while (!text.empty() && is_digit(text[0])) text.remove_prefix(1);
  return true;
}

bool is_plain_integer(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return eat_integer(text) && text.empty();
}

bool is_plain_number(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  if (!eat_integer(text)) return false;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (!eat_digits(text)) return false;
  }
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    if (!eat_digits(text)) return false;
  }
  return text.empty();
}

}  // namespace

/// Keys that the program knows in this mapping, read or not.
struct YamlMap::Asked {
  std::set<std::string, std::less<>> keys;
};

YamlMap::YamlMap(std::shared_ptr<const yaml::Document> document, const yaml::Node* node,
                 std::string path)
    : document_(std::move(document)),
      node_(node),
      path_(std::move(path)),
      asked_(std::make_shared<Asked>()) {}

YamlMap YamlMap::from_text(std::string_view text, const std::string& file) {
  return from_document(yaml::parse(text, file));
}

YamlMap YamlMap::from_document(std::shared_ptr<const yaml::Document> document) {
  const yaml::Node* root = &document->root;
  return {std::move(document), root, ""};
}

YamlMap YamlMap::from_file(const std::string& path) {
  return from_text(read_file(path, kMaxFileBytes), path);
}

const std::string& YamlMap::file() const { return document_->file; }

bool YamlMap::has(std::string_view key) const {
  asked_->keys.emplace(key);
  return node_->find(key) != nullptr;
}

std::vector<std::string> YamlMap::keys() const {
  std::vector<std::string> result;
  for (const yaml::Node::Entry& entry : node_->entries) result.push_back(entry.key);
  return result;
}

void YamlMap::fail(std::string_view key, std::string_view message) const {
  const yaml::Node::Entry* entry = node_->find(key);
  const yaml::Node& place = entry == nullptr ? *node_ : entry->value;
  throw Error(fmt::format("{}:{}:{}: {}{}{}: {}", file(), place.line, place.column, path_,
                          path_.empty() ? "" : ".", key, message));
}

void YamlMap::finish() const {
  for (const yaml::Node::Entry& entry : node_->entries) {
    if (asked_->keys.contains(entry.key)) continue;
    const std::vector<std::string> known(asked_->keys.begin(), asked_->keys.end());
    const std::string prefix = path_.empty() ? "" : path_ + ".";
    throw KeyError(
        fmt::format("{}:{}:{}: {}{}: unknown key{}", file(), entry.line, entry.column, prefix,
                    shown(std::string_view(entry.key)), did_you_mean(entry.key, known)),
        prefix + entry.key);
  }
}

const yaml::Node& YamlMap::value_of(std::string_view key) const {
  if (!has(key)) {
    // A slip in the key is the likeliest reason that it is missing.
    const std::vector<std::string> wanted = {std::string(key)};
    for (const yaml::Node::Entry& entry : node_->entries) {
      if (!asked_->keys.contains(entry.key) && closest_name(entry.key, wanted)) {
        fail(key, fmt::format("must be given, got nothing; is `{}` in line {} meant?",
                              shown(std::string_view(entry.key)), entry.line));
      }
    }
    fail(key, "must be given, got nothing");
  }
  return node_->find(key)->value;
}

const yaml::Node& YamlMap::scalar(std::string_view key) const {
  const yaml::Node& node = value_of(key);
  if (node.kind != yaml::Kind::kScalar) {
    fail(key, fmt::format("must be a single value, got {}", shown(node)));
  }
  return node;
}

std::int64_t YamlMap::integer(std::string_view key) const {
  const yaml::Node& node = scalar(key);
  if (!node.plain || !is_plain_integer(node.text)) {
    fail(key, fmt::format("must be an integer in plain decimal digits, got {}", shown(node)));
  }
  std::int64_t value = 0;
  const auto end = node.text.data() + node.text.size();
  if (std::from_chars(node.text.data(), end, value).ec != std::errc()) {
    fail(key, fmt::format("must be an integer of 64 bits, got {}", shown(node)));
  }
  return value;
}

double YamlMap::number(std::string_view key) const {
  const yaml::Node& node = scalar(key);
  if (!node.plain || !is_plain_number(node.text)) {
    fail(key, fmt::format("must be a finite decimal number, got {}", shown(node)));
  }
  double value = 0;
  const auto end = node.text.data() + node.text.size();
  if (std::from_chars(node.text.data(), end, value).ec != std::errc()) {
    fail(key, fmt::format("must be within the range of a double, got {}", shown(node)));
  }
  return value;
}

bool YamlMap::boolean(std::string_view key) const {
  const yaml::Node& node = scalar(key);
  if (!node.plain || (node.text != "true" && node.text != "false")) {
    fail(key, fmt::format("must be true or false, got {}", shown(node)));
  }
  return node.text == "true";
}

std::string YamlMap::text(std::string_view key) const {
  const yaml::Node& node = scalar(key);
  if (node.text.find_first_not_of(" \t\r\n") == std::string::npos) {
    fail(key, fmt::format("must be a text, got {}", shown(node)));
  }
  return node.text;
}

std::int64_t YamlMap::require_int(std::string_view key, std::int64_t low, std::int64_t high) const {
  const std::int64_t value = integer(key);
  if (value < low || value > high) {
    fail(key, fmt::format("must be {} to {}, got {}", low, high, value));
  }
  return value;
}

double YamlMap::require_number(std::string_view key, double low, double high) const {
  const double value = number(key);
  if (value < low || value > high) {
    fail(key, fmt::format("must be {} to {}, got {}", low, high, value));
  }
  return value;
}

std::size_t YamlMap::choice_index(std::string_view key,
                                  const std::vector<std::string>& names) const {
  const yaml::Node& node = scalar(key);
  const auto found = std::find(names.begin(), names.end(), node.text);
  if (found == names.end()) {
    fail(key, fmt::format("must be one of {}, got {}{}", fmt::join(names, ", "), shown(node),
                          did_you_mean(node.text, names)));
  }
  return static_cast<std::size_t>(found - names.begin());
}

YamlMap YamlMap::require_map(std::string_view key) const {
  const yaml::Node& node = value_of(key);
  if (node.kind != yaml::Kind::kMap) {
    fail(key, fmt::format("must be a mapping, got {}", shown(node)));
  }
  return {document_, &node, fmt::format("{}{}{}", path_, path_.empty() ? "" : ".", key)};
}

std::vector<YamlMap> YamlMap::require_maps(std::string_view key) const {
  const yaml::Node& node = value_of(key);
  if (node.kind != yaml::Kind::kSequence || node.elements.empty()) {
    fail(key, fmt::format("must be a list of mappings, got {}", shown(node)));
  }
  std::vector<YamlMap> maps;
  for (const yaml::Node& element : node.elements) {
    const std::string path =
        fmt::format("{}{}{}[{}]", path_, path_.empty() ? "" : ".", key, maps.size());
    if (element.kind != yaml::Kind::kMap) {
      throw Error(fmt::format("{}:{}:{}: {}: must be a mapping, got {}", file(), element.line,
                              element.column, path, shown(element)));
    }
    maps.push_back({document_, &element, path});
  }
  return maps;
}

std::vector<std::string> YamlMap::require_texts(std::string_view key) const {
  const yaml::Node& node = value_of(key);
  if (node.kind != yaml::Kind::kSequence) return {text(key)};
  std::vector<std::string> texts;
  for (const yaml::Node& element : node.elements) {
    if (element.kind != yaml::Kind::kScalar || element.text.empty()) {
      throw Error(fmt::format("{}:{}:{}: {}{}{}[{}]: must be a single value, got {}", file(),
                              element.line, element.column, path_, path_.empty() ? "" : ".", key,
                              texts.size(), shown(element)));
    }
    texts.push_back(element.text);
  }
  if (texts.empty()) fail(key, "must be a list of values, got an empty one");
  return texts;
}

std::optional<YamlMap> YamlMap::get_map(std::string_view key) const {
  if (!has(key)) return std::nullopt;
  return require_map(key);
}

}  // namespace npu
