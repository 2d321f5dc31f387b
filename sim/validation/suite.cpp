#include "sim/validation/suite.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include "sim/base/error.h"
#include "sim/base/process_pool.h"

namespace npu::validation {
namespace {

/// Ranks from 1; equal values share the mean of theirs.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> rank(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double shared = static_cast<double>(begin + 1 + end) / 2;
    for (std::size_t i = begin; i < end; ++i) rank[order[i]] = shared;
    begin = end;
  }
  return rank;
}

/// A number as text that reads back to the same number.
std::string pack(double value) { return fmt::format("{:a}", value); }

}  // namespace

bool Bound::is_stated() const {
  return std::isfinite(mean_error_percent) || std::isfinite(max_error_percent) ||
         rank_correlation > -1;
}

const std::vector<Suite>& suites() {
  static const std::vector<Suite> kSuites = [] {
    std::vector<Suite> all;
    add_nvdla_suites(all);
    add_dram_suites(all);
    add_published_suites(all);
    add_peer_suites(all);
    return all;
  }();
  return kSuites;
}

std::optional<double> rank_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  NPU_CHECK(a.size() == b.size(), "pairs");
  constexpr std::size_t kFewest = 3;
  if (a.size() < kFewest) return std::nullopt;
  const std::vector<double> x = ranks(a);
  const std::vector<double> y = ranks(b);
  const double mean = static_cast<double>(a.size() + 1) / 2;
  double xy = 0;
  double xx = 0;
  double yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - mean) * (y[i] - mean);
    xx += (x[i] - mean) * (x[i] - mean);
    yy += (y[i] - mean) * (y[i] - mean);
  }
  if (xx == 0 || yy == 0) return std::nullopt;
  return xy / std::sqrt(xx * yy);
}

void summarize(SuiteResult& result) {
  constexpr double kPercent = 100;
  std::vector<double> reference;
  std::vector<double> predicted;
  double sum = 0;
  double signed_sum = 0;
  result.max_error_percent = 0;
  result.failures = 0;
  for (const RowResult& row : result.rows) {
    if (!row.failure.empty()) {
      ++result.failures;
      continue;
    }
    reference.push_back(row.reference);
    predicted.push_back(row.predicted);
    const double error = row.error() * kPercent;
    sum += std::abs(error);
    signed_sum += error;
    if (std::abs(error) >= result.max_error_percent) {
      result.max_error_percent = std::abs(error);
      result.worst_row = row.row;
    }
  }
  const auto count = static_cast<double>(reference.size());
  result.mean_error_percent = reference.empty() ? 0 : sum / count;
  result.bias_percent = reference.empty() ? 0 : signed_sum / count;
  result.rank_correlation = rank_correlation(reference, predicted);
  const Bound& bound = result.suite->bound;
  result.within_bound = result.failures == 0 && !reference.empty() &&
                        result.mean_error_percent <= bound.mean_error_percent &&
                        result.max_error_percent <= bound.max_error_percent &&
                        result.rank_correlation.value_or(1) >= bound.rank_correlation;
}

SuiteResult run_suite(const Suite& suite, const CsvTable& rows, const std::string& rows_file,
                      const SuiteContext& context,
                      const std::function<void(std::size_t, std::size_t)>& on_row) {
  SuiteResult result;
  result.suite = &suite;
  result.rows_file = rows_file;
  const std::vector<Case> cases = suite.cases(rows, context);
  for (const Case& c : cases) {
    if (!(c.reference > 0)) {
      fail("{}: {}: the reference's {} must be above 0, got {}", rows_file, c.row, suite.quantity,
           c.reference);
    }
    result.rows.push_back({c.row, c.reference, 0, ""});
  }
  std::size_t finished = 0;
  run_in_processes(
      cases.size(), {.workers = 0}, [&](std::size_t i) { return pack(cases[i].predict()); },
      [&](std::size_t i, const TaskResult& task) {
        RowResult& row = result.rows[i];
        if (task.status == TaskStatus::kDone) {
          row.predicted = std::strtod(task.text.c_str(), nullptr);
        } else {
          row.failure = task.text;
        }
        on_row(++finished, cases.size());
      });
  summarize(result);
  return result;
}

}  // namespace npu::validation
