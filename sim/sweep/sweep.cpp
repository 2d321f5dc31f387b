#include "sim/sweep/sweep.h"

#include <limits>
#include <unordered_set>
#include <utility>

#include "sim/base/error.h"
#include "sim/sweep/nsga2.h"
#include "sim/sweep/table.h"

namespace npu::sweep {
namespace {

/// What a point without figures costs: more than every one that has them.
constexpr double kNoFigures = 1e30;

class Runner {
 public:
  Runner(const Planner& planner, Store& store, Engine& engine, const SweepOptions& options)
      : planner_(planner), store_(store), engine_(engine), options_(options) {
    rule_.seconds = planner.sweep.limits.seconds_per_point;
    rule_.memory_mib = planner.sweep.limits.memory_mib_per_point;
    rule_.failed = options.retry_failed;
  }

  /// Lists candidates and runs what has no result; those listed before do no harm.
  void run(const std::vector<std::uint64_t>& candidates) {
    std::vector<Listed> lines;
    std::vector<Pending> pending;
    for (const std::uint64_t c : candidates) {
      if (!listed_.insert(c).second) continue;
      const std::optional<Point> point = planner_.space.point(c);
      NPU_CHECK(point.has_value(), "candidates meet the conditions");
      Job job = planner_.resolver.resolve(*point);
      ++counts_.points;
      const std::optional<Result> known = store_.find(job.hash, rule_);
      if (known) {
        count(*known);
      } else if (running_.insert(job.hash).second) {
        pending.push_back({c, job.hash});
      } else {
        ++twins_;
      }
      lines.push_back(
          {std::move(job.hash), planner_.sweep.models[point->model].label, point->values});
    }
    store_.list(planner_.sweep.name, lines);
    options_.progress(counts_);
    // Retried once: what fails again stays.
    engine_.run(planner_, pending, store_, [&](const Result& result) {
      count(result);
      ++counts_.computed;
      options_.progress(counts_);
    });
    counts_.finished += std::exchange(twins_, 0);
  }

  /// The mean over the models of each objective.
  std::vector<std::vector<double>> costs(const std::vector<Genome>& genomes) {
    const SweepFile& sweep = planner_.sweep;
    std::vector<std::uint64_t> candidates;
    for (const Genome& genome : genomes) {
      for (std::size_t model = 0; model < sweep.models.size(); ++model) {
        const std::uint64_t c = planner_.space.candidate(model, genome);
        if (planner_.space.point(c)) candidates.push_back(c);
      }
    }
    const auto most = static_cast<std::size_t>(sweep.limits.points);
    if (listed_.size() + candidates.size() > most) {
      std::size_t fresh = 0;
      for (const std::uint64_t c : candidates) fresh += listed_.contains(c) ? 0 : 1;
      if (listed_.size() + fresh > most) {
        fail("{}: limits.points: the search needs more than {} points", sweep.path, most);
      }
    }
    run(candidates);
    std::vector<std::vector<double>> all;
    for (const Genome& genome : genomes) all.push_back(mean_costs(genome));
    return all;
  }

  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  void count(const Result& result) {
    ++counts_.finished;
    if (!result.is_done()) ++counts_.failed;
  }

  std::vector<double> mean_costs(const Genome& genome) {
    const SweepFile& sweep = planner_.sweep;
    std::vector<double> costs(sweep.objectives.size(), 0.0);
    for (std::size_t model = 0; model < sweep.models.size(); ++model) {
      const std::optional<Point> point =
          planner_.space.point(planner_.space.candidate(model, genome));
      std::optional<Result> result;
      if (point) result = store_.find(planner_.resolver.resolve(*point).hash);
      std::optional<std::vector<double>> one;
      if (result && result->is_done()) one = costs_of(result->metrics, sweep.objectives);
      if (!one) return std::vector<double>(costs.size(), kNoFigures);
      for (std::size_t i = 0; i < costs.size(); ++i) {
        costs[i] += (*one)[i] / static_cast<double>(sweep.models.size());
      }
    }
    return costs;
  }

  const Planner& planner_;
  Store& store_;
  Engine& engine_;
  const SweepOptions& options_;
  RetryRule rule_;
  Counts counts_;
  std::size_t twins_ = 0;  ///< Points that another one's result will be of.
  std::unordered_set<std::uint64_t> listed_;
  std::unordered_set<std::string> running_;
};

}  // namespace

Counts run_sweep(const Planner& planner, Store& store, Engine& engine,
                 const SweepOptions& options) {
  const SweepFile& sweep = planner.sweep;
  std::vector<std::uint64_t> candidates;
  if (sweep.search.method != Method::kNsga2) candidates = chosen_candidates(sweep, planner.space);
  store.begin_sweep(header_of(sweep));
  Runner runner(planner, store, engine, options);
  if (sweep.search.method == Method::kNsga2) {
    search_nsga2(sweep, [&](const std::vector<Genome>& genomes) { return runner.costs(genomes); });
  } else {
    runner.run(candidates);
  }
  return runner.counts();
}

}  // namespace npu::sweep
