#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/config/config_document.h"

namespace npu::calibration {

/// A key of the configuration that may be fitted, and its grid of values.
struct Parameter {
  std::string key;  ///< "dma.setup_cycles"
  double min = 0, step = 1;
  std::int64_t points = 1;  ///< Values min + i · step, 0 ≤ i < points.

  /// As the configuration file writes it.
  [[nodiscard]] std::string value(std::int64_t index) const;
  /// The nearest grid point.
  [[nodiscard]] std::int64_t nearest(double value) const;
};

/// Reads `parameters:`, a mapping of dotted keys to {min, max, step}; step is 1 if left out.
/// @throws Error `file:line:column: key: …`: no parameter, max below min, step that is not above 0,
/// more than a million points.
[[nodiscard]] std::vector<Parameter> read_parameters(const std::string& path);

/// One grid index per parameter.
using Point = std::vector<std::int64_t>;

/// The grid point nearest to the configuration's own values.
/// @throws Error for a key that is not a number of the configuration.
[[nodiscard]] Point start_point(const std::vector<Parameter>& parameters,
                                const ConfigDocument& base);

/// The configuration at a grid point. @throws Error for values that it refuses.
[[nodiscard]] ConfigDocument at_point(const std::vector<Parameter>& parameters, const Point& point,
                                      ConfigDocument base);

}  // namespace npu::calibration
