#include "sim/sweep/analysis.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "sim/sweep/value.h"

namespace npu::sweep {
namespace {

bool dominates(const std::vector<double>& a, const std::vector<double>& b) {
  bool is_better = false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    is_better = is_better || a[i] < b[i];
  }
  return is_better;
}

/// Sums of squares of one model's figures.
struct Spread {
  double total = 0, explained = 0, covariance = 0;
};

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Ranks from 0, equal values share their mean rank.
std::vector<double> ranks_of(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, {}, [&](std::size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (std::size_t i = 0; i < order.size();) {
    std::size_t end = i;
    while (end < order.size() && values[order[end]] == values[order[i]]) ++end;
    const double rank = 0.5 * static_cast<double>(i + end - 1);
    for (; i < end; ++i) ranks[order[i]] = rank;
  }
  return ranks;
}

/// Σ (a − ā)(b − b̄).
double cross_sum(const std::vector<double>& a, const std::vector<double>& b) {
  const double mean_a = mean_of(a), mean_b = mean_of(b);
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - mean_a) * (b[i] - mean_b);
  return sum;
}

/// Σ n_v (mean_v − mean)² over the groups of equal labels.
double between_groups(const std::vector<std::string>& labels, const std::vector<double>& y) {
  std::map<std::string, std::vector<double>> groups;
  for (std::size_t i = 0; i < y.size(); ++i) groups[labels[i]].push_back(y[i]);
  const double mean = mean_of(y);
  double sum = 0;
  for (const auto& [label, values] : groups) {
    const double distance = mean_of(values) - mean;
    sum += static_cast<double>(values.size()) * distance * distance;
  }
  return sum;
}

Spread spread_of(const std::vector<std::string>& labels, std::vector<double> y, Method method) {
  std::vector<double> x;
  for (const std::string& label : labels) {
    if (const auto number = number_of(label)) x.push_back(*number);
  }
  const bool is_numeric = x.size() == labels.size();
  if (method == Method::kGrid) {
    const double mean = mean_of(y);
    for (double& value : y) value /= mean == 0 ? 1 : mean;
  } else {
    y = ranks_of(y);
    x = ranks_of(x);
  }
  Spread spread;
  spread.total = cross_sum(y, y);
  if (is_numeric) spread.covariance = cross_sum(x, y);
  if (method == Method::kGrid || !is_numeric) {
    spread.explained = between_groups(labels, y);
  } else {
    const double of_x = cross_sum(x, x);
    spread.explained = of_x == 0 ? 0 : spread.covariance * spread.covariance / of_x;
  }
  return spread;
}

std::optional<Sensitivity> sensitivity(const Table& table, std::size_t parameter, Metric metric) {
  Spread sum;
  for (const std::string& model : table.models) {
    std::vector<std::string> labels;
    std::vector<double> y;
    for (const Row& row : table.rows) {
      const std::optional<double> value = row.metric(metric);
      if (row.model != model || !value || !std::isfinite(*value)) continue;
      labels.push_back(row.values[parameter]);
      y.push_back(*value);
    }
    if (y.size() < 2 || std::ranges::all_of(y, [&](double v) { return v == y.front(); })) continue;
    const Spread one = spread_of(labels, std::move(y), table.method);
    sum.total += one.total;
    sum.explained += one.explained;
    sum.covariance += one.covariance;
  }
  if (!(sum.total > 0)) return std::nullopt;
  Sensitivity s{.parameter = parameter, .metric = metric};
  s.share = std::clamp(sum.explained / sum.total, 0.0, 1.0);
  s.trend = sum.covariance > 0 ? 1 : sum.covariance < 0 ? -1 : 0;
  return s;
}

}  // namespace

void mark_pareto(Table& table) {
  std::map<std::string, std::vector<std::pair<std::vector<double>, Row*>>> by_model;
  for (Row& row : table.rows) {
    row.is_pareto = false;
    if (!row.is_done()) continue;
    std::optional<std::vector<double>> costs = costs_of(row.result->metrics, table.objectives);
    if (costs && !costs->empty()) by_model[row.model].emplace_back(*std::move(costs), &row);
  }
  for (auto& [model, rows] : by_model) {
    // In this order, who dominates a row stands before it.
    std::ranges::stable_sort(rows, {}, [](const auto& r) { return r.first; });
    std::vector<const std::vector<double>*> front;
    for (auto& entry : rows) {
      const std::vector<double>& costs = entry.first;
      const bool is_beaten =
          std::ranges::any_of(front, [&](const auto* other) { return dominates(*other, costs); });
      if (is_beaten) continue;
      entry.second->is_pareto = true;
      front.push_back(&costs);
    }
  }
}

std::vector<Sensitivity> sensitivity_of(const Table& table) {
  std::vector<Sensitivity> all;
  for (std::size_t p = 0; p < table.parameters.size(); ++p) {
    if (table.parameters[p].is_derived) continue;
    for (std::size_t m = 0; m < kMetrics; ++m) {
      if (const auto s = sensitivity(table, p, static_cast<Metric>(m))) all.push_back(*s);
    }
  }
  return all;
}

}  // namespace npu::sweep
