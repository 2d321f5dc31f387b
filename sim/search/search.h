#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels/lowering/compile.h"
#include "kernels/mapper/decisions.h"
#include "kernels/search/objective.h"
#include "sim/config/npu_config.h"
#include "workloads/graph/graph.h"

namespace npu::search {

struct Options {
  Objective objective = Objective::kLatency;
  std::int64_t budget = 4000;  ///< Mappings per layer whose cost is computed.
  std::size_t refine = 4;      ///< Of them, best first, that are simulated.
  std::size_t moves = 8;       ///< Changes of residency that are simulated on the whole network.
  std::uint64_t seed = 1;
  unsigned workers = 0;                  ///< Processes at a time; 0: one per core.
  std::vector<std::string> layers = {};  ///< Names; empty: all.
  kernels::AttentionVariant attention = kernels::AttentionVariant::kAuto;
  const mapper::Decisions* fixed = nullptr;  ///< What the user decided.
};

/// What became of one layer. Costs of the layer as a program of its own.
struct LayerOutcome {
  std::string name;
  bool searched = false;     ///< false: not asked for, or there is nothing to choose.
  std::string same_as = {};  ///< An equal layer that was searched in its place.
  double heuristic_predicted = -1, predicted = -1;  ///< Cycles; −1: no prediction.
  Cost heuristic, found;                            ///< Simulated.
  std::int64_t evaluated = 0;                       ///< Mappings whose cost was computed.
  double space = 0;                                 ///< Combinations of extents.
  bool complete = false;                            ///< The optimum of the cost model is proven.
  std::string choice = {};                          ///< What is decided, readable.

  /// (predicted − simulated) / simulated of what was found [%].
  [[nodiscard]] double gap_percent() const;
};

struct Outcome {
  std::vector<LayerOutcome> layers;
  Cost heuristic, found;        ///< Of the whole network, simulated.
  mapper::Decisions decisions;  ///< What is taken; the user's included.
  std::string mapping_yaml;
  std::vector<std::string> notes;

  /// Mean of |gap| over the layers with a prediction, equal ones once [%].
  [[nodiscard]] double mean_gap_percent() const;
};

/// Searches mappings of a network (verified, passes applied): every layer by the cost model, the
/// best `refine` of each simulated as programs of their own, then residency and the length of
/// chains of residents on the whole network. What is found is never worse than the heuristic
/// mapping in the simulated objective: layers, then changes of residency, are taken only as far as
/// the whole network gains. Same inputs, same result, whatever the number of workers.
/// @throws Error if the network does not map, a layer's name is unknown, or `fixed` is not legal.
[[nodiscard]] Outcome search_mapping(const graph::Graph& network, const NpuConfig& config,
                                     const Options& options,
                                     const std::function<void(const std::string&)>& progress);

}  // namespace npu::search
