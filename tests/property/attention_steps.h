#pragma once

#include <random>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::test {

/// A verified network of one attention in single steps.
struct AttentionSteps {
  graph::Graph graph;
  double factor = 1;       ///< By which products are scaled in all.
  std::int64_t depth = 1;  ///< Of a key.
  std::int64_t keys = 1;
};

/// Random float types, dimensions (2 to 5; grouped heads), moves of k, places of the scale, masks
/// and conversions: all of them forms that passes::find_attention knows.
[[nodiscard]] AttentionSteps random_attention_steps(std::mt19937_64& rng, int size);

/// Largest difference that roundings make between the network and one ATTENTION: docs/numerics.md's
/// bound for its variants, and what scores and weights in the network's type add to it. Values are
/// below 1 in magnitude.
[[nodiscard]] double steps_bound(const AttentionSteps& steps);

}  // namespace npu::test
