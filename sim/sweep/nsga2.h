#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "sim/sweep/sweep_file.h"

namespace npu::sweep {

/// An index into each axis of the sweep.
using Genome = std::vector<std::size_t>;
/// The costs of genomes, less is better, as many per genome as there are objectives.
using Costs = std::function<std::vector<std::vector<double>>(const std::vector<Genome>& genomes)>;

/// Multi-objective search by NSGA-II over the axes of a sweep that have two values or more (there
/// is one, and two objectives: parse_sweep), each an integer variable: pagmo's,
/// with its defaults (crossover 0.95 and mutation 0.01 at distribution indices 10 and 50). A
/// generation is evaluated at once, so how many run at a time changes nothing; the same seed gives
/// the same search.
/// Source: Deb et al., A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II, IEEE TEC 6(2),
/// 2002.
void search_nsga2(const SweepFile& sweep, const Costs& costs);

}  // namespace npu::sweep
