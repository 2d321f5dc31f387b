#pragma once

#include <map>
#include <string>
#include <vector>

#include "workloads/onnx/model.h"

namespace npu::onnx {

using Values = std::map<std::string, Value, std::less<>>;

/// Why the CPU reference cannot run the model: its first operator, type or operand kind that is not
/// supported; empty if all are.
[[nodiscard]] std::string unsupported_reason(const Model& model);

/// Runs a model on the CPU. Elementwise operators, sums and statistics are computed in double and
/// rounded to the tensor's type once per node. Shapes may depend on values.
/// @param inputs  by name; all of the graph's inputs, of their types; static dimensions must fit.
/// @return the graph's outputs in order.
/// @throws Error naming the node for anything that it refuses.
[[nodiscard]] std::vector<Value> run(const Model& model, Values inputs);

}  // namespace npu::onnx
