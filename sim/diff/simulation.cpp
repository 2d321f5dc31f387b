#include "sim/diff/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

#include "sim/base/error.h"
#include "sim/base/process_pool.h"
#include "sim/config/sections.h"
#include "sim/diff/attribution.h"
#include "sim/session/network.h"
#include "sim/session/run.h"

namespace npu::diff {
namespace {

/// Figures of a simulation: cycles, picoseconds, then the quantity of each row of rates_of().
constexpr std::size_t kCycles = 0, kTime = 1, kQuantities = 2;

std::vector<double> figures_of(const NpuConfig& config, const session::ModelOptions& model) {
  session::RunRequest request;
  request.config = config;
  request.model = model;
  request.timing_only = true;
  request.simulate_all = true;
  const report::Report report = session::run(request, {}).report;
  const auto cycles = static_cast<double>(report.stats.total_cycles);
  const double time = cycles * static_cast<double>(report.clock_period_ps);
  std::vector<double> figures = {cycles, time};
  for (const std::uint64_t count : report.stats.events) {
    figures.push_back(static_cast<double>(count));
  }
  figures.insert(figures.end(), kLeakageComponents.size(), time);
  return figures;
}

std::string text_of(const std::vector<double>& figures) {
  std::string text;
  for (const double figure : figures) text += fmt::format("{} ", figure);
  return text;
}

std::vector<double> figures_in(const std::string& text) {
  std::istringstream in(text);
  std::vector<double> figures;
  for (double figure = 0; in >> figure;) figures.push_back(figure);
  return figures;
}

bool are_same_model(const session::Rerun& a, const session::Rerun& b) {
  return a.model_sha256 == b.model_sha256 && a.model_options.dims == b.model_options.dims &&
         a.model_options.precision == b.model_options.precision &&
         a.model_options.fuse == b.model_options.fuse &&
         a.model_options.attention == b.model_options.attention;
}

/// The run's model, if it can still be had.
std::optional<session::ModelOptions> find_model(const RunFolder& run, const std::string& given,
                                                std::vector<std::string>& notes) {
  const auto without = [&](const std::string& why) {
    notes.push_back(fmt::format("{}: {}: nothing is simulated again", run.path, why));
    return std::nullopt;
  };
  if (!run.rerun->fixed_mapping().empty()) return without(std::string(run.rerun->fixed_mapping()));
  session::ModelOptions options = run.rerun->model_options;
  if (!given.empty()) options.path = given;
  const std::string path = options.path;
  std::string sha256;
  try {
    sha256 = session::load_network(options, true).sha256;
  } catch (const Error& error) {
    if (!given.empty()) throw;
    return without(
        fmt::format("the model is not in this folder ({}); --model-a and --model-b say "
                    "where it is",
                    error.what()));
  }
  if (sha256 == run.rerun->model_sha256) return options;
  if (!given.empty()) fail("{}: is not the model of {} (SHA-256 differs)", path, run.path);
  return without(fmt::format("{} in this folder is not the model that ran", path));
}

/// What can be exchanged between two runs, and the simulations of mixtures.
class Mixtures {
 public:
  Mixtures(const RunFolder& a, const RunFolder& b, session::ModelOptions a_model,
           session::ModelOptions b_model,
           const std::function<void(std::size_t, std::size_t)>& on_done)
      : mixer_(a.rerun->config, b.rerun->config),
        a_model_(std::move(a_model)),
        b_model_(std::move(b_model)),
        changes_(mixer_.changes()),
        on_done_(on_done) {
    has_model_ = !are_same_model(*a.rerun, *b.rerun);
    if (has_model_) changes_.push_back({"model", a.model, b.model});
  }

  [[nodiscard]] const std::vector<Change>& changes() const { return changes_; }

  [[nodiscard]] std::vector<Values> evaluate(const std::vector<Choice>& choices) {
    std::vector<Values> out(choices.size());
    asked_ += choices.size();
    const auto task = [&](std::size_t i) {
      Choice config_choice = choices[i];
      const bool is_b_model = has_model_ && config_choice.back();
      if (has_model_) config_choice.pop_back();
      const std::optional<NpuConfig> config = mixer_.mix(config_choice);
      if (!config) fail("no NPU");
      return text_of(figures_of(*config, is_b_model ? b_model_ : a_model_));
    };
    const auto done = [&](std::size_t i, const TaskResult& result) {
      on_done_(++finished_, asked_);
      if (result.status == TaskStatus::kDone) out[i] = figures_in(result.text);
    };
    run_in_processes(choices.size(), {.workers = 0, .timeout_s = kTimeoutSeconds}, task, done);
    return out;
  }

  [[nodiscard]] bool is_possible(Choice choice) const {
    if (has_model_) choice.pop_back();
    return mixer_.mix(choice).has_value();
  }
  /// Of one section of the configuration.
  [[nodiscard]] bool are_related(std::size_t i, std::size_t j) const {
    const auto section = [&](std::size_t c) {
      return changes_[c].key.substr(0, changes_[c].key.find('.'));
    };
    return section(i) == section(j);
  }

 private:
  static constexpr unsigned kTimeoutSeconds = 3600;
  Mixer mixer_;
  session::ModelOptions a_model_, b_model_;
  std::vector<Change> changes_;
  const std::function<void(std::size_t, std::size_t)>& on_done_;
  bool has_model_ = false;
  std::size_t finished_ = 0, asked_ = 0;
};

double energy_of(const std::vector<double>& figures, const std::vector<double>& rates) {
  double sum = 0;
  for (std::size_t r = 0; r < rates.size(); ++r) sum += figures[kQuantities + r] * rates[r];
  return sum;
}

Parameter parameter_of(const Share& share, const std::vector<Change>& changes,
                       const std::vector<double>& mean_rates) {
  Parameter p;
  for (const std::size_t member : share.members) {
    const Change& c = changes[member];
    const char* const comma = p.key.empty() ? "" : ", ";
    p.key += comma + c.key;
    p.a += comma + c.a;
    p.b += comma + c.b;
  }
  p.time_ps = share.values[kTime];
  p.energy_pj = energy_of(share.values, mean_rates);
  return p;
}

void sort_parameters(Simulated& s) {
  const auto weight = [&](const Parameter& p) {
    const double time = s.a_time_ps > 0 ? std::abs(p.time_ps) / s.a_time_ps : 0;
    const double energy = s.a_energy_pj > 0 ? std::abs(p.energy_pj) / s.a_energy_pj : 0;
    return std::max(time, energy);
  };
  std::ranges::stable_sort(
      s.parameters, [&](const Parameter& x, const Parameter& y) { return weight(x) > weight(y); });
}

}  // namespace

std::optional<Simulated> simulate_changes(
    const RunFolder& a, const RunFolder& b, const DiffOptions& options,
    const std::function<void(std::size_t, std::size_t)>& on_done, std::vector<std::string>& notes) {
  std::optional<session::ModelOptions> a_model = find_model(a, options.a_model, notes);
  if (!a_model) return std::nullopt;
  std::optional<session::ModelOptions> b_model = find_model(b, options.b_model, notes);
  if (!b_model) return std::nullopt;
  Mixtures mixtures(a, b, *std::move(a_model), *std::move(b_model), on_done);
  const Rates rates = rates_of(a.rerun->config, b.rerun->config);
  const std::vector<RateChange> changed_rates = rate_changes(a.rerun->config, b.rerun->config);
  if (mixtures.changes().empty() && changed_rates.empty()) return std::nullopt;

  Attribution attribution(
      mixtures.changes().size(),
      [&](const std::vector<Choice>& choices) { return mixtures.evaluate(choices); },
      [&](std::size_t i, std::size_t j) { return mixtures.are_related(i, j); },
      [&](const Choice& choice) { return mixtures.is_possible(choice); });
  attribution.evaluate_ends();
  const std::vector<double>& of_a = attribution.of_a();
  const std::vector<double>& of_b = attribution.of_b();
  for (const auto& [run, figures] : {std::pair{&a, &of_a}, std::pair{&b, &of_b}}) {
    const double ran = static_cast<double>(run->rerun->first_run_cycles);
    if (figures->at(kCycles) == ran) continue;
    notes.push_back(
        fmt::format("{}: the run took {} cycles, simulated again it takes {}: with options that "
                    "the folder does not hold, or by another npusim; nothing is attributed to "
                    "parameters",
                    run->path, ran, figures->at(kCycles)));
    return std::nullopt;
  }
  const std::vector<Share> shares = attribution.run();
  Simulated s;
  s.simulations = attribution.simulations();
  s.a_time_ps = of_a[kTime];
  s.b_time_ps = of_b[kTime];
  s.a_energy_pj = energy_of(of_a, rates.a);
  s.b_energy_pj = energy_of(of_b, rates.b);
  std::vector<double> mean_rates;
  for (std::size_t r = 0; r < rates.a.size(); ++r) {
    mean_rates.push_back((rates.a[r] + rates.b[r]) / 2);
  }
  for (const Share& share : shares) {
    s.parameters.push_back(parameter_of(share, mixtures.changes(), mean_rates));
  }
  for (const RateChange& rate : changed_rates) {
    const double quantity = (of_a[kQuantities + rate.row] + of_b[kQuantities + rate.row]) / 2;
    s.parameters.push_back({.key = rate.key,
                            .a = fmt::format("{}", rate.a),
                            .b = fmt::format("{}", rate.b),
                            .time_ps = 0,
                            .energy_pj = quantity * (rates.b[rate.row] - rates.a[rate.row])});
  }
  sort_parameters(s);
  return s;
}

}  // namespace npu::diff
