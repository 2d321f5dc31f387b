#pragma once

#include <functional>
#include <map>
#include <string>

#include "workloads/graph/graph.h"

namespace npu::onnx_import {

/// Takes MAP dequantize and quantize into the operators between them:
///   - Convolutions, FULLY_CONNECTED and MATMUL of dequantized operands multiply the bytes; sums
///   are
///     rescaled in fp32, which rounds once where the floats round at every step: an output may
///     differ by one step. The result of a convolution has to be quantized, a product's need not.
///     Biases become int32 sums, off by half a sum at most.
///   - Moves and MAX_POOL_2D move the bytes.
///   - MAP, REDUCE and the norms read and write the bytes themselves: the same results.
/// @param twins  bytes that float constants stand for, laid out alike.
/// @param refusal  why the NPU does not run a node (ConvertOptions::refusal); may be empty.
void fuse_quantization(
    graph::Graph& graph, const std::map<graph::TensorId, graph::TensorId>& twins,
    const std::function<std::string(const graph::Graph&, const graph::Node&)>& refusal);

}  // namespace npu::onnx_import
