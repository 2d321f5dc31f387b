#include "sim/sweep/page_data.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <unordered_set>

#include "sim/sweep/value.h"

namespace npu::sweep {
namespace {

using nlohmann::json;

json value_json(const std::string& text) {
  if (const auto number = number_of(text)) return *number;
  return text;
}

/// Each value once: numbers in their order, texts as they come.
json values_of(const Table& table, std::size_t parameter) {
  std::vector<json> values;
  std::unordered_set<std::string> seen;
  bool is_numeric = true;
  for (const Row& row : table.rows) {
    if (!seen.insert(row.values[parameter]).second) continue;
    values.push_back(value_json(row.values[parameter]));
    is_numeric = is_numeric && values.back().is_number();
  }
  if (is_numeric) std::ranges::sort(values, {}, [](const json& v) { return v.get<double>(); });
  return values;
}

json point_json(const Table& table, std::size_t index) {
  const Row& row = table.rows[index];
  const char* const status = row.is_done() ? "done" : row.result ? "failed" : "pending";
  json point = {{"id", index},
                {"hash", row.hash},
                {"model", row.model},
                {"status", status},
                {"error", nullptr},
                {"bound_by", row.is_done() ? json(row.result->bound_by) : json()},
                {"pareto", row.is_pareto},
                {"parameters", json::object()},
                {"metrics", json::object()}};
  if (row.result && !row.is_done()) {
    point["error"] = std::string(name_of(row.result->status)) + ": " + row.result->error;
  }
  for (std::size_t p = 0; p < table.parameters.size(); ++p) {
    point["parameters"][table.parameters[p].key] = value_json(row.values[p]);
  }
  for (std::size_t m = 0; m < kMetrics; ++m) {
    const auto value = row.metric(static_cast<Metric>(m));
    if (value) point["metrics"][std::string(kMetricTable[m].name)] = *value;
  }
  return point;
}

}  // namespace

json page_data(const Table& table) {
  json data = {{"kind", "sweep"},          {"name", table.name},
               {"models", table.models},   {"parameters", json::array()},
               {"metrics", json::array()}, {"objectives", json::array()},
               {"points", json::array()},  {"sensitivity", json::array()}};
  for (std::size_t p = 0; p < table.parameters.size(); ++p) {
    data["parameters"].push_back({{"key", table.parameters[p].key},
                                  {"derived", table.parameters[p].is_derived},
                                  {"values", values_of(table, p)}});
  }
  for (std::size_t m = 0; m < kMetrics; ++m) {
    const MetricInfo& info = kMetricTable[m];
    const bool is_there = std::ranges::any_of(
        table.rows, [&](const Row& row) { return row.metric(static_cast<Metric>(m)).has_value(); });
    if (!is_there) continue;
    data["metrics"].push_back({{"name", info.name},
                               {"label", info.label},
                               {"unit", info.unit},
                               {"better", info.less_is_better ? "less" : "more"}});
  }
  for (const Metric m : table.objectives) {
    data["objectives"].push_back(kMetricTable[static_cast<std::size_t>(m)].name);
  }
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    data["points"].push_back(point_json(table, i));
  }
  for (const Sensitivity& s : table.sensitivity) {
    data["sensitivity"].push_back(
        {{"parameter", table.parameters[s.parameter].key},
         {"metric", kMetricTable[static_cast<std::size_t>(s.metric)].name},
         {"share", s.share},
         {"trend", s.trend}});
  }
  return data;
}

}  // namespace npu::sweep
