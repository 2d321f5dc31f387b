#pragma once

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_reference/window.h"

namespace npu::onnx_import {

/// A value [N,C,W] or [N,C,H,W] as an image [N,H,W,C] (H is 1 for the former).
[[nodiscard]] graph::TensorId image_of(Conversion& conversion, std::size_t operand);
/// Sets output 0 from an image: channels last, of the value's rank.
void image_result(Conversion& conversion, graph::TensorId image);
/// Spatial dimensions as a window over H and W. @throws NotMapped for three and more, and for
/// numbers beyond int.
[[nodiscard]] graph::Window image_window(const onnx::SpatialWindow& window);

}  // namespace npu::onnx_import
