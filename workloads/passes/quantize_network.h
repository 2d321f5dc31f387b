#pragma once

#include <map>

#include "workloads/graph/graph.h"

namespace npu::passes {

/// Real values that a tensor was seen to take.
struct Range {
  float low = 0, high = 0;

  friend bool operator==(const Range&, const Range&) = default;
};
/// By tensor of the float network.
using Ranges = std::map<graph::TensorId, Range>;

/// int8 over the range, which is widened to hold 0: scale = (high − low) / 255, zero point = −128 −
/// low / scale, rounded to nearest; 0 is exact. A range without extent gets the scale 1 / 255.
/// Source: B. Jacob et al., "Quantization and Training of Neural Networks for Efficient
/// Integer-Arithmetic-Only Inference", CVPR 2018, equations 1 and 13.
[[nodiscard]] graph::Quantization activation_quantization(Range range);

/// Turns a float32 network into an int8 one, after training:
/// - activations: asymmetric, per tensor, over `ranges`; SOFTMAX, LOGISTIC and TANH have the output
///   scale that their algorithm fixes. What moves values or selects among them (pooling, PAD,
///   RESHAPE, TRANSPOSE, STRIDED_SLICE, SPLIT, GATHER) keeps its operand's quantization; operands
///   of CONCATENATION, PACK, MAXIMUM and MINIMUM are requantized to the result's where they differ.
/// - weights of CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV, FULLY_CONNECTED and of MATMUL by a
///   constant matrix: symmetric in −127 … 127, per output channel; bias int32 with scale x · w. A
///   channel whose bias would leave int32 gets a larger weight scale.
/// - MAP of two float operands: add, sub and mul are ADD, SUB and MUL; relu is RELU, which is fused
///   where the node before it allows. Every other operator takes int8 operands as its general rule
///   has it (dequantize, fp32, quantize); constants of MAP, the norms and ROPE stay float32.
/// - float inputs get a QUANTIZE, float outputs a DEQUANTIZE; inputs keep their tensor ids, the
///   order of inputs and outputs stays. Integers and bool stay as they are.
/// @param network  verified, with its constants.
/// @return a verified graph.
/// @throws Error naming the tensor (no range, or one that is not finite; 16-bit floats; quantized
/// already) or the operator that has no int8 form.
[[nodiscard]] graph::Graph quantize_network(const graph::Graph& network, const Ranges& ranges);

}  // namespace npu::passes
