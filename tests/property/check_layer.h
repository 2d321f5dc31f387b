#pragma once

#include <vector>

#include "kernels/lowering/compile.h"
#include "sim/config/npu_config.h"
#include "workloads/graph/graph.h"

namespace npu::test {

/// What holds for every network on every NPU, as expectations: the program has no hazards, outputs
/// equal the reference bit for bit, every cycle is in one bucket, energy closes, no run is faster
/// than array and DRAM allow, and the same run, with values or without, takes the same cycles.
void check_layer(const graph::Graph& graph, const std::vector<TensorData>& inputs,
                 const NpuConfig& config, const kernels::CompileOptions& options = {});

}  // namespace npu::test
