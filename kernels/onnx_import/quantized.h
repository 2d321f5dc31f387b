#pragma once

#include <optional>
#include <vector>

#include "kernels/onnx_import/network.h"
#include "workloads/graph/graph.h"

namespace npu::onnx_import {

/// int8 and uint8.
[[nodiscard]] bool is_byte(onnx::ElementType type);
[[nodiscard]] bool is_byte(DType type);

/// True for what graphs take as a scale.
[[nodiscard]] bool is_scale(double value);

/// Operands of DequantizeLinear that are constant; nothing for types other than bytes, scales that
/// are not float32 or out of bounds, and blocks.
/// @param zero_point  nullptr: 0.
[[nodiscard]] std::optional<QuantizedConstant> quantized_constant(const onnx::Call& call,
                                                                  const onnx::Value& value,
                                                                  const onnx::Value& scale,
                                                                  const onnx::Value* zero_point);

/// The same real values as the MAC array takes weights: one zero point, that of int8 being 0;
/// scales of uint8 are one. Bytes change their type where that is all it takes. Nothing where it
/// is not.
[[nodiscard]] std::optional<QuantizedConstant> as_weights(QuantizedConstant constant);

/// One scale and zero point.
[[nodiscard]] graph::Quantization steps(float scale, std::int32_t zero_point);

}  // namespace npu::onnx_import
