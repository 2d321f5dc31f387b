#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "kernels/reference/invocation.h"
#include "kernels/reference/operators.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {

/// Operands of CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED in integer inference:
///     acc = Σ (x − x_zero_point) · (w − w_zero_point) + bias;  y = stage(acc)
/// Types: x int8 · w int8 and x uint8 · w uint8 with an int32 bias or none, 32-bit accumulator
/// (wraps); x int16 · w int8 with an int32 bias, 32-bit accumulator; x int16 · w int8 with an int64
/// bias or none, 64-bit accumulator. With factors: x, w and y int8 or uint8 each, int32 bias or
/// none; y = saturate(rint(clamp(fp32(fp32(acc) · factor))) + y_zero_point).
struct MacOperands {
  View x, w;
  std::optional<View> bias;  ///< [channels], int32 or int64.
  std::int32_t x_zero_point = 0;
  std::int32_t w_zero_point = 0;
  OutputStage stage;
  /// Rescale::kFloat: factors of the sums, one or one per channel, and bounds in steps of y. Empty:
  /// the stage's multipliers.
  std::vector<float> factors;
  FloatRange bounds{};
  bool raw = false;  ///< int32 output: the sums with the bias, no stage.

  /// 64-bit accumulator with the reduced 16-bit multiplier.
  [[nodiscard]] bool wide() const {
    return x.type == DType::kInt16 && (!bias || bias->type == DType::kInt64);
  }
};

/// How the ratio s_x · s_w / s_y is formed.
enum class ScaleProduct : std::uint8_t {
  kDouble,            ///< Widened first, then multiplied.
  kFloatIfPerTensor,  ///< One weight scale: the product is rounded to float32 before it is widened.
};

/// True for the type combinations of MacOperands.
[[nodiscard]] bool has_integer_mac(const graph::Graph& graph, const graph::Node& node);

/// Collects operands and derives the multipliers of `channels` outputs.
/// @throws Error for a scale list that is neither 1 nor `channels` long, or a ratio out of range.
[[nodiscard]] MacOperands mac_operands(const Invocation& call, graph::Activation activation,
                                       ScaleProduct product, std::int64_t channels);

/// Turns sums of products into outputs: adds the bias, applies the output stage, stores.
class MacWriter {
 public:
  /// @param channels  length of the bias; the stage has one multiplier or as many.
  MacWriter(const MacOperands& operands, std::size_t channels, TensorData& y);

  /// Outputs [offset, offset + sums.size()) are channels first_channel, first_channel + 1, …
  void write(std::size_t offset, std::size_t first_channel, std::span<const std::int64_t> sums);
  void write(std::size_t offset, std::size_t first_channel, std::span<const std::int32_t> sums);

 private:
  [[nodiscard]] std::int32_t scaled(std::int32_t accumulator, std::size_t channel) const;
  template <typename Sum>
  void finish(std::size_t first_channel, std::span<const Sum> sums);
  void store(std::size_t offset, std::size_t count);

  const OutputStage& stage_;
  const std::vector<float>& factors_;
  FloatRange bounds_;
  bool wide_, raw_;
  std::vector<std::int64_t> bias_;
  std::vector<std::int32_t> finished_;
  TensorData& y_;
};

/// The bias (operand 2) as real numbers, zeros if absent. A quantized bias has the scale s_x ·
/// s_w[c] whatever its tensor says: the integer accumulator gives it that meaning.
[[nodiscard]] std::vector<float> float_bias(const Invocation& call, std::size_t channels);

/// The same for operand `index` and accumulators in units of `scales`: one, or one per channel.
[[nodiscard]] std::vector<float> float_bias(const Invocation& call, std::size_t index,
                                            std::size_t channels,
                                            const std::vector<double>& scales);

}  // namespace npu::reference
