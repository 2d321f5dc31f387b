#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace npu {

/// A table with named columns, as .csv files hold it: comma-separated fields, the first line names
/// the columns, fields may stand in double quotes (a doubled quote is a quote), lines that start
/// with '#' and empty lines are skipped. At most 64 MiB, 1,000,000 rows and 1,000 columns.
/// Source of the quoting rules: RFC 4180; fields do not span lines.
class CsvTable {
 public:
  /// @throws Error `file:line: …` for an unclosed quote, a column named twice or not at all, and a
  /// row with more or fewer fields than the header.
  static CsvTable parse(std::string_view content, const std::string& file);
  static CsvTable load(const std::string& path);

  [[nodiscard]] std::size_t rows() const { return lines_.size(); }
  [[nodiscard]] bool has(std::string_view column) const { return columns_.contains(column); }
  /// Lines that started with '#', without it and the blanks behind it.
  [[nodiscard]] const std::vector<std::string>& comments() const { return comments_; }
  /// "file:line" of a row.
  [[nodiscard]] std::string place(std::size_t row) const;

  /// Each throws Error `file: no column …` or `file:line: column: …` with the field's text.
  [[nodiscard]] const std::string& text(std::size_t row, std::string_view column) const;
  [[nodiscard]] std::int64_t integer(std::size_t row, std::string_view column, std::int64_t low,
                                     std::int64_t high) const;
  [[nodiscard]] double number(std::size_t row, std::string_view column, double low,
                              double high) const;

 private:
  std::string file_;
  std::map<std::string, std::size_t, std::less<>> columns_;
  std::vector<std::vector<std::string>> fields_;
  std::vector<std::size_t> lines_;
  std::vector<std::string> comments_;
};

/// One field, quoted where it has to be; line ends become spaces.
[[nodiscard]] std::string csv_field(std::string_view text);

}  // namespace npu
