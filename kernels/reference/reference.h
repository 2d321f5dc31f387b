#pragma once

#include <vector>

#include "workloads/graph/graph.h"

namespace npu::reference {

/// Values of all tensors of a network after one inference, indexed by TensorId; constants are left
/// empty.
struct Values {
  std::vector<TensorData> tensors;
};

/// Exact integer inference by the rules of TFLite's reference kernels (double rounding). Float
/// operators at the network's edges (QUANTIZE from float, DEQUANTIZE, LOG_SOFTMAX) run in float32.
/// Variables start at their reset value.
/// @param inputs  one per graph input, of its type and shape.
/// @throws Error naming the operator and its types if it has no integer reference, or its constant
/// whose values are not there.
[[nodiscard]] Values run_integer(const graph::Graph& graph, const std::vector<TensorData>& inputs);

/// Float32 inference of the dequantized network: constants and inputs dequantized, no intermediate
/// rounding. Every quantized result is limited to the real range of its type: converters leave out
/// a RELU or RELU6 that this range implies. What saturation alone costs is therefore not visible
/// against this reference. Every tensor of the result is float32 (real values).
[[nodiscard]] Values run_float(const graph::Graph& graph, const std::vector<TensorData>& inputs);

/// True if run_integer has this node's operator with these types.
[[nodiscard]] bool has_integer(const graph::Graph& graph, const graph::Node& node);

}  // namespace npu::reference
