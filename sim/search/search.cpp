#include "sim/search/search.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <utility>

#include "kernels/lowering/layer_keys.h"
#include "kernels/mapper/mapping_error.h"
#include "sim/base/error.h"
#include "sim/base/process_pool.h"
#include "sim/base/suggest.h"
#include "sim/core/hazard_checker.h"
#include "sim/search/layer_candidates.h"
#include "sim/search/measure.h"
#include "sim/search/residency.h"

namespace npu::search {
namespace {

using kernels::MappedNetwork;
using mapper::Decisions;
using mapper::LayerDecision;

/// A layer that is searched, and what of it is simulated.
struct Job {
  std::size_t layer = 0;
  LayerCandidates candidates;
  std::size_t first_task = 0;  ///< The heuristic mapping, then the candidates.
  std::size_t best = 0;        ///< 0: the heuristic, else a candidate.
};

/// `base` with the decision of a layer replaced or added.
void put(Decisions& decisions, const LayerDecision& d) {
  for (LayerDecision& old : decisions.layers) {
    if (old.layer == d.layer) {
      old = d;
      return;
    }
  }
  decisions.layers.push_back(d);
}

class Searcher {
 public:
  Searcher(const graph::Graph& network, const NpuConfig& config, const Options& options,
           const std::function<void(const std::string&)>& progress)
      : source_(network), config_(config), options_(options), progress_(progress) {
    if (options.fixed != nullptr) base_ = *options.fixed;
  }

  Outcome run() {
    heuristic_ = map_with(base_);
    find_jobs();
    search_layers();
    simulate_layers();
    choose_layers();
    choose_residency();
    finish();
    return std::move(out_);
  }

 private:
  [[nodiscard]] kernels::CompileOptions compile_options(const Decisions& d) const {
    kernels::CompileOptions o;
    o.timing_only = true;
    o.attention = options_.attention;
    // Without decisions the heuristic mapping may take as many steps as it likes.
    if (!d.layers.empty() || !d.tensors.empty() || !d.attention.empty()) o.decisions = &d;
    return o;
  }
  [[nodiscard]] MappedNetwork map_with(const Decisions& d) const {
    return kernels::map(source_, config_, compile_options(d));
  }
  [[nodiscard]] double value(const Cost& c) const { return c.value(options_.objective); }
  [[nodiscard]] LayerSearchOptions layer_options() const {
    return {.objective = options_.objective,
            .budget = options_.budget,
            .keep = std::max<std::size_t>(options_.refine, 1),
            .seed = options_.seed};
  }

  /// What is found does not depend on time: nothing is given up.
  [[nodiscard]] ProcessPoolOptions pool() const {
    return {.workers = options_.workers, .timeout_s = 0};
  }

  /// Runs the tasks in processes of their own. Nullopt where the mapping is refused.
  std::vector<std::optional<Cost>> measure(std::size_t count, const std::string& what,
                                           const std::function<Cost(std::size_t)>& task) const {
    std::vector<std::optional<Cost>> costs(count);
    std::size_t done = 0;
    run_in_processes(
        count, pool(), [&](std::size_t i) { return to_text(task(i)); },
        [&](std::size_t i, const TaskResult& r) {
          progress_(fmt::format("{}: {} of {}", what, ++done, count));
          if (r.status == TaskStatus::kDone) {
            costs[i] = cost_from_text(r.text);
          } else if (r.status != TaskStatus::kError) {
            throw RunFault(fmt::format("{}: {}", what, r.text));
          }
        });
    return costs;
  }

  void find_jobs() {
    const auto& layers = heuristic_.mapping.layers;
    std::vector<std::string> names;
    names.reserve(layers.size());
    for (const mapper::LayerPlan& plan : layers) names.push_back(plan.name);
    for (const std::string& wanted : options_.layers) {
      if (std::find(names.begin(), names.end(), wanted) != names.end()) continue;
      fail("--layer: the network has no layer \"{}\"{}", wanted, did_you_mean(wanted, names));
    }
    const std::vector<std::uint32_t> keys =
        kernels::layer_keys(heuristic_.graph, heuristic_.mapping);
    std::map<std::pair<std::uint32_t, bool>, std::size_t> known;
    for (std::size_t i = 0; i < layers.size(); ++i) {
      LayerOutcome outcome;
      outcome.name = names[i];
      outcome.heuristic_predicted = static_cast<double>(layers[i].predicted_cycles);
      job_of_.emplace_back();
      const bool asked = options_.layers.empty() ||
                         std::find(options_.layers.begin(), options_.layers.end(), names[i]) !=
                             options_.layers.end();
      if (asked) {
        // Equal layers at the same end of the scratchpad, of which nothing is decided, have equal
        // searches.
        const bool own = base_.layer(names[i]) != nullptr;
        const std::pair key{keys[i], i % 2 == 1};
        const auto at = own ? known.end() : known.find(key);
        if (at == known.end()) {
          if (!own) known.emplace(key, jobs_.size());
          job_of_.back() = jobs_.size();
          Job job;
          job.layer = i;
          jobs_.push_back(std::move(job));
        } else {
          job_of_.back() = at->second;
          outcome.same_as = names[jobs_[at->second].layer];
        }
      }
      out_.layers.push_back(std::move(outcome));
    }
  }

  void search_layers() {
    const auto plan_of = [&](const Job& job) -> const mapper::LayerPlan& {
      return heuristic_.mapping.layers[job.layer];
    };
    std::size_t done = 0;
    run_in_processes(
        jobs_.size(), pool(),
        [&](std::size_t i) {
          const Job& job = jobs_[i];
          return to_text(search_layer(heuristic_, config_, job.layer,
                                      base_.layer(plan_of(job).name), layer_options()));
        },
        [&](std::size_t i, const TaskResult& r) {
          progress_(fmt::format("searching layers: {} of {}", ++done, jobs_.size()));
          const std::string& name = plan_of(jobs_[i]).name;
          if (r.status == TaskStatus::kError) fail("{}: {}", name, r.text);
          if (r.status != TaskStatus::kDone) throw RunFault(fmt::format("{}: {}", name, r.text));
          jobs_[i].candidates = candidates_from_text(r.text, plan_of(jobs_[i]), base_.layer(name));
        });
  }

  [[nodiscard]] MappedNetwork with_candidate(const Job& job, std::size_t candidate) const {
    MappedNetwork network = heuristic_;
    if (candidate > 0)
      replace_layer(network, config_, job.layer, job.candidates.decisions[candidate - 1]);
    return network;
  }

  void simulate_layers() {
    std::vector<std::pair<std::size_t, std::size_t>> tasks;
    for (std::size_t j = 0; j < jobs_.size(); ++j) {
      jobs_[j].first_task = tasks.size();
      for (std::size_t c = 0; c <= jobs_[j].candidates.decisions.size(); ++c)
        tasks.emplace_back(j, c);
    }
    const auto costs = measure(tasks.size(), "simulating layers", [&](std::size_t i) {
      const Job& job = jobs_[tasks[i].first];
      return simulate_layer(with_candidate(job, tasks[i].second), config_, job.layer);
    });
    for (std::size_t i = 0; i < out_.layers.size(); ++i) {
      if (job_of_[i]) note_layer(out_.layers[i], jobs_[*job_of_[i]], costs);
    }
  }

  void note_layer(LayerOutcome& o, Job& job, const std::vector<std::optional<Cost>>& costs) {
    NPU_CHECK(costs[job.first_task].has_value(), "the heuristic mapping is legal");
    o.heuristic = o.found = *costs[job.first_task];
    o.predicted = o.heuristic_predicted;
    for (std::size_t c = 1; c <= job.candidates.decisions.size(); ++c) {
      const std::optional<Cost>& cost = costs[job.first_task + c];
      if (!cost || value(*cost) >= value(o.found)) continue;
      o.found = *cost;
      job.best = c;
    }
    o.searched = !job.candidates.decisions.empty();
    o.evaluated = o.same_as.empty() ? job.candidates.evaluated : 0;
    o.space = job.candidates.space;
    o.complete = job.candidates.complete;
    if (job.best == 0) return;
    o.choice = readable(job.candidates.decisions[job.best - 1]);
    o.predicted = static_cast<double>(
        with_candidate(job, job.best).mapping.layers[job.layer].predicted_cycles);
  }

  /// What was found of layers that gain at least `share`.
  [[nodiscard]] std::vector<LayerDecision> found(double share) const {
    std::vector<LayerDecision> all;
    for (std::size_t i = 0; i < out_.layers.size(); ++i) {
      const LayerOutcome& o = out_.layers[i];
      if (!job_of_[i] || jobs_[*job_of_[i]].best == 0) continue;
      if (value(o.found) > (1 - share) * value(o.heuristic)) continue;
      const Job& job = jobs_[*job_of_[i]];
      LayerDecision decision = job.candidates.decisions[job.best - 1];
      decision.layer = o.name;
      all.push_back(std::move(decision));
    }
    return all;
  }

  [[nodiscard]] std::vector<std::optional<Cost>> measure_networks(
      const std::vector<Decisions>& variants, const std::string& what) const {
    return measure(variants.size(), what, [&](std::size_t i) {
      return simulate_network(source_, config_, compile_options(variants[i]));
    });
  }

  /// Layers overlap in the network, which a layer alone does not show: all that was found, or only
  /// what gains more.
  void choose_layers() {
    std::vector<Decisions> variants = {base_};
    std::vector<std::vector<LayerDecision>> with = {{}};
    for (const double share : {0.0, 0.01, 0.05, 0.2}) {
      std::vector<LayerDecision> layers = found(share);
      if (layers.empty()) continue;
      variants.push_back(base_);
      for (const LayerDecision& d : layers) put(variants.back(), d);
      with.push_back(std::move(layers));
    }
    const auto costs = measure_networks(variants, "simulating the network");
    NPU_CHECK(costs[0].has_value(), "the heuristic mapping is legal");
    out_.heuristic = out_.found = *costs[0];
    out_.decisions = base_;
    std::size_t taken = 0;
    for (std::size_t i = 1; i < variants.size(); ++i) {
      if (take(variants[i], costs[i])) taken = i;
    }
    add_layers(with[taken]);
  }

  bool take(const Decisions& d, const std::optional<Cost>& cost) {
    if (!cost || value(*cost) >= value(out_.found)) return false;
    out_.found = *cost;
    out_.decisions = d;
    return true;
  }

  /// Where not all that was found is taken: each of the others alone on top.
  void add_layers(const std::vector<LayerDecision>& taken) {
    std::vector<LayerDecision> others;
    for (LayerDecision& d : found(0)) {
      const bool is_taken = std::any_of(taken.begin(), taken.end(),
                                        [&](const LayerDecision& t) { return t.layer == d.layer; });
      if (!is_taken && others.size() < kMostSingles) others.push_back(std::move(d));
    }
    if (others.empty()) return;
    std::vector<Decisions> variants(others.size(), out_.decisions);
    for (std::size_t i = 0; i < others.size(); ++i) put(variants[i], others[i]);
    const auto costs = measure_networks(variants, "simulating single layers in the network");
    Decisions together = out_.decisions;
    int gains = 0;
    for (std::size_t i = 0; i < others.size(); ++i) {
      if (!costs[i] || value(*costs[i]) >= value(out_.found)) continue;
      put(together, others[i]);
      ++gains;
    }
    for (std::size_t i = 0; i < others.size(); ++i) take(variants[i], costs[i]);
    if (gains > 1) take(together, measure_networks({together}, "simulating them together").front());
  }

  /// The decisions with other residents: layers that they touch are searched anew, by prediction.
  [[nodiscard]] std::optional<Decisions> moved(const Move& move) const {
    const MappedNetwork before = map_with(out_.decisions);
    Decisions d = out_.decisions;
    d.tensors.insert(d.tensors.end(), move.tensors.begin(), move.tensors.end());
    try {
      Decisions free = d;
      free.layers = base_.layers;
      const MappedNetwork after = map_with(free);
      const std::vector<bool> changed = changed_layers(before, after, config_);
      LayerSearchOptions o = layer_options();
      o.keep = 1;
      for (std::size_t i = 0; i < changed.size(); ++i) {
        if (!changed[i]) continue;
        const std::string& name = after.mapping.layers[i].name;
        std::erase_if(d.layers, [&](const LayerDecision& l) { return l.layer == name; });
        const LayerDecision* fixed = base_.layer(name);
        if (fixed != nullptr) d.layers.push_back(*fixed);
        if (!after.mapping.layers[i].window) continue;
        const LayerCandidates c = search_layer(after, config_, i, fixed, o);
        if (!c.decisions.empty()) put(d, c.decisions.front());
      }
      static_cast<void>(map_with(d));
      return d;
    } catch (const Error&) {
      return std::nullopt;  // does not fit
    }
  }

  void choose_residency() {
    for (int round = 0; round < kRounds && options_.moves > 0; ++round) {
      const std::vector<Move> moves =
          residency_moves(map_with(out_.decisions), &out_.decisions, options_.moves);
      std::vector<Decisions> variants;
      std::vector<std::string> names;
      for (const Move& m : moves) {
        progress_(fmt::format("searching residency: {}", m.what));
        if (std::optional<Decisions> d = moved(m)) {
          variants.push_back(std::move(*d));
          names.push_back(m.what);
        }
      }
      if (variants.empty()) return;
      const auto costs = measure_networks(variants, "simulating residency");
      std::optional<std::size_t> taken;
      for (std::size_t i = 0; i < variants.size(); ++i) {
        if (take(variants[i], costs[i])) taken = i;
      }
      if (!taken) return;
      out_.notes.push_back(fmt::format("residency: {}", names[*taken]));
    }
  }

  /// The simulations have not looked for hazards: what they chose is proven here, once.
  void finish() {
    const kernels::Compiled whole =
        kernels::compile(source_, config_, compile_options(out_.decisions));
    check_program(whole.program, config_);
    out_.mapping_yaml = whole.mapping_yaml;
  }

  static constexpr std::size_t kMostSingles = 64;
  static constexpr int kRounds = 3;

  const graph::Graph& source_;
  const NpuConfig& config_;
  const Options& options_;
  const std::function<void(const std::string&)>& progress_;
  Decisions base_;
  MappedNetwork heuristic_;
  std::vector<Job> jobs_;
  std::vector<std::optional<std::size_t>> job_of_;  ///< By layer.
  Outcome out_;
};

}  // namespace

double LayerOutcome::gap_percent() const {
  return 100.0 * (predicted - found.cycles) / found.cycles;
}

double Outcome::mean_gap_percent() const {
  double sum = 0;
  int n = 0;
  for (const LayerOutcome& o : layers) {
    if (o.predicted < 0 || o.found.cycles <= 0 || !o.same_as.empty()) continue;
    sum += std::abs(o.gap_percent());
    ++n;
  }
  return n == 0 ? 0 : sum / n;
}

Outcome search_mapping(const graph::Graph& network, const NpuConfig& config, const Options& options,
                       const std::function<void(const std::string&)>& progress) {
  return Searcher(network, config, options, progress).run();
}

}  // namespace npu::search
