#include "sim/calibration/search.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <utility>

namespace npu::calibration {
namespace {

class PatternSearch {
 public:
  PatternSearch(const std::vector<Parameter>& parameters, const Objective& objective,
                std::size_t budget)
      : parameters_(parameters), objective_(objective), budget_(budget) {}

  SearchResult run(const Point& start) {
    best_ = start;
    (void)improve({start});
    std::vector<Point> starts = grid(budget_);
    if (!starts.empty()) {
      (void)improve(starts);
      return {best_, known(best_), values_.size(), !is_spent_};
    }
    starts = coarse_grid();
    (void)evaluate(starts);
    std::ranges::stable_sort(starts, {}, [&](const Point& p) { return known(p); });
    starts.resize(std::min(starts.size(), kStarts));
    starts.insert(starts.begin(), start);
    bool is_converged = true;
    SearchResult result;
    result.objective = std::numeric_limits<double>::infinity();
    for (const Point& from : starts) {
      best_ = from;
      is_converged = descend() && is_converged;
      if (known(best_) < result.objective) {
        result.best = best_;
        result.objective = known(best_);
      }
    }
    result.evaluations = values_.size();
    result.is_converged = is_converged;
    return result;
  }

 private:
  static constexpr std::size_t kStarts = 2;
  static constexpr std::size_t kMaxCoarsePoints = 32;

  [[nodiscard]] std::size_t count() const { return parameters_.size(); }
  [[nodiscard]] double known(const Point& p) const {
    const auto at = values_.find(p);
    return at == values_.end() ? std::numeric_limits<double>::infinity() : at->second;
  }

  /// All points, if they are no more than `most`; else none.
  [[nodiscard]] std::vector<Point> grid(std::size_t most) const {
    std::vector<Point> points = {Point(count(), 0)};
    for (std::size_t i = 0; i < count(); ++i) {
      const auto n = static_cast<std::size_t>(parameters_[i].points);
      if (n > most / points.size()) return {};
      std::vector<Point> next;
      for (const Point& p : points) {
        for (std::size_t k = 0; k < n; ++k) {
          next.push_back(p);
          next.back()[i] = static_cast<std::int64_t>(k);
        }
      }
      points = std::move(next);
    }
    return points;
  }

  /// As many inner points per parameter as the budget of coarse points allows, at least their
  /// middles.
  [[nodiscard]] std::vector<Point> coarse_grid() const {
    std::size_t per_axis = 1;
    const auto total = [&](std::size_t n) {
      std::size_t product = 1;
      for (std::size_t i = 0; i < count() && product <= kMaxCoarsePoints; ++i) product *= n;
      return product;
    };
    while (per_axis < 8 && total(per_axis + 1) <= kMaxCoarsePoints) ++per_axis;
    std::vector<Point> points = {Point(count(), 0)};
    for (std::size_t i = 0; i < count(); ++i) {
      std::vector<Point> next;
      for (const Point& p : points) {
        for (std::size_t k = 0; k < per_axis; ++k) {
          Point q = p;
          q[i] = (parameters_[i].points - 1) * static_cast<std::int64_t>(2 * k + 1) /
                 static_cast<std::int64_t>(2 * per_axis);
          next.push_back(std::move(q));
        }
      }
      points = std::move(next);
    }
    return points;
  }

  /// False if the budget ends before all are known.
  bool evaluate(const std::vector<Point>& points) {
    std::vector<Point> fresh;
    for (const Point& p : points) {
      if (!values_.contains(p) && std::ranges::find(fresh, p) == fresh.end()) fresh.push_back(p);
    }
    const bool fits = values_.size() + fresh.size() <= budget_;
    if (!fits) fresh.resize(budget_ - std::min(budget_, values_.size()));
    if (fresh.empty()) return fits;
    const std::vector<double> values = objective_(fresh);
    for (std::size_t i = 0; i < fresh.size(); ++i) values_.emplace(fresh[i], values[i]);
    return fits;
  }

  /// Moves to the best of the points if it is better.
  bool improve(const std::vector<Point>& points) {
    if (!evaluate(points)) is_spent_ = true;
    bool is_better = false;
    for (const Point& p : points) {
      if (known(p) < known(best_)) {
        best_ = p;
        is_better = true;
      }
    }
    return is_better;
  }

  [[nodiscard]] Point moved(Point p, std::size_t axis, std::int64_t by) const {
    p[axis] = std::clamp<std::int64_t>(p[axis] + by, 0, parameters_[axis].points - 1);
    return p;
  }

  /// One round of steps along each parameter, then beyond where they led.
  bool explore(const std::vector<std::int64_t>& steps) {
    const Point before = best_;
    for (std::size_t i = 0; i < count() && !is_spent_; ++i) {
      (void)improve({moved(best_, i, -steps[i]), moved(best_, i, steps[i])});
    }
    if (best_ == before) return false;
    Point beyond = best_;
    for (std::size_t i = 0; i < count(); ++i) beyond = moved(beyond, i, best_[i] - before[i]);
    if (!is_spent_) (void)improve({beyond});
    return true;
  }

  /// Steps along pairs, where one parameter makes up for another.
  bool explore_pairs(const std::vector<std::int64_t>& steps) {
    const bool is_finest = std::ranges::all_of(steps, [](std::int64_t s) { return s == 1; });
    std::vector<Point> points;
    for (std::size_t i = 0; i < count(); ++i) {
      for (std::size_t j = i + 1; j < count(); ++j) {
        for (const std::int64_t a : {-4, -2, -1, 1, 2, 4}) {
          for (const std::int64_t b : {-4, -2, -1, 1, 2, 4}) {
            const std::int64_t most = std::max(std::abs(a), std::abs(b));
            if (most > 1 && (!is_finest || std::min(std::abs(a), std::abs(b)) > 1)) continue;
            points.push_back(moved(moved(best_, i, a * steps[i]), j, b * steps[j]));
          }
        }
      }
    }
    return !points.empty() && improve(points);
  }

  /// True if it ended because nothing near is better.
  bool descend() {
    std::vector<std::int64_t> steps;
    for (const Parameter& p : parameters_) {
      steps.push_back(std::max<std::int64_t>(1, p.points / 4));
    }
    while (!is_spent_) {
      if (explore(steps) || explore_pairs(steps)) continue;
      if (is_spent_) break;
      if (std::ranges::all_of(steps, [](std::int64_t s) { return s == 1; })) return true;
      for (std::int64_t& s : steps) s = std::max<std::int64_t>(1, s / 2);
    }
    return false;
  }

  const std::vector<Parameter>& parameters_;
  const Objective& objective_;
  const std::size_t budget_;
  std::map<Point, double> values_;
  Point best_;
  bool is_spent_ = false;
};

}  // namespace

SearchResult search(const std::vector<Parameter>& parameters, const Point& start,
                    const Objective& objective, const SearchOptions& options) {
  return PatternSearch(parameters, objective, options.max_evaluations).run(start);
}

}  // namespace npu::calibration
