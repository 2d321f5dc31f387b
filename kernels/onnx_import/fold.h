#pragma once

#include "kernels/onnx_import/network.h"

namespace npu::onnx_import {

/// Folds what scales or shifts the channels of a convolution into its weights and bias:
/// BatchNormalization in inference, Mul and Add of a constant per channel, where nothing else reads
/// the convolution's result. Products are rounded once to the weights' type.
void fold_into_convolutions(Network& network);

}  // namespace npu::onnx_import
