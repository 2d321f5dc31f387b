#pragma once

#include "workloads/onnx/model.h"

namespace npu::onnx {

/// Rewrites the nodes of com.microsoft that have the meaning of ONNX's own operators: Gelu,
/// FastGelu, BiasGelu, QuickGelu, SimplifiedLayerNormalization, SkipLayerNormalization,
/// SkipSimplifiedLayerNormalization, MultiHeadAttention of separate query, key and value, and those
/// of upgrade_quantized.h.
/// A model of IR version 1 or 2 without operator sets is one of operator set 1.
/// Source: onnxruntime, docs/ContribOperators.md.
void upgrade(Model& model);

}  // namespace npu::onnx
