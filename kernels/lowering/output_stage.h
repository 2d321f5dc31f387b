#pragma once

#include <cstddef>
#include <cstdint>

#include "kernels/lowering/layer_context.h"

namespace npu::kernels {

/// Where a block of a tensor lies: first element and strides in bytes.
struct Placed {
  std::int64_t address = 0, row_stride = 0, pixel_stride = 0;
};

/// Sums of a tile in the accumulators, or (streamed) the next ones of the result stream.
struct Sums {
  std::int64_t acc = 0, rows = 1, columns = 1, channels = 1;
  std::int64_t params = 0;  ///< Scratchpad address of the channels' records …
  std::int64_t bias = 0;    ///< … and of their int32 biases.
  bool streamed = false;
  bool per_channel = true;  ///< Else record 0 serves all channels.
};

/// Emits what turns sums into elements of the layer's output at `y`: vec.requantize or vec.output,
/// before it the addition of an int32 bias to the sums (vec.reduce_sum over one element).
void emit_output(LayerContext& c, const Sums& sums, const Placed& y);

/// Parameters of channels [first, first + channels) as emit_output() reads them: the records of
/// vec.requantize; or the records of vec.output (fp32 scale, bias), then the int32 biases if there
/// are any.
void write_params(const LayerContext& c, std::byte* to, std::int64_t first, std::int64_t channels);

/// Where the int32 biases begin in the parameters of `channels` channels.
[[nodiscard]] std::int64_t bias_offset(const mapper::WindowProblem& problem, std::int64_t channels);

/// Fused activation of the node, kNone where its kind has none.
[[nodiscard]] graph::Activation fused_activation(const graph::Node& node);
/// Zero point of a quantized tensor, 0 of any other.
[[nodiscard]] std::int32_t zero_point_or_0(const graph::Tensor& tensor);
/// True where the 16×8 rule with a 64-bit accumulator and the 16-bit multiplier applies: int16
/// activations with an int64 bias or none.
[[nodiscard]] bool has_wide_bias(const LayerContext& c);

}  // namespace npu::kernels
