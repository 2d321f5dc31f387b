#pragma once

#include <cstdint>

#include "kernels/onnx_import/infer.h"
#include "kernels/onnx_reference/window.h"

namespace npu::onnx_import {

/// Window of a convolution of x[N,C,…] by w[O,C/groups,…], from shapes and attributes.
/// @throws Error for shapes that do not fit.
[[nodiscard]] onnx::SpatialWindow convolution_window(const onnx::Call& call, const Shape& x,
                                                     const Shape& w);
/// Window of MaxPool, AveragePool and LpPool.
[[nodiscard]] onnx::SpatialWindow pool_window(const onnx::Call& call, const Shape& x);

/// Window of ConvTranspose of x[N,C,…] by w[C,O/groups,…]: out = in·stride − pad + tap·dilation;
/// pads at the end follow from the output's size and may be negative (output_padding).
struct TransposedWindow {
  Shape kernel, strides, dilations, pads_begin, in, out;  ///< Spatial dimensions only.
};
[[nodiscard]] TransposedWindow transposed_window(const onnx::Call& call, const Shape& x,
                                                 const Shape& w);

}  // namespace npu::onnx_import
