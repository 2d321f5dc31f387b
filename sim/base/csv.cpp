#include "sim/base/csv.h"

#include <charconv>
#include <cmath>

#include "sim/base/error.h"
#include "sim/base/file.h"

namespace npu {
namespace {

constexpr std::int64_t kMaxFileBytes = std::int64_t{64} << 20;
constexpr std::size_t kMaxRows = 1'000'000;
constexpr std::size_t kMaxColumns = 1'000;
constexpr std::string_view kBlanks = " \t";

/// Splits one line into its fields.
std::vector<std::string> split(std::string_view line, const std::string& place) {
  std::vector<std::string> fields(1);
  bool is_quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (is_quoted && c == '"') {
      if (i + 1 < line.size() && line[i + 1] == '"') {
        fields.back() += line[++i];
      } else {
        is_quoted = false;
      }
    } else if (!is_quoted && c == '"' && fields.back().empty()) {
      is_quoted = true;
    } else if (!is_quoted && c == ',') {
      if (fields.size() == kMaxColumns) fail("{}: more than {} fields", place, kMaxColumns);
      fields.emplace_back();
    } else {
      fields.back() += c;
    }
  }
  if (is_quoted) fail("{}: a quoted field has no end", place);
  return fields;
}

std::string shortened(std::string_view text) {
  constexpr std::size_t kShown = 60;
  return text.size() <= kShown ? std::string(text) : std::string(text.substr(0, kShown)) + "...";
}

/// All of `text` as a number of type T, or nothing.
template <typename T>
bool parse_number(std::string_view text, T& value) {
  const char* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, value);
  return code == std::errc() && at == end;
}

}  // namespace

CsvTable CsvTable::parse(std::string_view content, const std::string& file) {
  CsvTable table;
  table.file_ = file;
  std::size_t number = 0;
  bool has_header = false;
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    std::string_view line = content.substr(0, end);
    content.remove_prefix(std::min(end + 1, content.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(kBlanks) == std::string_view::npos) continue;
    if (line.front() == '#') {
      const std::size_t begin = line.find_first_not_of(kBlanks, 1);
      table.comments_.emplace_back(begin == std::string_view::npos ? "" : line.substr(begin));
      continue;
    }
    const std::string place = fmt::format("{}:{}", file, number);
    std::vector<std::string> fields = split(line, place);
    if (!has_header) {
      has_header = true;
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (fields[i].empty()) fail("{}: column {} has no name", place, i + 1);
        if (!table.columns_.emplace(fields[i], i).second) {
          fail("{}: column \"{}\" is there twice", place, shortened(fields[i]));
        }
      }
      continue;
    }
    if (fields.size() != table.columns_.size()) {
      fail("{}: expected {} fields as in the header, got {}", place, table.columns_.size(),
           fields.size());
    }
    if (table.lines_.size() == kMaxRows) fail("{}: more than {} rows", place, kMaxRows);
    table.fields_.push_back(std::move(fields));
    table.lines_.push_back(number);
  }
  if (!has_header) fail("{}: no header line", file);
  return table;
}

CsvTable CsvTable::load(const std::string& path) {
  return parse(read_file(path, kMaxFileBytes), path);
}

std::string CsvTable::place(std::size_t row) const {
  return fmt::format("{}:{}", file_, lines_.at(row));
}

const std::string& CsvTable::text(std::size_t row, std::string_view column) const {
  const auto it = columns_.find(column);
  if (it == columns_.end()) fail("{}: no column \"{}\"", file_, column);
  return fields_.at(row)[it->second];
}

std::int64_t CsvTable::integer(std::size_t row, std::string_view column, std::int64_t low,
                               std::int64_t high) const {
  const std::string& field = text(row, column);
  std::int64_t value = 0;
  if (!parse_number(field, value) || value < low || value > high) {
    fail("{}: {}: expected an integer from {} to {}, got \"{}\"", place(row), column, low, high,
         shortened(field));
  }
  return value;
}

double CsvTable::number(std::size_t row, std::string_view column, double low, double high) const {
  const std::string& field = text(row, column);
  double value = 0;
  if (!parse_number(field, value) || !std::isfinite(value) || value < low || value > high) {
    fail("{}: {}: expected a number from {} to {}, got \"{}\"", place(row), column, low, high,
         shortened(field));
  }
  return value;
}

std::string csv_field(std::string_view text) {
  const bool is_comment = text.starts_with('#');  // At the start of a line it would be one.
  if (text.find_first_of(",\"\n\r") == std::string_view::npos && !is_comment) {
    return std::string(text);
  }
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c == '\n' || c == '\r' ? ' ' : c;
  }
  return quoted + '"';
}

}  // namespace npu
