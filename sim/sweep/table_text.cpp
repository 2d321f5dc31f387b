#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "sim/base/csv.h"
#include "sim/sweep/table.h"

namespace npu::sweep {
namespace {

constexpr std::array<Metric, 7> kShown = {
    Metric::kCycles,     Metric::kLatency,        Metric::kEnergy,   Metric::kPower,
    Metric::kEfficiency, Metric::kMacUtilization, Metric::kDramBytes};
constexpr std::size_t kShownErrorBytes = 100;

const MetricInfo& info_of(Metric m) { return kMetricTable[static_cast<std::size_t>(m)]; }

bool is_whole(double value) {
  constexpr double kExact = 9007199254740992.0;
  return value == std::floor(value) && std::abs(value) < kExact;
}

/// The shortest text that reads back to the same double.
std::string exact(const std::optional<double>& value) {
  if (!value) return "";
  return is_whole(*value) ? fmt::format("{:.0f}", *value) : fmt::format("{}", *value);
}
std::string rounded(const std::optional<double>& value) {
  if (!value) return "";
  return is_whole(*value) ? fmt::format("{:.0f}", *value) : fmt::format("{:.6g}", *value);
}

std::string status_of(const Row& row) {
  return row.result ? std::string(name_of(row.result->status)) : "pending";
}

using Lines = std::vector<std::vector<std::string>>;

/// Columns as wide as their widest field, numbers to the right.
void append_aligned(const Lines& lines, std::string& out) {
  std::vector<std::size_t> widths(lines.front().size(), 0);
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i) widths[i] = std::max(widths[i], line[i].size());
  }
  for (const auto& line : lines) {
    std::string text;
    for (std::size_t i = 0; i < line.size(); ++i) {
      text += fmt::format("{:>{}}{}", line[i], widths[i], i + 1 < line.size() ? "  " : "");
    }
    out += text.substr(0, text.find_last_not_of(' ') + 1) + "\n";
  }
}

std::vector<Metric> shown_metrics(const Table& table) {
  std::vector<Metric> metrics(kShown.begin(), kShown.end());
  for (const Metric m : table.objectives) {
    if (std::ranges::find(metrics, m) == metrics.end()) metrics.push_back(m);
  }
  for (const Metric m : {Metric::kMaxError, Metric::kTop1}) {
    const bool is_there =
        std::ranges::any_of(table.rows, [&](const Row& row) { return row.metric(m).has_value(); });
    if (is_there && std::ranges::find(metrics, m) == metrics.end()) metrics.push_back(m);
  }
  return metrics;
}

std::string clipped(const std::string& text) {
  return text.size() <= kShownErrorBytes ? text : text.substr(0, kShownErrorBytes) + "...";
}

void append_rows(const Table& table, bool only_pareto, std::string& out) {
  const std::vector<Metric> metrics = shown_metrics(table);
  Lines lines(1);
  lines.front() = {"point", "model"};
  for (const TableParameter& p : table.parameters) lines.front().push_back(p.key);
  for (const Metric m : metrics) lines.front().emplace_back(info_of(m).name);
  lines.front().emplace_back("bound_by");
  if (!only_pareto) lines.front().emplace_back("pareto");
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Row& row = table.rows[i];
    if (only_pareto && !row.is_pareto) continue;
    std::vector<std::string> line = {fmt::format("{}", i), row.model};
    line.insert(line.end(), row.values.begin(), row.values.end());
    for (const Metric m : metrics) line.push_back(rounded(row.metric(m)));
    line.push_back(row.is_done() ? row.result->bound_by : status_of(row));
    if (!only_pareto) line.emplace_back(row.is_pareto ? "*" : "");
    lines.push_back(std::move(line));
  }
  append_aligned(lines, out);
  if (only_pareto) return;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Row& row = table.rows[i];
    if (row.result && !row.result->is_done()) {
      out += fmt::format("point {}: {}: {}\n", i, status_of(row), clipped(row.result->error));
    }
  }
}

void append_sensitivity(const Table& table, std::string& out) {
  Lines lines(1);
  lines.front() = {"parameter"};
  for (const Metric m : table.objectives) lines.front().emplace_back(info_of(m).name);
  for (std::size_t p = 0; p < table.parameters.size(); ++p) {
    if (table.parameters[p].is_derived) continue;
    std::vector<std::string> line = {table.parameters[p].key};
    for (const Metric m : table.objectives) {
      const auto at = std::ranges::find_if(table.sensitivity, [&](const Sensitivity& s) {
        return s.parameter == p && s.metric == m;
      });
      if (at == table.sensitivity.end()) {
        line.emplace_back("-");
        continue;
      }
      const char* const trend = at->trend > 0 ? " +" : at->trend < 0 ? " -" : "  ";
      line.push_back(fmt::format("{:.1f} %{}", 100 * at->share, trend));
    }
    lines.push_back(std::move(line));
  }
  append_aligned(lines, out);
}

}  // namespace

std::string table_csv(const Table& table) {
  std::string out = "point,model";
  for (const TableParameter& p : table.parameters) out += "," + csv_field(p.key);
  out += ",status";
  for (const MetricInfo& info : kMetricTable) out += fmt::format(",{}", info.name);
  out += ",bound_by,pareto,error\n";
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Row& row = table.rows[i];
    out += fmt::format("{},{}", i, csv_field(row.model));
    for (const std::string& value : row.values) out += "," + csv_field(value);
    out += "," + status_of(row);
    for (std::size_t m = 0; m < kMetrics; ++m)
      out += "," + exact(row.metric(static_cast<Metric>(m)));
    out += fmt::format(",{},{},{}\n", row.result ? row.result->bound_by : "", row.is_pareto ? 1 : 0,
                       row.result ? csv_field(row.result->error) : "");
  }
  return out;
}

std::string table_text(const Table& table) {
  std::string out = fmt::format("sweep {}\n\n", table.name);
  append_rows(table, false, out);
  out += "\nPareto front of";
  for (const Metric m : table.objectives) {
    out += fmt::format(" {} ({})", info_of(m).name, info_of(m).less_is_better ? "less" : "more");
  }
  out += "\n";
  append_rows(table, true, out);
  const bool has_parameters =
      std::ranges::any_of(table.parameters, [](const auto& p) { return !p.is_derived; });
  if (!has_parameters) return out;
  out += table.method == Method::kGrid
             ? "\nsensitivity: share of the spread that goes with the parameter alone\n"
             : "\nsensitivity: squared rank correlation (texts: share of the ranks' spread)\n";
  append_sensitivity(table, out);
  return out;
}

}  // namespace npu::sweep
