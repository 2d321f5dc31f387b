#pragma once

#include <random>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::test {

/// Activation types that a kind has on the NPU; empty for SPLIT (the importer makes slices of it)
/// and for what runs on the host (LOG_SOFTMAX, DEQUANTIZE).
[[nodiscard]] std::vector<DType> layer_types(graph::OpKind kind);

/// A verified network of one operator with random shapes, attributes, quantization and constants.
/// Scales are chosen so that outputs spread over their range. Drawn at random per layer: scales per
/// tensor or per channel (int8 and int16), bias or none, int32 or int64 bias (int16), broadcasting,
/// constant operands, SAME or VALID, fused activations. RELU6 and RELU_N1_TO_1 keep their
/// quantization, because TFLite's kernels disagree about rescaling there. Convolutions and fully
/// connected layers take float types too.
/// @param size  bound on sizes of dimensions, about; 2 or more.
[[nodiscard]] graph::Graph random_layer(std::mt19937_64& rng, graph::OpKind kind, DType type,
                                        int size = 12);

/// A verified network of one MATMUL: random types, batches that broadcast, b constant or not,
/// transposed or not, bias, activation.
[[nodiscard]] graph::Graph random_matmul(std::mt19937_64& rng, int size = 12);

/// A verified network of one ATTENTION: random types, grouped heads, causal or not, mask or not.
[[nodiscard]] graph::Graph random_attention(std::mt19937_64& rng, int size = 12);

/// A small network: convolution, depthwise, residual additions, concatenation, pooling, fully
/// connected, softmax, of one random activation type.
[[nodiscard]] graph::Graph random_network(std::mt19937_64& rng, int size = 12);

/// One tensor per graph input: uniform over the type, sometimes all lowest or all highest.
[[nodiscard]] std::vector<TensorData> random_inputs(std::mt19937_64& rng,
                                                    const graph::Graph& graph);

}  // namespace npu::test
