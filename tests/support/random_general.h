#pragma once

#include <random>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::test {

/// Types of the first operand that a general operator, a movement, a pooling or SOFTMAX over floats
/// takes on the NPU.
[[nodiscard]] std::vector<DType> general_types(graph::OpKind kind);

/// A verified network of one operator: MAP, REDUCE, SOFTMAX over floats, LAYER_NORM, RMS_NORM, ROPE
/// or GATHER by constants with random functions, shapes up to rank 8, types, quantization and
/// constant operands; data movement and pooling of the given type.
[[nodiscard]] graph::Graph random_general(std::mt19937_64& rng, graph::OpKind kind, DType type,
                                          int size = 12);

/// random_inputs() with infinities, NaNs, zeros, subnormal and large values among the floats.
[[nodiscard]] std::vector<TensorData> special_inputs(std::mt19937_64& rng,
                                                     const graph::Graph& graph);

}  // namespace npu::test
