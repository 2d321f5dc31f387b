#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "kernels/onnx_import/plan.h"
#include "kernels/onnx_reference/run.h"

namespace npu::onnx_import {

/// What runs a stage's graph: one tensor per graph input in, one per binding of `outputs` out.
using NpuRunner = std::function<std::vector<TensorData>(std::size_t stage, const NpuStage& npu,
                                                        const std::vector<TensorData>& inputs)>;

/// One inference: host stages by the CPU reference of ONNX, NPU stages by `npu`.
/// @param inputs  by name, of the network's static shapes.
/// @return the outputs in order.
/// @throws Error for inputs that are missing or do not fit, and for nodes that the reference
/// refuses.
[[nodiscard]] std::vector<onnx::Value> run_plan(const Network& network, const Plan& plan,
                                                onnx::Values inputs, const NpuRunner& npu);

}  // namespace npu::onnx_import
