#include "sim/diff/run_folder.h"

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "sim/base/csv.h"
#include "sim/base/error.h"
#include "sim/base/file.h"

namespace npu::diff {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::int64_t kMaxBytes = std::int64_t{1} << 28;
constexpr std::int64_t kMaxCount = std::int64_t{1} << 62;
constexpr double kMaxEnergy = 1e30;
/// Bounds whose product is a time in picoseconds.
constexpr std::int64_t kMaxCycles = std::int64_t{1} << 42, kMaxPeriod = std::int64_t{1} << 20;

std::string joined(const std::string& folder, const char* name) {
  return (std::filesystem::path(folder) / name).string();
}

void add_metrics(const Json& from, const std::string& prefix, std::vector<RunFolder::Metric>& out) {
  for (const auto& [key, value] : from.items()) {
    if (!value.is_number() && !value.is_null()) continue;
    out.push_back(
        {prefix + key, value.is_null() ? std::nullopt : std::optional(value.get<double>())});
  }
}

std::vector<RunFolder::Metric> accuracy_of(const Json& accuracy) {
  std::vector<RunFolder::Metric> out;
  for (const auto& [key, value] : accuracy.items()) {
    if (key == "outputs") {
      for (const Json& output : value) {
        const auto name = output.at("name").get<std::string>();
        for (const char* const reference : {"integer_reference", "float_reference"}) {
          if (!output.contains(reference)) continue;
          add_metrics(output.at(reference), name + ": " + reference + ".", out);
        }
      }
    } else if (value.is_object()) {
      add_metrics(value, key + ".", out);
    }
  }
  return out;
}

void read_summary(const std::string& file, RunFolder& run) {
  const std::string text = read_file(file, kMaxBytes);
  try {
    const Json json = Json::parse(text);
    run.model = json.at("model").get<std::string>();
    run.config = json.at("config").get<std::string>();
    for (const auto& [key, value] : json.at("provenance").items()) {
      run.provenance.emplace_back(key, value.get<std::string>());
    }
    run.timing_only = json.at("timing_only").get<bool>();
    run.samples = json.at("samples").get<std::int64_t>();
    run.period_ps = json.at("clock_period_ps").get<std::int64_t>();
    if (json.contains("accuracy")) run.accuracy = accuracy_of(json.at("accuracy"));
  } catch (const nlohmann::json::exception& error) {
    fail("{}: is no summary of a run: {}", file, error.what());
  }
  constexpr std::int64_t kMaxSamples = std::int64_t{1} << 40;
  if (run.period_ps < 1 || run.period_ps > kMaxPeriod || run.samples < 1 ||
      run.samples > kMaxSamples) {
    fail("{}: is no summary of a run: clock_period_ps {}, samples {}", file, run.period_ps,
         run.samples);
  }
}

void read_layers(const std::string& file, RunFolder& run) {
  const CsvTable table = CsvTable::load(file);
  std::map<std::string, int> seen;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < table.rows(); ++i) {
    std::string name = table.text(i, "layer");
    if (const int count = ++seen[name]; count > 1) name += fmt::format(" ({})", count);
    run.layers.push_back({std::move(name), table.integer(i, "cycles", 0, kMaxCycles),
                          table.number(i, "energy_pj", -kMaxEnergy, kMaxEnergy)});
    sum += run.layers.back().cycles;
    if (sum > kMaxCycles) {
      fail("{}: cycles: the layers have more than {} together", table.place(i), kMaxCycles);
    }
  }
}

void read_energy(const std::string& file, RunFolder& run) {
  const CsvTable table = CsvTable::load(file);
  for (std::size_t i = 0; i < table.rows(); ++i) {
    const auto count = static_cast<double>(table.integer(i, "count", 0, kMaxCount));
    run.energy.push_back({table.text(i, "component"), table.text(i, "event"),
                          count / static_cast<double>(run.samples),
                          table.number(i, "energy_per_event_pj", -kMaxEnergy, kMaxEnergy)});
  }
}

}  // namespace

std::int64_t RunFolder::cycles() const {
  std::int64_t sum = 0;
  for (const Layer& layer : layers) sum += layer.cycles;
  return sum;
}

double RunFolder::energy_pj() const {
  double sum = 0;
  for (const EnergyRow& row : energy) sum += row.count * row.per_event_pj;
  return sum;
}

RunFolder read_run_folder(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) fail("{}: no such folder", path);
  if (!std::filesystem::exists(joined(path, "summary.json"), error)) {
    fail("{}: the folder has no summary.json: it is not one that `npusim run --out` wrote", path);
  }
  RunFolder run;
  run.path = path;
  read_summary(joined(path, "summary.json"), run);
  read_layers(joined(path, "layers.csv"), run);
  read_energy(joined(path, "energy.csv"), run);
  if (std::filesystem::exists(joined(path, "rerun.yaml"), error)) {
    run.rerun = session::read_rerun(path);
    const report::PathSummary summary = report::summarize(run.rerun->path);
    if (std::cmp_greater(summary.total_cycles, kMaxCycles)) {
      fail("{}: critical_path.csv: has more than {} cycles", path, kMaxCycles);
    }
  }
  return run;
}

}  // namespace npu::diff
