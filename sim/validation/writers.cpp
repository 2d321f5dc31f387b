#include "sim/validation/writers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace npu::validation {
namespace {

template <typename... Args>
void line(std::string& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
  out += '\n';
}

std::string correlation(const SuiteResult& r) {
  return r.rank_correlation ? fmt::format("{:.3f}", *r.rank_correlation) : "-";
}

}  // namespace

std::string bound_text(const Bound& bound) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (std::isfinite(bound.mean_error_percent)) {
    add(fmt::format("mean <= {:g} %", bound.mean_error_percent));
  }
  if (std::isfinite(bound.max_error_percent)) {
    add(fmt::format("max <= {:g} %", bound.max_error_percent));
  }
  if (bound.rank_correlation > -1) add(fmt::format("rank >= {:g}", bound.rank_correlation));
  return text.empty() ? "none" : text;
}

std::string_view verdict(const SuiteResult& r) {
  if (r.failures > 0) return "FAILED ROWS";
  if (!r.suite->bound.is_stated()) return "reported";
  return r.within_bound ? "holds" : "LEFT";
}

std::string text_table(const std::vector<SuiteResult>& results) {
  std::size_t width = 5;
  for (const SuiteResult& r : results) width = std::max(width, r.suite->name.size());
  std::string out;
  line(out, "{:<{}} {:<14} {:>5} {:>12} {:>8} {:>11} {:>9}  {}", "suite", width, "quantity", "rows",
       "mean_error_%", "bias_%", "max_error_%", "rank_corr", "bound");
  for (const SuiteResult& r : results) {
    line(out, "{:<{}} {:<14} {:>5} {:>12.2f} {:>8.2f} {:>11.2f} {:>9}  {}: {}", r.suite->name,
         width, r.suite->quantity, r.rows.size(), r.mean_error_percent, r.bias_percent,
         r.max_error_percent, correlation(r), verdict(r), bound_text(r.suite->bound));
  }
  for (const SuiteResult& r : results) {
    line(out, "");
    line(out, "{}: {}", r.suite->name, r.suite->reference);
    if (!r.suite->differs.empty()) line(out, "  differs: {}", r.suite->differs);
    line(out, "  rows: {}", r.rows_file);
    if (!r.worst_row.empty()) line(out, "  worst row: {}", r.worst_row);
    for (const RowResult& row : r.rows) {
      if (!row.failure.empty()) line(out, "  FAILED {}: {}", row.row, row.failure);
    }
  }
  return out;
}

std::string markdown_table(const std::vector<SuiteResult>& results) {
  std::string out;
  line(out,
       "| suite | quantity | reference | rows | mean error | bias | max error | rank corr. | bound "
       "|");
  line(out, "|---|---|---|---:|---:|---:|---:|---:|---|");
  for (const SuiteResult& r : results) {
    line(out, "| `{}` | {} | {} | {} | {:.2f} % | {:+.2f} % | {:.2f} % | {} | {} |", r.suite->name,
         r.suite->quantity, r.suite->reference, r.rows.size(), r.mean_error_percent, r.bias_percent,
         r.max_error_percent, correlation(r), bound_text(r.suite->bound));
  }
  return out;
}

std::string csv(const std::vector<SuiteResult>& results) {
  const bool several = results.size() > 1;
  std::string out =
      several ? "suite,row,reference,predicted,error\n" : "row,reference,predicted,error\n";
  for (const SuiteResult& r : results) {
    for (const RowResult& row : r.rows) {
      if (several) out += csv_field(r.suite->name) + ',';
      fmt::format_to(std::back_inserter(out), "{},{:.10g},", csv_field(row.row), row.reference);
      if (row.failure.empty()) {
        fmt::format_to(std::back_inserter(out), "{:.10g},{:.6g}\n", row.predicted, row.error());
      } else {
        out += ",\n";
      }
    }
  }
  return out;
}

}  // namespace npu::validation
