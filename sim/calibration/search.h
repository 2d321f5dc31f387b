#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <vector>

#include "sim/calibration/parameters.h"

namespace npu::calibration {

/// The objective at several grid points at once (it may compute them side by side).
using Objective = std::function<std::vector<double>(const std::vector<Point>&)>;

struct SearchOptions {
  std::size_t max_evaluations = 400;  ///< Distinct points; the search ends when they are used up.
};

struct SearchResult {
  Point best;
  double objective = 0;
  std::size_t evaluations = 0;  ///< Distinct points.
  bool is_converged = false;    ///< No neighbour is better; else the evaluations ran out.
};

/// Minimises an objective on a grid.
///
/// A grid of no more than max_evaluations points is looked at whole. Else Hooke and Jeeves' pattern
/// search with steps that halve down to one grid point: along each parameter, along pairs of them
/// (at last also one step of one and two or four of the other) where single ones do not help, and
/// beyond a successful step; from the start and from the best points of a coarse grid. That is a
/// local search: of several valleys it may find a lesser one. Deterministic; among equals the first
/// found stays.
///
/// Source: Hooke and Jeeves, "Direct Search" Solution of Numerical and Statistical Problems, J. ACM
/// 8(2), 1961.
[[nodiscard]] SearchResult search(const std::vector<Parameter>& parameters, const Point& start,
                                  const Objective& objective, const SearchOptions& options);

}  // namespace npu::calibration
