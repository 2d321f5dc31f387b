#include "tests/property/check_layer.h"

#include <gtest/gtest.h>

#include "kernels/lowering/compile.h"
#include "kernels/reference/reference.h"
#include "sim/core/hazard_checker.h"
#include "tests/support/simulate.h"

namespace npu::test {
namespace {

std::map<std::int32_t, TensorData> by_id(const graph::Graph& graph,
                                         const std::vector<TensorData>& inputs) {
  std::map<std::int32_t, TensorData> map;
  for (std::size_t i = 0; i < inputs.size(); ++i) map[graph.inputs[i]] = inputs[i];
  return map;
}

/// Bytes that must cross the DRAM interface whatever the mapping: every network input and output
/// once.
std::int64_t compulsory_bytes(const graph::Graph& graph) {
  std::int64_t bytes = 0;
  for (const graph::TensorId id : graph.outputs) bytes += graph.tensor(id).bytes();
  return bytes;
}

/// A memory of fixed latency has a rate for each direction.
double write_bytes_per_second(const DramConfig& dram) {
  if (dram.kind != DramKind::kFixedLatency) return dram.peak_bytes_per_second();
  const auto& memory = dram.fixed_latency;
  return dram.peak_bytes_per_second() * memory.read_clocks_per_256_beats /
         memory.write_clocks_per_256_beats;
}

}  // namespace

void check_layer(const graph::Graph& graph, const std::vector<TensorData>& inputs,
                 const NpuConfig& config, const kernels::CompileOptions& options) {
  const kernels::Compiled compiled = kernels::compile(graph, config, options);
  ASSERT_TRUE(compiled.host_before.empty() && compiled.host_after.empty());
  ASSERT_NO_THROW(check_program(compiled.program, config)) << "hazard or bounds";

  const auto values = by_id(graph, inputs);
  const Simulation run = simulate(config, compiled.program, values, {});
  ASSERT_EQ(run.outcome, Outcome::kDone) << run.message;
  graph::Graph rounded = graph;
  kernels::apply_roundings(rounded, compiled.program);
  const reference::Values expected = reference::run_integer(rounded, inputs);
  for (const graph::TensorId id : graph.outputs) {
    const auto it = run.tensors.find(id);
    ASSERT_NE(it, run.tensors.end());
    ASSERT_EQ(it->second, expected.tensors[static_cast<std::size_t>(id)].bytes)
        << "tensor " << id << " of " << config.name;
  }

  EXPECT_TRUE(run.buckets_close);
  EXPECT_NEAR(run.power_pj, run.ledger_pj, 1e-6 * run.ledger_pj);
  std::int64_t macs = 0;
  for (const graph::Node& n : graph.nodes) macs += mac_count(graph, n);
  EXPECT_GE(static_cast<std::int64_t>(run.total_cycles) * config.mac_array.macs_per_cycle(), macs);
  const double peak = write_bytes_per_second(config.dram) / (config.clock.frequency_mhz * 1e6);
  // A store is complete when its bytes are in the controllers' write queues; one burst more is on
  // each bus.
  const std::int64_t queued = std::int64_t{config.dram.channels} *
                              (config.dram.write_queue_depth + 1) * config.dram.burst_bytes();
  EXPECT_GE(static_cast<double>(run.total_cycles) * peak,
            static_cast<double>(compulsory_bytes(graph) - queued));

  const Simulation again = simulate(config, compiled.program, values, {});
  EXPECT_EQ(again.total_cycles, run.total_cycles);
  EXPECT_EQ(again.tensors, run.tensors);
  kernels::CompileOptions without_bytes = options;
  without_bytes.timing_only = true;
  const kernels::Compiled bare = kernels::compile(graph, config, without_bytes);
  const Simulation timing = simulate(config, bare.program, {}, {.timing_only = true});
  ASSERT_EQ(timing.outcome, Outcome::kDone) << timing.message;
  EXPECT_EQ(timing.total_cycles, run.total_cycles);
  EXPECT_EQ(timing.ledger_pj, run.ledger_pj);
}

}  // namespace npu::test
