#pragma once

#include <string>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::passes {

/// Fuses what stays bit-exact: PAD (spatial only, value = zero point) into the convolution or
/// depthwise that alone consumes it; RELU, RELU6, RELU_N1_TO_1 with the same quantization in and
/// out into the operator before it; QUANTIZE with identical quantization is removed. Tensor ids
/// stay; fused-away tensors are no longer produced by any node.
/// @return one line per fusion, "PAD #1 into CONV_2D #2".
std::vector<std::string> fuse(graph::Graph& graph);

}  // namespace npu::passes
