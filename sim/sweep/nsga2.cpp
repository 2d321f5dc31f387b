#include "sim/sweep/nsga2.h"

#include <cmath>
#include <pagmo/algorithms/nsga2.hpp>
#include <pagmo/batch_evaluators/member_bfe.hpp>
#include <pagmo/bfe.hpp>
#include <pagmo/population.hpp>
#include <pagmo/problem.hpp>
#include <utility>

#include "sim/base/error.h"

namespace npu::sweep {
namespace {

constexpr double kCrossover = 0.95, kCrossoverIndex = 10, kMutation = 0.01, kMutationIndex = 50;

/// The search as pagmo sees it, over the axes that have a choice: pagmo refuses bounds that are
/// equal. What it names must outlive it.
struct Problem {
  const SweepFile* sweep = nullptr;
  const Costs* costs = nullptr;
  std::vector<std::size_t> axes;

  [[nodiscard]] std::pair<pagmo::vector_double, pagmo::vector_double> get_bounds() const {
    pagmo::vector_double low, high;
    for (const std::size_t axis : axes) {
      low.push_back(0);
      high.push_back(static_cast<double>(sweep->axis_size(axis) - 1));
    }
    return {low, high};
  }
  [[nodiscard]] pagmo::vector_double::size_type get_nobj() const {
    return sweep->objectives.size();
  }
  [[nodiscard]] pagmo::vector_double::size_type get_nix() const { return axes.size(); }

  [[nodiscard]] pagmo::vector_double batch_fitness(const pagmo::vector_double& genes) const {
    const std::size_t length = axes.size();
    std::vector<Genome> genomes(genes.size() / length, Genome(sweep->axes.size(), 0));
    for (std::size_t i = 0; i < genes.size(); ++i) {
      genomes[i / length][axes[i % length]] = static_cast<std::size_t>(std::llround(genes[i]));
    }
    pagmo::vector_double flat;
    for (const std::vector<double>& one : (*costs)(genomes)) {
      flat.insert(flat.end(), one.begin(), one.end());
    }
    return flat;
  }
  [[nodiscard]] pagmo::vector_double fitness(const pagmo::vector_double& genes) const {
    return batch_fitness(genes);
  }
};

}  // namespace

void search_nsga2(const SweepFile& sweep, const Costs& costs) {
  std::vector<std::size_t> axes;
  for (std::size_t axis = 0; axis < sweep.axes.size(); ++axis) {
    if (sweep.axis_size(axis) > 1) axes.push_back(axis);
  }
  NPU_CHECK(!axes.empty() && sweep.objectives.size() > 1, "something to search");
  const pagmo::bfe at_once{pagmo::member_bfe{}};
  const auto size = static_cast<pagmo::population::size_type>(sweep.search.population);
  pagmo::population population(pagmo::problem{Problem{&sweep, &costs, std::move(axes)}}, at_once,
                               size, sweep.search.seed);
  pagmo::nsga2 algorithm(static_cast<unsigned>(sweep.search.generations), kCrossover,
                         kCrossoverIndex, kMutation, kMutationIndex, sweep.search.seed);
  algorithm.set_bfe(at_once);
  population = algorithm.evolve(population);
}

}  // namespace npu::sweep
