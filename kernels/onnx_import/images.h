#pragma once

#include <optional>

#include "kernels/onnx_import/converter.h"
#include "kernels/onnx_reference/window.h"

namespace npu::onnx_import {

/// A value [N,C,W] or [N,C,H,W] as an image [N,H,W,C] (H is 1 for the former); with a quantization
/// bytes that have it.
[[nodiscard]] graph::TensorId image_of(
    Conversion& conversion, std::size_t operand,
    const std::optional<graph::Quantization>& quantization = std::nullopt);
/// Output 0 as such an image.
[[nodiscard]] graph::Tensor image_output(const Conversion& conversion, DType type);
/// Sets output 0 from an image: channels last, of the value's rank.
void image_result(Conversion& conversion, graph::TensorId image);
/// Spatial dimensions as a window over H and W. @throws NotMapped for three and more, and for
/// numbers beyond int.
[[nodiscard]] graph::Window image_window(const onnx::SpatialWindow& window);

}  // namespace npu::onnx_import
