#pragma once

#include "kernels/reference/mac.h"

namespace npu::reference {

/// Integer CONV_2D with the multipliers given: x [N,H,W,C], w [O,kH,kW,C/groups], y [N,oH,oW,O].
/// Groups follow from the shapes. Samples outside the image are the input's zero point.
void conv_2d(const graph::Window& window, const MacOperands& operands, TensorData& y);

/// Integer DEPTHWISE_CONV_2D: w [1,kH,kW,C·mult]; output channel o reads input channel o / mult.
void depthwise_conv_2d(const graph::Window& window, const MacOperands& operands, TensorData& y);

/// Integer TRANSPOSE_CONV: w [O,kH,kW,C]; input position i and tap k go to output i·stride − pad +
/// k.
void transpose_conv(const graph::Window& window, const MacOperands& operands, TensorData& y);

/// Integer FULLY_CONNECTED: x flattened to [B,K], w [N,K], y [B,N].
void fully_connected(const MacOperands& operands, TensorData& y);

}  // namespace npu::reference
