#include "sim/sweep/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string_view>
#include <system_error>

#include "sim/base/error.h"
#include "sim/base/suggest.h"
#include "sim/base/yaml_document.h"

namespace npu::sweep {
namespace {

constexpr std::string_view kDim = "model.dim.";
constexpr std::array<std::string_view, 9> kOptions = {
    "model.precision", "model.weights",  "model.fuse",  "run.timing_only", "run.simulate_all",
    "run.attention",   "run.references", "run.samples", "run.calibration"};

bool to_bool(const std::string& value, const std::string& place) {
  if (value != "true" && value != "false") {
    fail("{}: must be true or false, got {}", place, yaml::shown(std::string_view(value)));
  }
  return value == "true";
}

std::int64_t to_count(const std::string& value, const std::string& place) {
  std::int64_t number = 0;
  const char* const end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || stop != end || number < 1) {
    fail("{}: must be an integer of at least 1, got {}", place,
         yaml::shown(std::string_view(value)));
  }
  return number;
}

std::string to_choice(const std::string& value, const std::vector<std::string>& choices,
                      const std::string& place) {
  if (std::ranges::find(choices, value) == choices.end()) {
    fail("{}: must be one of {}, got {}{}", place, fmt::join(choices, ", "),
         yaml::shown(std::string_view(value)), did_you_mean(value, choices));
  }
  return value;
}

void set_dim(RunSettings& settings, const std::string& name, std::int64_t value) {
  for (auto& [known, old] : settings.dims) {
    if (known == name) {
      old = value;
      return;
    }
  }
  settings.dims.emplace_back(name, value);
}

}  // namespace

bool is_option(const std::string& key) {
  return key.starts_with("model.") || key.starts_with("run.");
}

void set_option(RunSettings& settings, const std::string& key, const std::string& value,
                const std::string& place) {
  if (key.starts_with(kDim) && key.size() > kDim.size()) {
    return set_dim(settings, key.substr(kDim.size()), to_count(value, place));
  }
  if (key == "model.precision") {
    settings.precision = value;
  } else if (key == "model.weights") {
    settings.weights = value;
  } else if (key == "model.fuse") {
    settings.fuse = to_bool(value, place);
  } else if (key == "run.timing_only") {
    settings.timing_only = to_bool(value, place);
  } else if (key == "run.simulate_all") {
    settings.simulate_all = to_bool(value, place);
  } else if (key == "run.attention") {
    settings.attention = to_choice(value, {"auto", "fused", "unfused"}, place);
  } else if (key == "run.references") {
    settings.references = to_choice(value, {"all", "integer", "none"}, place);
  } else if (key == "run.samples") {
    settings.samples = to_count(value, place);
  } else if (key == "run.calibration") {
    settings.calibration = value;
  } else {
    std::vector<std::string> known(kOptions.begin(), kOptions.end());
    fail("{}: no option {}{}; known are {} and model.dim.NAME", place,
         yaml::shown(std::string_view(key)), did_you_mean(key, known), fmt::join(known, ", "));
  }
}

}  // namespace npu::sweep
