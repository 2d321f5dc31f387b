#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/base/fixed_point.h"
#include "workloads/graph/graph.h"

namespace npu::kernels {

/// Scale and zero point of a per-tensor quantized tensor. @throws Error if it has none.
struct PerTensor {
  float scale = 1.0F;
  std::int32_t zero_point = 0;
};
[[nodiscard]] PerTensor per_tensor(const graph::Tensor& tensor);

/// Clamp of a quantized output with a fused activation (source: reference/tflite_format.md §11), or
/// of a float one as bits of fp32.
struct Clamp {
  std::int32_t low = 0, high = 0;
};
[[nodiscard]] Clamp clamp_of(const graph::Tensor& y, graph::Activation activation);
/// What an operator of the RELU family clamps to; kNone for others.
[[nodiscard]] graph::Activation activation_of(graph::OpKind kind);
/// The whole range of the type.
[[nodiscard]] Clamp full_range(DType type);

/// Element type code of the instructions: 0 int8, 1 uint8 and bool, 2 int16, 3 int32, 4 float16, 5
/// bfloat16, 6 float32. @throws Error for other types.
[[nodiscard]] int type_code(DType type);

/// Requantization multiplier of an output channel of a convolution or FULLY_CONNECTED.
[[nodiscard]] FixedMultiplier channel_multiplier(const graph::Graph& graph, const graph::Node& node,
                                                 std::int64_t channel);

/// Little-endian words appended to a block of bytes.
class WordWriter {
 public:
  explicit WordWriter(std::byte* at) : at_(at) {}
  void word(std::int64_t value, int bytes = 4);
  void multiplier(FixedMultiplier m) {
    word(m.multiplier);
    word(m.shift);
  }

 private:
  std::byte* at_;
};

/// The 256 outputs of a one-operand operator over an 8-bit type, indexed by the raw input byte, in
/// the output's type. Covers RELU, RELU6, RELU_N1_TO_1, LEAKY_RELU, LOGISTIC, TANH, HARD_SWISH,
/// QUANTIZE and the rescale of CONCATENATION.
/// @throws Error if the operator's fixed output quantization does not hold.
[[nodiscard]] std::vector<std::int32_t> lookup_table(const graph::Graph& graph,
                                                     const graph::Node& node, Rounding rounding);

}  // namespace npu::kernels
