#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "workloads/onnx/model.h"

namespace npu::onnx {

/// Operators of com.microsoft on quantized tensors as what defines them: DequantizeLinear, the
/// operator on floats, QuantizeLinear. QLinearAdd, QLinearMul, QLinearSigmoid, QLinearLeakyRelu,
/// QLinearSoftmax, QLinearAveragePool and QLinearGlobalAveragePool (channels_last 0),
/// QLinearConcat, QLinearWhere, QGemm; QuantizeLinear and DequantizeLinear as ONNX's own;
/// MatMulIntegerToFloat and DynamicQuantizeMatMul by MatMulInteger.
/// Source: onnxruntime, docs/ContribOperators.md.
/// `opset` is the model's own: a QLinearSoftmax of the other rule (before 13 over all dimensions
/// from its axis on, since then over the axis alone) is taken along the last axis only.
/// @return empty for other operators.
[[nodiscard]] std::vector<Node> upgrade_quantized(const Node& node, std::int64_t opset);
/// Why a node that upgrade_quantized() knows stayed what it is; empty for other operators.
[[nodiscard]] std::string why_not_upgraded(const Node& node);

}  // namespace npu::onnx
