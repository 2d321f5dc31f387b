#pragma once

#include <string>
#include <vector>

#include "sim/sweep/metrics.h"
#include "sim/sweep/table.h"

namespace npu::sweep {

/// Marks the rows of the Pareto front: those that no other point of the same model beats or equals
/// in every objective and beats in one. Points that did not finish, or that lack an objective, are
/// on no front.
void mark_pareto(Table& table);

/// How much of each metric's spread goes with each swept parameter (derived ones left out), for
/// metrics that vary. Figures are divided by their model's mean, sums run over the models.
///
/// Grid: the correlation ratio, share = Σ n_v (mean_v − mean)² / Σ (y − mean)², over the values v
/// of the parameter: its main effect. On a full grid the shares of all parameters sum to at most 1;
/// the rest is what parameters do together.
/// Random and NSGA-II: the same of the metric's ranks for parameters that are texts, the square of
/// Spearman's rank correlation for numbers.
[[nodiscard]] std::vector<Sensitivity> sensitivity_of(const Table& table);

}  // namespace npu::sweep
