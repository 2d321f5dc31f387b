#include "sim/interchange/settings_file.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "sim/base/error.h"
#include "sim/base/suggest.h"
#include "sim/base/yaml_document.h"

namespace npu::interchange {
namespace {

constexpr std::size_t kMaxSettings = 10'000;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string shown(const Setting& setting) {
  if (setting.kind == Setting::Kind::kOther) return "a list";
  return setting.text.empty() ? "nothing" : yaml::shown(setting.text);
}

std::string listed(std::span<const std::string_view> choices) {
  std::string out;
  for (const std::string_view choice : choices) {
    if (!out.empty()) out += ", ";
    out += choice;
  }
  return out;
}

}  // namespace

void SettingsFile::add(Setting setting) {
  if (settings_.size() == kMaxSettings) {
    fail("{}:{}: more than {} values", file_, setting.line, kMaxSettings);
  }
  const auto [at, is_new] = by_key_.emplace(lower(setting.key), settings_.size());
  if (!is_new) {
    fail("{}:{}: {}: is there twice, first in line {}", file_, setting.line,
         yaml::shown(setting.key), settings_[at->second].line);
  }
  settings_.push_back(std::move(setting));
  is_used_.push_back(false);
}

bool SettingsFile::has(std::string_view key) const { return by_key_.contains(lower(key)); }

const Setting* SettingsFile::find(std::string_view key) {
  const auto at = by_key_.find(lower(key));
  if (at == by_key_.end()) return nullptr;
  is_used_[at->second] = true;
  return &settings_[at->second];
}

const Setting& SettingsFile::require(std::string_view key) {
  if (const Setting* found = find(key)) return *found;
  std::vector<std::string> keys;
  for (const Setting& setting : settings_) keys.push_back(setting.key);
  fail("{}: {}: is missing{}", file_, key, did_you_mean(key, keys));
}

std::int64_t SettingsFile::integer(const Setting& setting, std::int64_t low,
                                   std::int64_t high) const {
  std::int64_t value = 0;
  const char* const end = setting.text.data() + setting.text.size();
  const auto [rest, code] = std::from_chars(setting.text.data(), end, value);
  if (setting.kind != Setting::Kind::kWord || code != std::errc() || rest != end || value < low ||
      value > high) {
    fail_at(setting,
            fmt::format("must be an integer from {} to {}, got {}", low, high, shown(setting)));
  }
  return value;
}

std::int64_t SettingsFile::require_int(std::string_view key, std::int64_t low, std::int64_t high) {
  return integer(require(key), low, high);
}

std::optional<std::int64_t> SettingsFile::get_int(std::string_view key, std::int64_t low,
                                                  std::int64_t high) {
  const Setting* found = find(key);
  if (found == nullptr) return std::nullopt;
  return integer(*found, low, high);
}

std::size_t SettingsFile::require_choice(std::string_view key,
                                         std::span<const std::string_view> choices) {
  const Setting& setting = require(key);
  const auto at = std::ranges::find(choices, std::string_view(setting.text));
  if (at == choices.end() || setting.kind == Setting::Kind::kOther) {
    fail_at(setting, fmt::format("must be one of {}, got {}", listed(choices), shown(setting)));
  }
  return static_cast<std::size_t>(at - choices.begin());
}

std::string SettingsFile::place(const Setting& setting) const {
  return fmt::format("{}:{}: {}", file_, setting.line, setting.key);
}

void SettingsFile::fail_at(const Setting& setting, std::string_view message) const {
  fail("{}: {}", place(setting), message);
}

std::vector<const Setting*> SettingsFile::unused() const {
  std::vector<const Setting*> out;
  for (std::size_t i = 0; i < settings_.size(); ++i) {
    if (!is_used_[i]) out.push_back(&settings_[i]);
  }
  return out;
}

}  // namespace npu::interchange
