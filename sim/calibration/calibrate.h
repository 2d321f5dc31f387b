#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/calibration/measurements.h"
#include "sim/calibration/parameters.h"

namespace npu::calibration {

struct Options {
  double held_out_share = 0.3;
  std::uint64_t seed = 1;
  double level_percent = 90;          ///< Of the interval, wanted.
  std::size_t max_evaluations = 400;  ///< Grid points simulated in the search.
  unsigned workers = 0;               ///< Processes at a time; 0: one per core.
};

/// Errors of a set of rows: |predicted − measured| / measured [%].
struct Errors {
  std::size_t rows = 0;
  double mean_percent = 0, max_percent = 0;
  std::string worst = {};  ///< Place of the row with the largest.
};

/// Where measured cycles of a further layer lie: r = (measured − predicted) / predicted [%].
///
/// Split conformal prediction: of n held-out residuals in ascending order the interval is from the
/// l-th to the u-th, l = floor(α/2 · (n + 1)), u = n + 1 − l with α = 1 − level; a further layer
/// that is drawn as the held-out ones were lies in it with probability (u − l) / (n + 1) or more.
/// With too few rows (l = 0) it is from the least to the greatest, and level_percent says what that
/// is worth: (n − 1) / (n + 1).
/// Source: Papadopoulos et al., Inductive Confidence Machines for Regression, ECML 2002.
struct ResidualInterval {
  double low_percent = 0, high_percent = 0;
  double level_percent = 0;  ///< What the rows vouch for.
};
[[nodiscard]] ResidualInterval residual_interval(std::vector<double> residuals_percent,
                                                 double wanted_level_percent);

struct FittedParameter {
  Parameter parameter;
  std::string before = {}, after = {};
  /// Values around the fitted one with the same error of the fitted rows: the measurements do not
  /// tell them apart. At most kMaxFlatSteps grid points to each side are looked at.
  std::string lowest_equal = {}, highest_equal = {};
  bool has_effect = false;  ///< Some row's cycles change over the parameter's range.
};
inline constexpr std::int64_t kMaxFlatSteps = 8;

struct Calibration {
  ConfigDocument document;  ///< The base with fitted values, their sources and `calibration`.
  std::vector<FittedParameter> parameters = {};
  Errors fitted_before = {}, fitted = {}, held_out_before = {}, held_out = {};
  ResidualInterval interval = {};
  std::size_t evaluations = 0;  ///< Configurations simulated, each on every row it was needed for.
  std::vector<std::string> warnings = {};
};

/// Fits the parameters on a part of the measurements: least mean square of the relative errors
/// (predicted − measured) / measured over the grid (search.h); each prediction is a timing-only
/// simulation in a process of its own. A parameter without effect stays as it was.
/// @param measured_name  how sources call the measurements.
/// @param on_progress  called with the evaluations so far and the error of the last.
/// @throws Error: a key that is no number of the configuration, a grid value that the configuration
/// refuses, a layer that does not map onto it.
[[nodiscard]] Calibration calibrate(const ConfigDocument& base,
                                    const std::vector<Parameter>& parameters,
                                    const std::vector<Measurement>& measurements,
                                    const std::string& measured_name, const Options& options,
                                    const std::function<void(std::size_t)>& on_progress);

}  // namespace npu::calibration
