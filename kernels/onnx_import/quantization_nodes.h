#pragma once

#include <map>

#include "workloads/graph/graph.h"

namespace npu::onnx_import {

/// MAP of that function.
[[nodiscard]] bool is_map(const graph::Node& node, MapFunction function);
[[nodiscard]] bool dequantizes(const graph::Node& node);
[[nodiscard]] bool quantizes(const graph::Node& node);
/// Scale and zero point of such a MAP.
[[nodiscard]] graph::Quantization steps_of(const graph::Node& node);
/// Operators of one operand whose result holds elements of it: changes of shape and layout, slices,
/// MAX_POOL_2D.
[[nodiscard]] bool is_selection(const graph::Node& node);
/// … or of several operands, or zeros beside them: CONCATENATION, PAD.
[[nodiscard]] bool is_move(const graph::Node& node);

/// How often each tensor is read, the network's outputs once more.
[[nodiscard]] std::map<graph::TensorId, int> reader_counts(const graph::Graph& graph);
/// A new activation with the shape and name of one tensor, the type and quantization of another.
graph::TensorId add_like(graph::Graph& graph, graph::TensorId shape_of, graph::TensorId type_of);

/// Brings quantize and dequantize to where they can be taken into operators; no bit changes:
///   - Bytes that are only dequantized, all in one way, get that quantization.
///   - Bounds of relu and clip that saturation has anyway go.
///   - Quantize goes before the move whose result it alone reads.
void prepare_quantization(graph::Graph& graph);

}  // namespace npu::onnx_import
