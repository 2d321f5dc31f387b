#pragma once

#include "workloads/graph/graph.h"

namespace npu::onnx_import {

/// Makes a RELU, or a CLIP to [0,6] or [−1,1], also behind changes of shape, part of the
/// convolution, FULLY_CONNECTED or MATMUL of floats before it, where nothing else reads that one's
/// result.
void fuse_activations(graph::Graph& graph);

}  // namespace npu::onnx_import
