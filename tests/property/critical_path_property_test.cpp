// Random networks on random NPUs, those whose units overlap without tokens among them: the critical
// path is a chain of consecutive spans over the whole run, whatever the program.

#include <gtest/gtest.h>

#include "kernels/lowering/compile.h"
#include "sim/core/machine.h"
#include "sim/stats/critical_path.h"
#include "tests/support/random_config.h"
#include "tests/support/random_graph.h"
#include "tests/support/simulate.h"

namespace npu::test {
namespace {

class CriticalPathProperty : public ::testing::TestWithParam<int> {};

TEST_P(CriticalPathProperty, IsAWholeChain) {
  std::mt19937_64 rng(static_cast<std::uint64_t>(GetParam()));
  for (int i = 0; i < 4; ++i) {
    const NpuConfig config = random_config(rng);
    const graph::Graph graph = random_network(rng);
    isa::Program program;
    try {
      program = kernels::compile(graph, config, {.timing_only = true}).program;
    } catch (const Error&) {
      continue;  // A tile does not fit this NPU.
    }
    const Simulation result = in_child(
        [&] {
          Machine machine(config, program, {.timing_only = true, .record_schedule = true});
          Simulation s;
          for (int run = 0; run < 2; ++run) {
            machine.run();
            // Checks the chain and the sums itself.
            const CriticalPath path = find_critical_path(machine.schedule());
            s.total_cycles = path.end_cycle;
            if (path.steps.empty()) s.message = "no step";
          }
          if (s.total_cycles != machine.stats().total_cycles) s.message = "ends elsewhere";
          s.outcome = Outcome::kDone;
          return s;
        },
        120);
    EXPECT_EQ(result.outcome, Outcome::kDone) << "seed " << GetParam() << ": " << result.message;
    EXPECT_EQ(result.message, "") << "seed " << GetParam();
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, CriticalPathProperty, ::testing::Range(0, 40));

}  // namespace
}  // namespace npu::test
