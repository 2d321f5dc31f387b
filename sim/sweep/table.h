#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "sim/sweep/metrics.h"
#include "sim/sweep/store.h"
#include "sim/sweep/sweep_file.h"

namespace npu::sweep {

struct Row {
  std::string hash, model;
  std::vector<std::string> values;  ///< In the order of Table::parameters.
  std::optional<Result> result;     ///< Absent: not run yet.
  bool is_pareto = false;

  [[nodiscard]] bool is_done() const { return result && result->is_done(); }
  [[nodiscard]] std::optional<double> metric(Metric m) const {
    return is_done() ? result->metrics[static_cast<std::size_t>(m)] : std::nullopt;
  }
};

struct TableParameter {
  std::string key;
  bool is_derived = false;
};

/// What a parameter does to a metric: analysis.h.
struct Sensitivity {
  std::size_t parameter = 0;
  Metric metric = Metric::kCycles;
  double share = 0;  ///< Of the metric's spread, 0 to 1.
  int trend = 0;     ///< 1: rises with the parameter, −1: falls, 0: neither, or no numbers.
};

/// A sweep's results, in the order of the sweep whatever order they were computed in.
struct Table {
  std::string name;
  std::vector<std::string> models;
  std::vector<TableParameter> parameters;
  std::vector<Metric> objectives;
  Method method = Method::kGrid;
  std::vector<Row> rows;
  std::vector<Sensitivity> sensitivity;
};

/// What Store::begin_sweep() keeps of a sweep.
[[nodiscard]] SweepHeader header_of(const SweepFile& sweep);
/// A sweep as it stands in a database, analyzed. An empty name: the only one there.
/// @throws Error for a name that is not there, several without a name, and a damaged database.
[[nodiscard]] Table read_table(Store& store, const std::string& name);
/// The same of a file, which is not written.
[[nodiscard]] Table open_table(const std::string& path, const std::string& name);

/// All rows: point, model, parameters, status, every metric, bound_by, pareto, error.
[[nodiscard]] std::string table_csv(const Table& table);
/// For people: the rows, the Pareto front, the sensitivity.
[[nodiscard]] std::string table_text(const Table& table);

}  // namespace npu::sweep
