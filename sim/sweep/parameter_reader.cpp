#include "sim/sweep/parameter_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "sim/base/error.h"
#include "sim/base/yaml_document.h"
#include "sim/sweep/value.h"

namespace npu::sweep {
namespace {

constexpr double kLimit = 1e15;

/// A range's count of values is bounded before they are made.
std::size_t checked_count(const YamlMap& in, std::string_view key, double count) {
  if (count > static_cast<double>(kMaxValuesPerParameter)) {
    in.fail(key,
            fmt::format("must leave at most {} values, got {:.0f}", kMaxValuesPerParameter, count));
  }
  return static_cast<std::size_t>(count);
}

double end_of_range(const YamlMap& in, double from) {
  const double to = in.require_number("to", -kLimit, kLimit);
  if (to < from) in.fail("to", fmt::format("must be at least from = {}, got {}", from, to));
  return to;
}

/// from, from + step, … up to `to`.
std::vector<std::string> linear(const YamlMap& in) {
  const double from = in.require_number("from", -kLimit, kLimit);
  const double to = end_of_range(in, from);
  const double step = in.get_number("step", 1, 0, kLimit);
  in.finish();
  if (step <= 0) in.fail("step", fmt::format("must be above 0, got {}", step));
  constexpr double kSlack = 1e-9;  // Of a step: sums of decimals are not exact.
  const std::size_t count = checked_count(in, "step", std::floor((to - from) / step + kSlack) + 1);
  std::vector<std::string> values;
  for (std::size_t i = 0; i < count; ++i) {
    values.push_back(text_of(from + static_cast<double>(i) * step));
  }
  return values;
}

/// from, 2·from, 4·from, … up to `to`.
std::vector<std::string> doubling(const YamlMap& in) {
  const double from = in.require_number("from", 0, kLimit);
  const double to = end_of_range(in, from);
  in.finish();
  if (from <= 0 || std::exp2(std::round(std::log2(from))) != from) {
    in.fail("from", fmt::format("must be a power of two, got {}", from));
  }
  std::vector<std::string> values;
  // Exponents: the ratio of the two may be infinite.
  const int doublings = std::ilogb(to) - std::ilogb(from);
  for (int i = 0; i <= doublings; ++i) values.push_back(text_of(std::ldexp(from, i)));
  return values;
}

/// `count` values with equal ratios, each rounded to a multiple; equal neighbours are one.
std::vector<std::string> logarithmic(const YamlMap& in) {
  const double from = in.require_number("from", 0, kLimit);
  const double to = end_of_range(in, from);
  const auto most = static_cast<std::int64_t>(kMaxValuesPerParameter);
  const std::int64_t count = in.require_int("count", 2, most);
  const bool is_whole = from == std::floor(from) && to == std::floor(to);
  const double multiple = in.get_number("multiple_of", is_whole ? 1 : 0, 0, kLimit);
  in.finish();
  if (from <= 0) in.fail("from", fmt::format("must be above 0, got {}", from));
  std::vector<std::string> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(count - 1);
    double value = from * std::pow(to / from, share);
    if (multiple > 0) value = std::max(1.0, std::round(value / multiple)) * multiple;
    std::string text = text_of(value);
    if (values.empty() || values.back() != text) values.push_back(std::move(text));
  }
  return values;
}

using Maker = std::vector<std::string> (*)(const YamlMap&);
constexpr std::array<std::pair<std::string_view, Maker>, 3> kMakers = {
    {{"range", linear}, {"powers_of_two", doubling}, {"log", logarithmic}}};

void check_values(const Parameter& p) {
  if (p.values.size() > kMaxValuesPerParameter) {
    fail("{}: must have at most {} values, got {}", p.place, kMaxValuesPerParameter,
         p.values.size());
  }
  std::set<std::string, std::less<>> seen;
  for (const std::string& value : p.values) {
    if (!seen.insert(value).second) {
      fail("{}: {} is there twice", p.place, yaml::shown(std::string_view(value)));
    }
  }
}

Parameter read_parameter(const YamlMap& section, const std::string& key,
                         const yaml::Node::Entry& entry) {
  const YamlMap in = section.require_map(key);
  Parameter p{.key = key, .place = {}, .values = {}, .expression = std::nullopt};
  p.place = fmt::format("{}:{}:{}: {}", in.file(), entry.line, entry.column, in.path());
  std::vector<std::string_view> forms;
  for (const auto& [name, maker] : kMakers) {
    if (!in.has(name)) continue;
    forms.push_back(name);
    p.values = maker(in.require_map(name));
  }
  if (in.has("values")) {
    forms.emplace_back("values");
    p.values = in.require_texts("values");
  }
  if (in.has("expression")) {
    forms.emplace_back("expression");
    p.expression = Expression::parse(in.require<std::string>("expression"), p.place);
  }
  in.finish();
  if (forms.size() != 1) {
    section.fail(key, fmt::format("must have one of values, range, powers_of_two, log and "
                                  "expression, got {}",
                                  forms.size()));
  }
  check_values(p);
  return p;
}

}  // namespace

std::vector<Parameter> read_parameters(const YamlMap& section, const yaml::Node& node) {
  std::vector<Parameter> all;
  for (const std::string& key : section.keys()) {
    if (key != "npu" && key.find('.') == std::string::npos) {
      section.fail(key, "must be `npu` or a key with its section (mac_array.rows), got no section");
    }
    if (all.size() == kMaxParameters) {
      section.fail(key, fmt::format("at most {} parameters, got more", kMaxParameters));
    }
    all.push_back(read_parameter(section, key, *node.find(key)));
    if (is_option(key)) {
      RunSettings scratch;
      for (const std::string& value : all.back().values) {
        set_option(scratch, key, value, all.back().place);
      }
    }
  }
  section.finish();
  return all;
}

}  // namespace npu::sweep
