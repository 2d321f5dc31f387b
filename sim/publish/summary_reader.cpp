#include "sim/publish/summary_reader.h"

#include <limits>
#include <nlohmann/json.hpp>

#include "sim/publish/json_view.h"

namespace npu::publish {
namespace {

constexpr std::int64_t kMaxCount = std::numeric_limits<std::int64_t>::max();
constexpr double kMaxFigure = 1e30;
constexpr std::int64_t kMaxPeriodPs = 1'000'000'000;

std::uint64_t count(const JsonView& in, std::string_view key) {
  return static_cast<std::uint64_t>(in.integer(key, 0, kMaxCount));
}

double figure(const JsonView& in, std::string_view key) { return in.number(key, 0, kMaxFigure); }

std::vector<Peaks::Rate> read_rates(const JsonView& in) {
  std::vector<Peaks::Rate> out;
  for (const std::string& name : in.keys()) out.push_back({name, figure(in, name)});
  return out;
}

Peaks read_peaks(const JsonView& in) {
  Peaks out;
  out.macs = read_rates(in.map("macs_per_cycle"));
  out.bytes = read_rates(in.map("bytes_per_cycle"));
  const JsonView capacities = in.map("capacity_bytes");
  for (const std::string& name : capacities.keys()) {
    out.capacities.push_back({name, count(capacities, name)});
  }
  return out;
}

std::vector<UnitBuckets> read_units(const std::vector<JsonView>& units) {
  constexpr std::string_view kSuffix = "_cycles";
  std::vector<UnitBuckets> out;
  for (const JsonView& unit : units) {
    out.push_back({.unit = unit.text("unit"), .buckets = {}});
    const JsonView buckets = unit.map("buckets");
    for (const std::string& key : buckets.keys()) {
      const std::string name =
          key.ends_with(kSuffix) ? key.substr(0, key.size() - kSuffix.size()) : key;
      out.back().buckets.push_back({name, count(buckets, key)});
    }
  }
  return out;
}

std::optional<double> figure_or_none(const JsonView& in, std::string_view key) {
  if (!in.has_value(key)) return std::nullopt;
  return in.number(key, -kMaxFigure, kMaxFigure);
}

ErrorFigures read_error(const JsonView& in) {
  return {.elements = in.integer("elements", 0, kMaxCount),
          .differing = in.integer("differing_elements", 0, kMaxCount),
          .max_lsb = in.integer("max_lsb_difference", 0, kMaxCount),
          .max_abs_error = figure_or_none(in, "max_abs_error"),
          .mean_squared_error = figure_or_none(in, "mean_squared_error"),
          .cosine = figure_or_none(in, "cosine_similarity"),
          .sqnr_db = figure_or_none(in, "sqnr_db")};
}

std::vector<TensorFigures> read_tensors(const std::vector<JsonView>& tensors) {
  std::vector<TensorFigures> out;
  for (const JsonView& in : tensors) {
    TensorFigures t{.id = in.integer("tensor", -1, kMaxCount),
                    .name = in.text("name"),
                    .layer = in.text("layer"),
                    .type = in.text("type"),
                    .integer = read_error(in.map("integer_reference")),
                    .against_float = std::nullopt};
    if (in.has("float_reference")) t.against_float = read_error(in.map("float_reference"));
    out.push_back(std::move(t));
  }
  return out;
}

AccuracyFigures read_accuracy(const JsonView& in) {
  AccuracyFigures out{.samples = in.integer("samples", 0, kMaxCount),
                      .outputs = read_tensors(in.maps("outputs")),
                      .tensors = read_tensors(in.maps("tensors_sample0")),
                      .classes = {}};
  constexpr std::pair<std::string_view, std::string_view> kClasses[] = {
      {"agreement_integer_reference", "integer reference"},
      {"agreement_float_reference", "float reference"},
      {"label_accuracy", "labels"}};
  for (const auto& [key, against] : kClasses) {
    if (!in.has(key)) continue;
    const JsonView shares = in.map(key);
    out.classes.push_back({.against = std::string(against),
                           .top1 = shares.number("top1_share", 0, 1),
                           .top5 = shares.number("top5_share", 0, 1)});
  }
  return out;
}

}  // namespace

Summary read_summary(std::string_view text, const std::string& file) {
  const nlohmann::json json = parse_json(text, file);
  const JsonView in(json, file);
  Summary s;
  s.config = in.text("config");
  s.model = in.text("model");
  const JsonView provenance = in.map("provenance");
  for (const std::string& key : provenance.keys()) {
    s.provenance.emplace_back(key, provenance.text(key));
  }
  s.notes = in.texts("notes");
  s.timing_only = in.boolean("timing_only");
  s.repeats_once = in.text("repeated_layers") == "simulated_once";
  s.samples = in.integer("samples", 1, kMaxCount);
  s.clock_period_ps = in.integer("clock_period_ps", 1, kMaxPeriodPs);
  s.total_cycles = count(in, "total_cycles");
  s.simulated_cycles = count(in, "simulated_cycles");
  const std::vector<std::int64_t> runs = in.integers("cycles_per_inference", 0, kMaxCount);
  s.last_run_cycles = runs.empty() ? 0 : static_cast<std::uint64_t>(runs.back());
  s.total_energy_pj = figure(in, "total_energy_pj");
  s.no_layer_energy_pj = figure(in, "no_layer_energy_pj");
  for (std::size_t i = 0; i < kFigureCount; ++i) s.figures[i] = figure(in, kFigures[i].key);
  if (in.has_value("latency_interval")) {
    const JsonView interval = in.map("latency_interval");
    s.interval = {.low_ms = interval.number("low_ms", -kMaxFigure, kMaxFigure),
                  .high_ms = interval.number("high_ms", -kMaxFigure, kMaxFigure),
                  .level_percent = interval.number("level_percent", 0, 100)};
  }
  s.host_ms = figure_or_none(in, "host_ms");
  s.host_energy_pj = figure_or_none(in, "host_energy_pj");
  s.peaks = read_peaks(in.map("peaks"));
  s.units = read_units(in.maps("units"));
  for (const JsonView& op : in.maps("host_operators")) {
    s.host_operators.push_back({.name = op.text("operator"),
                                .bytes = op.integer("bytes_per_inference", 0, kMaxCount),
                                .time_ms = figure_or_none(op, "time_ms")});
  }
  if (in.has("accuracy")) s.accuracy = read_accuracy(in.map("accuracy"));
  return s;
}

}  // namespace npu::publish
