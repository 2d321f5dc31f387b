#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace npu::interchange {

/// One value of another simulator's configuration file.
struct Setting {
  enum class Kind : std::uint8_t { kWord, kText, kOther };
  std::string key;          ///< With its section or object: "architecture_presets.ArrayHeight".
  Kind kind = Kind::kWord;  ///< kWord: written without quotes; kOther: a list.
  std::string text;
  int line = 0;  ///< From 1.
};

/// A configuration file of another simulator as a flat list of values. Keeps account of what was
/// asked for, so that an importer can name what it did not use.
///
/// INI, as Python's configparser reads it: sections, `key = value` or `key : value`, keys without
/// regard to case, whole lines of comment behind # or ;. JSON: one object of values and of objects.
/// At most 1 MiB and 10,000 values; a key twice is an error.
class SettingsFile {
 public:
  static constexpr std::int64_t kMaxFileBytes = 1 << 20;

  /// @throws Error `file:line: …`.
  [[nodiscard]] static SettingsFile parse_ini(std::string_view text, const std::string& file);
  [[nodiscard]] static SettingsFile parse_json(std::string_view text, const std::string& file);

  [[nodiscard]] bool has(std::string_view key) const;
  /// The value under a key, or null. It is used from now on.
  [[nodiscard]] const Setting* find(std::string_view key);
  /// @throws Error `file: …` that names the key and, if there is one, a key that looks like it.
  [[nodiscard]] const Setting& require(std::string_view key);
  /// @throws Error `file:line: key: must be …, got …`.
  [[nodiscard]] std::int64_t require_int(std::string_view key, std::int64_t low, std::int64_t high);
  [[nodiscard]] std::optional<std::int64_t> get_int(std::string_view key, std::int64_t low,
                                                    std::int64_t high);
  /// One of a list of words; the index of it.
  [[nodiscard]] std::size_t require_choice(std::string_view key,
                                           std::span<const std::string_view> choices);
  [[nodiscard]] std::int64_t integer(const Setting& setting, std::int64_t low,
                                     std::int64_t high) const;
  [[noreturn]] void fail_at(const Setting& setting, std::string_view message) const;

  /// "file:line: key".
  [[nodiscard]] std::string place(const Setting& setting) const;
  /// Values that nobody asked for, in the order of the file.
  [[nodiscard]] std::vector<const Setting*> unused() const;
  [[nodiscard]] const std::string& file() const { return file_; }
  [[nodiscard]] bool empty() const { return settings_.empty(); }

 private:
  explicit SettingsFile(std::string file) : file_(std::move(file)) {}
  void add(Setting setting);
  friend class IniReader;
  friend class JsonReader;

  std::string file_;
  std::vector<Setting> settings_;
  std::vector<bool> is_used_;
  std::map<std::string, std::size_t, std::less<>> by_key_;  ///< Lower case.
};

}  // namespace npu::interchange
