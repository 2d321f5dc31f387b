#pragma once

#include <map>
#include <optional>
#include <vector>

#include "tests/golden/arithmetic_patch.h"
#include "tests/unit/reference/cmsis_nn_case.h"
#include "workloads/graph/graph.h"

namespace npu::test {

/// A kernel vector as a network of its operator and the patch that gives it the vector's
/// arithmetic.
struct VectorNetwork {
  graph::Graph graph;
  ArithmeticPatch patch;
  std::vector<std::map<std::int32_t, TensorData>> steps;  ///< Inputs by TensorId, per time step.
  graph::TensorId state = graph::kAbsent;                 ///< What passes from step to step.
  TensorData initial_state;
};

/// nullopt for an operator that the simulator does not have: BATCH_MATMUL.
[[nodiscard]] std::optional<VectorNetwork> vector_network(const reference::test::CmsisCase& c);

}  // namespace npu::test
