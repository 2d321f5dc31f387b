#pragma once

#include <vector>

#include "workloads/onnx/model.h"

namespace npu::onnx {

/// Operators of com.microsoft on quantized tensors as what defines them: DequantizeLinear, the
/// operator on floats, QuantizeLinear. QLinearAdd, QLinearMul, QLinearSigmoid, QLinearLeakyRelu,
/// QLinearSoftmax, QLinearAveragePool and QLinearGlobalAveragePool (channels_last 0),
/// QLinearConcat, QLinearWhere, QGemm; QuantizeLinear and DequantizeLinear as ONNX's own;
/// MatMulIntegerToFloat and DynamicQuantizeMatMul by MatMulInteger.
/// Source: onnxruntime, docs/ContribOperators.md.
/// @return empty for other operators.
[[nodiscard]] std::vector<Node> upgrade_quantized(const Node& node);

}  // namespace npu::onnx
