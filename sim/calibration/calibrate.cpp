#include "sim/calibration/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/yaml_document.h"
#include "sim/calibration/predictor.h"
#include "sim/calibration/search.h"

namespace npu::calibration {
namespace {

double relative_error(std::uint64_t predicted, std::uint64_t measured) {
  return (static_cast<double>(predicted) - static_cast<double>(measured)) /
         static_cast<double>(measured);
}

class Fit {
 public:
  Fit(const ConfigDocument& base, const std::vector<Parameter>& parameters,
      const std::vector<Measurement>& measurements, const Options& options)
      : base_(base),
        parameters_(parameters),
        measurements_(measurements),
        split_(split_rows(measurements.size(), options.held_out_share, options.seed)),
        predictor_(base, parameters, measurements, options.workers) {}

  Predictor& predictor() { return predictor_; }
  [[nodiscard]] const Split& split() const { return split_; }

  [[nodiscard]] std::vector<double> objective(const std::vector<Point>& points) {
    predictor_.prepare(points, split_.fitted);
    std::vector<double> values;
    values.reserve(points.size());
    for (const Point& p : points) values.push_back(mean_square(p));
    return values;
  }

  [[nodiscard]] Errors errors(const Point& point, const std::vector<std::size_t>& rows) {
    predictor_.prepare({point}, rows);
    Errors e{.rows = rows.size()};
    for (const std::size_t row : rows) {
      const double percent =
          100 * std::abs(relative_error(predictor_.cycles(point, row), measurements_[row].cycles));
      e.mean_percent += percent / static_cast<double>(rows.size());
      if (e.worst.empty() || percent > e.max_percent) {
        e.max_percent = percent;
        e.worst = measurements_[row].place;
      }
    }
    return e;
  }

  [[nodiscard]] std::vector<double> residuals_percent(const Point& point) {
    std::vector<double> all;
    predictor_.prepare({point}, split_.held_out);
    for (const std::size_t row : split_.held_out) {
      const auto predicted = static_cast<double>(predictor_.cycles(point, row));
      all.push_back(100 * (static_cast<double>(measurements_[row].cycles) - predicted) / predicted);
    }
    return all;
  }

  /// Some fitted row's cycles differ between the point and its like at either end of the range or
  /// one step aside.
  [[nodiscard]] bool has_effect(const Point& point, std::size_t axis) {
    const std::int64_t last = parameters_[axis].points - 1;
    std::vector<Point> others;
    for (const std::int64_t index :
         {std::int64_t{0}, last, std::max<std::int64_t>(0, point[axis] - 1),
          std::min(last, point[axis] + 1)}) {
      others.push_back(point);
      others.back()[axis] = index;
    }
    others.push_back(point);
    predictor_.prepare(others, split_.fitted);
    return std::ranges::any_of(split_.fitted, [&](std::size_t row) {
      return std::ranges::any_of(others, [&](const Point& p) {
        return predictor_.cycles(p, row) != predictor_.cycles(point, row);
      });
    });
  }

  /// The index farthest from the point, by steps of `by`, up to which the error stays the same.
  [[nodiscard]] std::int64_t flat_until(const Point& point, std::size_t axis, std::int64_t by) {
    const double best = objective({point}).front();
    Point p = point;
    for (std::int64_t n = 0; n < kMaxFlatSteps; ++n) {
      Point next = p;
      next[axis] += by;
      if (next[axis] < 0 || next[axis] >= parameters_[axis].points) break;
      if (objective({next}).front() > best) break;
      p = next;
    }
    return p[axis];
  }

 private:
  [[nodiscard]] double mean_square(const Point& point) const {
    double sum = 0;
    for (const std::size_t row : split_.fitted) {
      const double e = relative_error(predictor_.cycles(point, row), measurements_[row].cycles);
      sum += e * e;
    }
    return sum / static_cast<double>(split_.fitted.size());
  }

  const ConfigDocument& base_;
  const std::vector<Parameter>& parameters_;
  const std::vector<Measurement>& measurements_;
  const Split split_;
  Predictor predictor_;
};

std::string before_text(const ConfigDocument& base, const Parameter& p, std::int64_t start) {
  return base.has(p.key) ? base.get(p.key) : p.value(start);
}

std::string number(double value) { return fmt::format("{:.4g}", value); }

yaml::Node record(const Calibration& c, const std::string& source) {
  const auto text = fmt::format(
      "rows: {}\nheld_out_rows: {}\nmean_error_percent: {}\ninterval_low_percent: {}\n"
      "interval_high_percent: {}\nlevel_percent: {}\n",
      c.fitted.rows, c.held_out.rows, number(c.held_out.mean_percent),
      number(c.interval.low_percent), number(c.interval.high_percent),
      number(c.interval.level_percent));
  yaml::Node node = yaml::parse(text, "calibration")->root;
  yaml::Node value;
  value.kind = yaml::Kind::kScalar;
  value.text = source;
  node.entries.push_back({"source", node.line, node.column, std::move(value)});
  return node;
}

/// "dma.setup_cycles" has its source under "dma.sources.setup_cycles"; a nested key is named by the
/// entry of the section that holds it.
std::string source_key(const std::string& key) {
  const std::size_t dot = key.find('.');
  const std::string rest = key.substr(dot + 1);
  return key.substr(0, dot) + ".sources." + rest.substr(0, rest.find('.'));
}

void write_document(Calibration& c, const std::string& measured_name) {
  const std::string source = fmt::format(
      "fitted: npusim calibrate on {} rows of {}, mean error {} %, held out {} %", c.fitted.rows,
      measured_name, number(c.fitted.mean_percent), number(c.held_out.mean_percent));
  for (const FittedParameter& p : c.parameters) {
    if (!p.has_effect) continue;
    c.document.set(p.parameter.key, p.after);
    c.document.set_text(source_key(p.parameter.key), source);
  }
  c.document.set_section("calibration", record(c, source));
  (void)c.document.parse();
}

void add_warnings(Calibration& c, const SearchResult& found, double wanted_level_percent) {
  for (const FittedParameter& p : c.parameters) {
    if (!p.has_effect) {
      c.warnings.push_back(
          fmt::format("{}: no fitted row's cycles depend on it: not identifiable, left at {}",
                      p.parameter.key, p.before));
    } else if (p.lowest_equal != p.highest_equal) {
      c.warnings.push_back(fmt::format("{}: the rows do not tell {} to {} apart (at least)",
                                       p.parameter.key, p.lowest_equal, p.highest_equal));
    } else if (p.parameter.points > 1 && (p.after == p.parameter.value(0) ||
                                          p.after == p.parameter.value(p.parameter.points - 1))) {
      c.warnings.push_back(
          fmt::format("{}: {} is the end of its range: the best value may lie beyond",
                      p.parameter.key, p.after));
    }
  }
  if (!found.is_converged) {
    c.warnings.push_back(fmt::format(
        "the search used up its {} evaluations before no neighbour was better", found.evaluations));
  }
  if (c.interval.level_percent + 1e-9 < wanted_level_percent) {
    c.warnings.push_back(fmt::format("{} held-out rows vouch for an interval of {} %, not {} %",
                                     c.held_out.rows, number(c.interval.level_percent),
                                     number(wanted_level_percent)));
  }
}

}  // namespace

ResidualInterval residual_interval(std::vector<double> residuals, double wanted_level_percent) {
  NPU_CHECK(residuals.size() >= 2, "an interval needs residuals");
  std::ranges::sort(residuals);
  const std::size_t n = residuals.size();
  const double tail = (1 - wanted_level_percent / 100) / 2;
  auto low = static_cast<std::size_t>(std::floor(tail * static_cast<double>(n + 1) + 1e-9));
  low = std::clamp<std::size_t>(low, 1, (n + 1) / 2);
  const std::size_t high = n + 1 - low;
  return {.low_percent = residuals[low - 1],
          .high_percent = residuals[high - 1],
          .level_percent = 100 * static_cast<double>(high - low) / static_cast<double>(n + 1)};
}

Calibration calibrate(const ConfigDocument& base, const std::vector<Parameter>& parameters,
                      const std::vector<Measurement>& measurements,
                      const std::string& measured_name, const Options& options,
                      const std::function<void(std::size_t)>& on_progress) {
  Fit fit(base, parameters, measurements, options);
  fit.predictor().on_progress = on_progress;
  const Point start = start_point(parameters, base);
  const SearchResult found = search(
      parameters, start, [&](const std::vector<Point>& points) { return fit.objective(points); },
      {.max_evaluations = options.max_evaluations});

  Calibration c{.document = base};
  Point best = found.best;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    FittedParameter p{.parameter = parameters[i]};
    p.before = before_text(base, parameters[i], start[i]);
    p.has_effect = fit.has_effect(best, i);
    if (!p.has_effect) best[i] = start[i];
    p.after = p.has_effect ? parameters[i].value(best[i]) : p.before;
    c.parameters.push_back(std::move(p));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    FittedParameter& p = c.parameters[i];
    if (!p.has_effect) continue;
    p.lowest_equal = parameters[i].value(fit.flat_until(best, i, -1));
    p.highest_equal = parameters[i].value(fit.flat_until(best, i, 1));
  }
  c.fitted_before = fit.errors(start, fit.split().fitted);
  c.held_out_before = fit.errors(start, fit.split().held_out);
  c.fitted = fit.errors(best, fit.split().fitted);
  c.held_out = fit.errors(best, fit.split().held_out);
  c.interval = residual_interval(fit.residuals_percent(best), options.level_percent);
  c.evaluations = fit.predictor().points();
  add_warnings(c, found, options.level_percent);
  write_document(c, measured_name);
  return c;
}

}  // namespace npu::calibration
