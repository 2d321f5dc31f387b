#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace npu::publish {

/// Parses JSON that nobody vouches for. @throws Error `file: byte N: …` for what is not JSON (which
/// has neither NaN nor numbers beyond a double), and `file: …` for more than 32 levels.
[[nodiscard]] nlohmann::json parse_json(std::string_view text, const std::string& file);

/// A strict reader of one JSON object. Every error is `file: path.to.key: must be …, got …`. Keys
/// that nobody asks for are left alone: files of runs may hold more than a report shows.
class JsonView {
 public:
  /// @throws Error unless `json` is an object. `json` must outlive the view.
  JsonView(const nlohmann::json& json, std::string file, std::string path = "");

  [[nodiscard]] bool has(std::string_view key) const;
  /// Whether the key is there and not null.
  [[nodiscard]] bool has_value(std::string_view key) const;
  [[nodiscard]] const std::string& text(std::string_view key) const;
  [[nodiscard]] bool boolean(std::string_view key) const;
  [[nodiscard]] double number(std::string_view key, double low, double high) const;
  [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t low,
                                     std::int64_t high) const;
  [[nodiscard]] JsonView map(std::string_view key) const;
  [[nodiscard]] std::vector<JsonView> maps(std::string_view key) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view key, std::int64_t low,
                                                   std::int64_t high) const;
  [[nodiscard]] std::vector<std::string> keys() const;

 private:
  [[nodiscard]] const nlohmann::json& at(std::string_view key) const;
  [[nodiscard]] const nlohmann::json& list(std::string_view key) const;
  [[nodiscard]] std::string place(std::string_view key) const;

  const nlohmann::json* json_;
  std::string file_, path_;
};

}  // namespace npu::publish
