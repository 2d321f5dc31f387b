#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "sim/base/error.h"

namespace npu {

namespace yaml {
struct Node;
struct Document;
}  // namespace yaml

/// A strict reader of one YAML mapping; the only way in which npusim reads YAML.
///
/// Refused, each with `file:line:column: key: what, got value`: unknown keys (with the nearest
/// known one), duplicate keys, keys that are not plain words, anchors, aliases, merge keys, tags,
/// several documents, numbers in any notation but plain decimal (`010`, `0x10`, `1e3` for an
/// integer, `.nan`,
/// `.inf`), numbers out of range, quoted numbers, text that is not UTF-8, files above 1 MiB, more
/// than 100,000 values, nesting below 32 levels. Positions count from 1.
///
/// A YamlMap is a light handle on the parsed file; copies share which keys have been read.
class YamlMap {
 public:
  static constexpr std::int64_t kMaxFileBytes = 1 << 20;

  /// @throws Error if the file cannot be read or is not one YAML mapping.
  [[nodiscard]] static YamlMap from_file(const std::string& path);
  /// The same from memory; `file` is used in messages.
  [[nodiscard]] static YamlMap from_text(std::string_view text, const std::string& file);
  /// A parsed document, edited perhaps.
  [[nodiscard]] static YamlMap from_document(std::shared_ptr<const yaml::Document> document);

  /// Value of a key that must be there: an integer type, double, bool or std::string (not empty).
  template <typename T>
  [[nodiscard]] T require(std::string_view key) const;
  /// The same, or `fallback` where the key is absent.
  template <typename T>
  [[nodiscard]] T get(std::string_view key, T fallback) const {
    return has(key) ? require<T>(key) : fallback;
  }

  /// Integer in [low, high].
  [[nodiscard]] std::int64_t require_int(std::string_view key, std::int64_t low,
                                         std::int64_t high) const;
  [[nodiscard]] std::int64_t get_int(std::string_view key, std::int64_t fallback, std::int64_t low,
                                     std::int64_t high) const {
    return has(key) ? require_int(key, low, high) : fallback;
  }
  /// Finite number in [low, high].
  [[nodiscard]] double require_number(std::string_view key, double low, double high) const;
  [[nodiscard]] double get_number(std::string_view key, double fallback, double low,
                                  double high) const {
    return has(key) ? require_number(key, low, high) : fallback;
  }
  /// One of a list of words.
  template <typename E>
  using Choices = std::span<const std::pair<std::string_view, E>>;
  template <typename E>
  [[nodiscard]] E require_choice(std::string_view key,
                                 std::type_identity_t<Choices<E>> choices) const {
    std::vector<std::string> names;
    for (const auto& choice : choices) names.emplace_back(choice.first);
    return choices[choice_index(key, names)].second;
  }
  template <typename E>
  [[nodiscard]] E get_choice(std::string_view key, E fallback,
                             std::type_identity_t<Choices<E>> choices) const {
    return has(key) ? require_choice<E>(key, choices) : fallback;
  }

  /// The mapping under a key; it has to be finished on its own.
  [[nodiscard]] YamlMap require_map(std::string_view key) const;
  [[nodiscard]] std::optional<YamlMap> get_map(std::string_view key) const;
  /// The mappings of a list, at least one; each has to be finished on its own.
  [[nodiscard]] std::vector<YamlMap> require_maps(std::string_view key) const;
  /// The values of a list, at least one, or a single value as a list of one; as they stand in the
  /// file.
  [[nodiscard]] std::vector<std::string> require_texts(std::string_view key) const;

  /// True if the key is there. Also makes it known: suggestions include it.
  [[nodiscard]] bool has(std::string_view key) const;
  /// Keys in the order of the file, for mappings whose keys are data.
  [[nodiscard]] std::vector<std::string> keys() const;

  /// Throws Error at the value of `key` (at the mapping where it is absent): `message` should say
  /// what is wrong and end in ", got …".
  [[noreturn]] void fail(std::string_view key, std::string_view message) const;
  /// Throws KeyError at the first key that nobody asked for.
  void finish() const;

  [[nodiscard]] const std::string& file() const;
  /// Dotted path of the mapping inside its file; empty at the top.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Asked;
  YamlMap(std::shared_ptr<const yaml::Document> document, const yaml::Node* node, std::string path);
  [[nodiscard]] const yaml::Node& scalar(std::string_view key) const;
  [[nodiscard]] const yaml::Node& value_of(std::string_view key) const;
  [[nodiscard]] std::int64_t integer(std::string_view key) const;
  [[nodiscard]] double number(std::string_view key) const;
  [[nodiscard]] bool boolean(std::string_view key) const;
  [[nodiscard]] std::string text(std::string_view key) const;
  [[nodiscard]] std::size_t choice_index(std::string_view key,
                                         const std::vector<std::string>& names) const;

  std::shared_ptr<const yaml::Document> document_;
  const yaml::Node* node_;  ///< Owned by document_.
  std::string path_;
  std::shared_ptr<Asked> asked_;
};

template <typename T>
T YamlMap::require(std::string_view key) const {
  if constexpr (std::same_as<T, bool>) {
    return boolean(key);
  } else if constexpr (std::integral<T>) {
    constexpr auto kHighest = std::numeric_limits<std::int64_t>::max();
    constexpr auto kLimit = std::in_range<std::int64_t>(std::numeric_limits<T>::max())
                                ? static_cast<std::int64_t>(std::numeric_limits<T>::max())
                                : kHighest;
    return static_cast<T>(
        require_int(key, static_cast<std::int64_t>(std::numeric_limits<T>::min()), kLimit));
  } else if constexpr (std::same_as<T, double>) {
    return number(key);
  } else {
    static_assert(std::same_as<T, std::string>, "integers, double, bool and std::string");
    return text(key);
  }
}

}  // namespace npu
