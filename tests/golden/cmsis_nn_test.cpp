// CMSIS-NN kernel vectors on the simulated NPU, byte for byte: each vector becomes a network of one
// operator that is mapped and lowered like any other; its multipliers and clamps are then replaced
// by the vector's.
#include <gtest/gtest.h>

#include <algorithm>

#include "kernels/lowering/compile.h"
#include "tests/golden/cmsis_nn_networks.h"
#include "tests/support/simulate.h"

namespace npu::test {
namespace {

using reference::test::CmsisCase;

/// Makes a variable an input that the host writes before the program and reads after it.
void expose_state(isa::Program& program, graph::TensorId state, graph::TensorId output) {
  const auto record = [&](graph::TensorId id) {
    return std::ranges::find(program.tensors, id, &isa::TensorRecord::id);
  };
  record(state)->role = isa::TensorRole::kInput;
  record(state)->ready_after = record(output)->ready_after;
}

/// Runs all steps of a vector; the last one's output.
std::vector<std::byte> run_steps(const NpuConfig& config, VectorNetwork network) {
  const graph::TensorId y = network.graph.outputs.at(0);
  isa::Program program = kernels::compile(network.graph, config, {}).program;
  network.patch.apply(program);
  if (network.state != graph::kAbsent) expose_state(program, network.state, y);
  TensorData state = std::move(network.initial_state);
  std::vector<std::byte> output;
  for (auto& inputs : network.steps) {
    if (network.state != graph::kAbsent) inputs[network.state] = state;
    Simulation run = simulate(config, program, inputs, {});
    if (run.outcome != Outcome::kDone) fail("simulation: {}", run.message);
    if (network.state != graph::kAbsent) state.bytes = run.tensors.at(network.state);
    output = std::move(run.tensors.at(y));
  }
  return output;
}

class CmsisNnOnNpu : public testing::TestWithParam<const char*> {};

TEST_P(CmsisNnOnNpu, EveryVectorIsEqual) {
  NPUSIM_REQUIRE_SHARED();
  const NpuConfig config =
      load_npu_config(std::string(NPUSIM_SOURCE_DIR) + "/configs/npu/" + GetParam() + ".yaml");
  int equal = 0;
  std::vector<std::string> without_operator;
  for (const CmsisCase& c : CmsisCase::all()) {
    SCOPED_TRACE(c.name());
    const auto network = vector_network(c);
    if (!network) {
      without_operator.push_back(c.name());
      continue;
    }
    const bool same = run_steps(config, *network) == c.expected().bytes;
    EXPECT_TRUE(same);
    equal += same ? 1 : 0;
  }
  EXPECT_EQ(equal, 103);
  // BATCH_MATMUL is not among the operators (npusim ops).
  EXPECT_EQ(without_operator, (std::vector<std::string>{"batch_matmul_1_s16", "batch_matmul_1_s8",
                                                        "batch_matmul_2_s8", "batch_matmul_3_s8",
                                                        "batch_matmul_4_s8", "batch_matmul_5_s8"}));
}

INSTANTIATE_TEST_SUITE_P(Presets, CmsisNnOnNpu, testing::Values("edge", "nvdla_small"),
                         [](const auto& preset) { return std::string(preset.param); });

}  // namespace
}  // namespace npu::test
