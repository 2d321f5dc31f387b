#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/csv.h"

namespace npu::validation {

/// One figure of an outside reference and how npusim arrives at its own.
struct Case {
  std::string row;  ///< Names the reference's row within the suite.
  double reference = 0;
  /// npusim's figure. Called in a process of its own: it may simulate.
  std::function<double()> predict;
};

/// What a suite promises, relative errors in percent; infinite (or −1 for the correlation) where
/// the error is only reported.
struct Bound {
  double mean_error_percent = std::numeric_limits<double>::infinity();
  double max_error_percent = std::numeric_limits<double>::infinity();
  double rank_correlation = -1;

  [[nodiscard]] bool is_stated() const;
};

/// Folders and figures that the cases of a suite need.
struct SuiteContext {
  std::string configs;  ///< The folder `configs`.

  [[nodiscard]] std::string npu(const std::string& name) const {
    return configs + "/npu/" + name + ".yaml";
  }
  [[nodiscard]] std::string dram(const std::string& name) const {
    return configs + "/dram/" + name + ".yaml";
  }
};

/// A comparison of one quantity with one outside reference.
struct Suite {
  std::string name;      ///< As `--suite` takes it.
  std::string quantity;  ///< "cycles", "DRAM bytes", …
  std::string unit;
  std::string reference;  ///< What the figures are and where they are from, in a line.
  std::string rows;       ///< The shipped rows: configs/validation/<rows>.csv.
  Bound bound;
  /// What this reference has and npusim's configuration of it cannot express; empty: nothing known.
  std::string differs;
  /// Reads the rows, in the reference's own columns; rows that are no comparison (a reference run
  /// that failed) are left out.
  /// @throws Error `file:line: column: …`.
  std::function<std::vector<Case>(const CsvTable&, const SuiteContext&)> cases;
};

/// A compared row.
struct RowResult {
  std::string row;
  double reference = 0, predicted = 0;
  std::string failure;  ///< Why there is no prediction; empty if there is one.

  /// (predicted − reference) / reference.
  [[nodiscard]] double error() const { return (predicted - reference) / reference; }
};

struct SuiteResult {
  const Suite* suite = nullptr;
  std::string rows_file;
  std::vector<RowResult> rows;
  double mean_error_percent = 0;  ///< Of the absolute errors.
  double bias_percent = 0;        ///< Mean of the signed errors.
  double max_error_percent = 0;   ///< Largest absolute error.
  std::string worst_row;
  /// Spearman's, ties sharing their mean rank; none below 3 rows or without any variation.
  std::optional<double> rank_correlation;
  std::size_t failures = 0;
  bool within_bound = false;  ///< True where no bound is stated; false if a row failed.
};

/// All suites, in the order of the table.
[[nodiscard]] const std::vector<Suite>& suites();

/// @param on_row  called after each row with the number of rows that are done and of all.
[[nodiscard]] SuiteResult run_suite(const Suite& suite, const CsvTable& rows,
                                    const std::string& rows_file, const SuiteContext& context,
                                    const std::function<void(std::size_t, std::size_t)>& on_row);

/// Figures of a result from its rows.
void summarize(SuiteResult& result);

/// Spearman's rank correlation; none for fewer than 3 pairs or where one side does not vary.
[[nodiscard]] std::optional<double> rank_correlation(const std::vector<double>& a,
                                                     const std::vector<double>& b);

// Each file of suites adds its own.
void add_nvdla_suites(std::vector<Suite>& suites);
void add_dram_suites(std::vector<Suite>& suites);
void add_published_suites(std::vector<Suite>& suites);
void add_peer_suites(std::vector<Suite>& suites);

}  // namespace npu::validation
