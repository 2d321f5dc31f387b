#include "sim/sweep/metrics.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "sim/base/error.h"

namespace npu::sweep {

std::optional<Metric> find_metric(std::string_view name) {
  for (std::size_t i = 0; i < kMetrics; ++i) {
    if (kMetricTable[i].name == name) return static_cast<Metric>(i);
  }
  return std::nullopt;
}

std::optional<std::vector<double>> costs_of(const Metrics& metrics,
                                            const std::vector<Metric>& objectives) {
  std::vector<double> costs;
  for (const Metric m : objectives) {
    const auto index = static_cast<std::size_t>(m);
    const std::optional<double>& value = metrics[index];
    if (!value || !std::isfinite(*value)) return std::nullopt;
    costs.push_back(kMetricTable[index].less_is_better ? *value : -*value);
  }
  return costs;
}

std::string metrics_json(const Metrics& metrics) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (std::size_t i = 0; i < kMetrics; ++i) {
    if (metrics[i] && std::isfinite(*metrics[i]))
      json[std::string(kMetricTable[i].name)] = *metrics[i];
  }
  return json.dump();
}

Metrics parse_metrics(std::string_view text, const std::string& place) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) fail("{}: the metrics of a point are no JSON object", place);
  Metrics metrics;
  for (const auto& [name, value] : json.items()) {
    const std::optional<Metric> metric = find_metric(name);
    if (!metric || !value.is_number()) fail("{}: not a metric: {}", place, name);
    metrics[static_cast<std::size_t>(*metric)] = value.get<double>();
  }
  return metrics;
}

}  // namespace npu::sweep
