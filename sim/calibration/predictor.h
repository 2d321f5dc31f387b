#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "sim/calibration/measurements.h"
#include "sim/calibration/parameters.h"

namespace npu::calibration {

/// Predicted cycles of measured rows at grid points. Every pair of point and row is simulated once,
/// timing only, in a process of its own, as many at a time as `workers` (0: cores).
class Predictor {
 public:
  Predictor(const ConfigDocument& base, const std::vector<Parameter>& parameters,
            const std::vector<Measurement>& measurements, unsigned workers)
      : base_(base), parameters_(parameters), measurements_(measurements), workers_(workers) {}

  /// Simulates what is not known yet. @throws Error naming the row or the value.
  void prepare(const std::vector<Point>& points, const std::vector<std::size_t>& rows);
  [[nodiscard]] std::uint64_t cycles(const Point& point, std::size_t row) const {
    return cycles_.at({point, row});
  }
  /// Grid points of which some row was simulated.
  [[nodiscard]] std::size_t points() const { return configs_.size(); }

  std::function<void(std::size_t)> on_progress;  ///< With points(); may be empty.

 private:
  const ConfigDocument& base_;
  const std::vector<Parameter>& parameters_;
  const std::vector<Measurement>& measurements_;
  const unsigned workers_;
  std::map<Point, NpuConfig> configs_;
  std::map<std::pair<Point, std::size_t>, std::uint64_t> cycles_;
};

}  // namespace npu::calibration
