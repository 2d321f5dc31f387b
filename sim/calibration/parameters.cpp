#include "sim/calibration/parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "sim/base/error.h"
#include "sim/base/yaml_map.h"
#include "sim/config/sections.h"

namespace npu::calibration {
namespace {

constexpr std::int64_t kMaxPoints = 1'000'000;

/// The value that is in force, from the file, the device that it names, or the default.
std::string current_value(const std::string& key, const ConfigDocument& base,
                          const NpuConfig& config) {
  if (base.has(key)) return base.get(key);
  for (const ResolvedSection& section : resolved_values(config)) {
    for (const auto& [name, value] : section.values) {
      if (key == fmt::format("{}.{}", section.name, name) ||
          key == fmt::format("{}.timing_cycles.{}", section.name, name)) {
        return value;
      }
    }
  }
  fail("{}: {}: the configuration has no such value", base.path(), key);
}

}  // namespace

std::string Parameter::value(std::int64_t index) const {
  return fmt::format("{:.10g}", min + static_cast<double>(index) * step);
}

std::int64_t Parameter::nearest(double value) const {
  return std::clamp<std::int64_t>(std::llround((value - min) / step), 0, points - 1);
}

std::vector<Parameter> read_parameters(const std::string& path) {
  constexpr double kLimit = 1e9;
  const YamlMap in = YamlMap::from_file(path);
  const YamlMap list = in.require_map("parameters");
  std::vector<Parameter> all;
  for (const std::string& key : list.keys()) {
    const YamlMap row = list.require_map(key);
    Parameter p{.key = key};
    p.min = row.require_number("min", -kLimit, kLimit);
    const double max = row.require_number("max", -kLimit, kLimit);
    p.step = row.get_number("step", 1, 0, kLimit);
    row.finish();
    if (max < p.min) row.fail("max", fmt::format("must be at least min = {}, got {}", p.min, max));
    if (p.step <= 0) row.fail("step", fmt::format("must be above 0, got {}", p.step));
    const double points = std::floor((max - p.min) / p.step + 1e-9) + 1;
    if (points > static_cast<double>(kMaxPoints)) {
      row.fail("step", fmt::format("must leave at most {} values, got {:g}", kMaxPoints, points));
    }
    p.points = static_cast<std::int64_t>(points);
    all.push_back(std::move(p));
  }
  list.finish();
  in.finish();
  if (all.empty()) in.fail("parameters", "must name at least one parameter, got none");
  return all;
}

Point start_point(const std::vector<Parameter>& parameters, const ConfigDocument& base) {
  const NpuConfig config = base.parse();
  Point point;
  for (const Parameter& p : parameters) {
    const std::string text = current_value(p.key, base, config);
    double value = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (code != std::errc() || end != text.data() + text.size()) {
      fail("{}: {}: only numbers can be fitted, got {}", base.path(), p.key, text);
    }
    point.push_back(p.nearest(value));
  }
  return point;
}

ConfigDocument at_point(const std::vector<Parameter>& parameters, const Point& point,
                        ConfigDocument base) {
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    base.set(parameters[i].key, parameters[i].value(point[i]));
  }
  return base;
}

}  // namespace npu::calibration
