#include "sim/sweep/space.h"

#include <algorithm>
#include <random>
#include <unordered_set>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/suggest.h"
#include "sim/base/yaml_document.h"

namespace npu::sweep {
namespace {

constexpr std::uint64_t kMaxCandidates = std::uint64_t{1} << 53U;
constexpr std::uint64_t kMaxEnumerated = 10'000'000;

/// A draw below n without the standard library's freedom of how.
std::uint64_t draw_below(std::mt19937_64& random, std::uint64_t n) {
  const std::uint64_t most = UINT64_MAX - UINT64_MAX % n;
  std::uint64_t draw = random();
  while (draw >= most) draw = random();
  return draw % n;
}

std::vector<std::uint64_t> enumerated(const SweepFile& sweep, const Space& space,
                                      std::uint64_t most) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t c = 0; c < space.size(); ++c) {
    if (!space.point(c)) continue;
    all.push_back(c);
    if (all.size() > most) {
      fail("{}: limits.points: the sweep has more than {} points", sweep.path, most);
    }
  }
  return all;
}

/// Draws from a space too large to be walked.
std::vector<std::uint64_t> drawn(const SweepFile& sweep, const Space& space) {
  constexpr std::uint64_t kTriesPerPoint = 1000;
  std::mt19937_64 random(sweep.search.seed);
  const auto wanted = static_cast<std::size_t>(sweep.search.points);
  std::vector<std::uint64_t> points;
  std::unordered_set<std::uint64_t> tried;
  for (std::uint64_t i = 0; i < kTriesPerPoint * wanted && points.size() < wanted; ++i) {
    const std::uint64_t c = draw_below(random, space.size());
    if (tried.insert(c).second && space.point(c)) points.push_back(c);
    if (tried.size() > kMaxEnumerated) break;
  }
  return points;
}

}  // namespace

Space::Space(const SweepFile& sweep, Configurations& configurations)
    : sweep_(sweep), configurations_(configurations) {
  for (std::size_t axis = 0; axis < sweep.axes.size(); ++axis) {
    per_model_ *= sweep.axis_size(axis);
    if (per_model_ > kMaxCandidates / sweep.models.size()) {
      fail("{}: parameters: at most 2^53 combinations, got more", sweep.path);
    }
  }
  size_ = per_model_ * sweep.models.size();
  for (const Parameter& p : sweep.parameters) {
    if (p.expression) check_names(*p.expression);
  }
  for (const Expression& e : sweep.conditions) check_names(e);
}

void Space::check_names(const Expression& e) const {
  const Point nothing_set{0, {}};
  const std::vector<std::string> npus = sweep_.npus();
  for (const std::string& name : e.names()) {
    std::optional<std::string> why;
    try {
      if (value_of_sweep(name, nothing_set)) continue;
    } catch (const Error& error) {
      fail("{}: {}", e.place(), error.what());
    }
    for (const std::string& npu : npus) {
      try {
        (void)configurations_.value(npu, name);
        why.reset();
        break;
      } catch (const Error& error) {
        if (!why) why = error.what();
      }
    }
    if (why) fail("{}: {}", e.place(), *why);
  }
}

std::string Space::npu_of(const Point& point) const {
  for (std::size_t i = 0; i < point.values.size(); ++i) {
    if (sweep_.parameters[i].key == "npu") return point.values[i];
  }
  return sweep_.npu;
}

std::optional<std::string> Space::value_of_sweep(const std::string& name,
                                                 const Point& point) const {
  for (std::size_t i = 0; i < sweep_.parameters.size(); ++i) {
    if (sweep_.parameters[i].key != name) continue;
    return i < point.values.size() ? point.values[i] : "0";
  }
  const Model& model = sweep_.models[point.model];
  if (name == "model") return model.label;
  if (name == "npu") return npu_of(point);
  for (const auto& [dim, value] : model.settings.dims) {
    if (name == "model.dim." + dim) return fmt::format("{}", value);
  }
  if (is_option(name) || name.find('.') == std::string::npos) {
    std::vector<std::string> known;
    for (const Parameter& p : sweep_.parameters) known.push_back(p.key);
    fail("{} is no parameter of this sweep and no value of the configuration{}; texts stand in ''",
         yaml::shown(std::string_view(name)), did_you_mean(name, known));
  }
  return std::nullopt;
}

std::string Space::look_up(const std::string& name, const Point& point) const {
  if (std::optional<std::string> value = value_of_sweep(name, point)) return *std::move(value);
  return configurations_.value(npu_of(point), name);
}

std::optional<Point> Space::point(std::uint64_t candidate) const {
  Point point;
  point.model = static_cast<std::size_t>(candidate / per_model_);
  point.values.resize(sweep_.parameters.size());
  std::uint64_t rest = candidate % per_model_;
  for (std::size_t axis = sweep_.axes.size(); axis-- > 0;) {
    const std::uint64_t size = sweep_.axis_size(axis);
    for (const std::size_t i : sweep_.axes[axis]) {
      point.values[i] = sweep_.parameters[i].values[static_cast<std::size_t>(rest % size)];
    }
    rest /= size;
  }
  try {
    if (!derive(point)) return std::nullopt;
  } catch (const Error& error) {
    fail("{}; at {}", error.what(), description_of(point));
  }
  return point;
}

bool Space::derive(Point& point) const {
  const Expression::Lookup lookup = [&](const std::string& name) { return look_up(name, point); };
  for (std::size_t i = 0; i < sweep_.parameters.size(); ++i) {
    const auto& expression = sweep_.parameters[i].expression;
    if (expression) point.values[i] = expression->value_text(lookup);
  }
  return std::ranges::all_of(sweep_.conditions,
                             [&](const Expression& condition) { return condition.holds(lookup); });
}

std::string Space::description_of(const Point& point) const {
  std::string text = fmt::format("model = {}", sweep_.models[point.model].label);
  for (std::size_t i = 0; i < point.values.size(); ++i) {
    const Parameter& p = sweep_.parameters[i];
    if (!p.expression) text += fmt::format(", {} = {}", p.key, point.values[i]);
  }
  return text;
}

std::uint64_t Space::candidate(std::size_t model, const std::vector<std::size_t>& indices) const {
  std::uint64_t candidate = model;
  for (std::size_t axis = 0; axis < indices.size(); ++axis) {
    candidate = candidate * sweep_.axis_size(axis) + indices[axis];
  }
  return candidate;
}

std::vector<std::uint64_t> chosen_candidates(const SweepFile& sweep, const Space& space) {
  const auto limit = static_cast<std::uint64_t>(sweep.limits.points);
  std::vector<std::uint64_t> points;
  if (sweep.search.method == Method::kRandom) {
    const auto wanted = static_cast<std::size_t>(sweep.search.points);
    if (wanted > limit) {
      fail("{}: limits.points: the search asks for {} points, {} are allowed", sweep.path, wanted,
           limit);
    }
    if (space.size() > kMaxEnumerated) {
      points = drawn(sweep, space);
    } else {
      points = enumerated(sweep, space, kMaxEnumerated);
      std::mt19937_64 random(sweep.search.seed);
      for (std::size_t i = 0; i < std::min(wanted, points.size()); ++i) {
        std::swap(points[i], points[i + draw_below(random, points.size() - i)]);
      }
      points.resize(std::min(wanted, points.size()));
    }
  } else {
    if (space.size() > kMaxEnumerated) {
      fail(
          "{}: parameters: a grid walks at most {} combinations, got {}: use search.method random "
          "or nsga2",
          sweep.path, kMaxEnumerated, space.size());
    }
    points = enumerated(sweep, space, limit);
  }
  if (points.empty()) fail("{}: when: no point meets the conditions", sweep.path);
  return points;
}

}  // namespace npu::sweep
