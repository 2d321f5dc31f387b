#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/cost/layer_cost.h"
#include "sim/config/npu_config.h"
#include "workloads/graph/graph.h"

namespace npu::mapper {

/// What slides its window: the MAC array (conv, depthwise, gemm) or the vector unit (pool).
enum class WindowKind : std::uint8_t { kConv, kDepthwise, kGemm, kPool };

/// How sums become elements of the output.
enum class OutputKind : std::uint8_t {
  kRequantize,  ///< vec.requantize: fixed-point multipliers.
  kScale,       ///< vec.output: fp32 scale and bias.
  kRaw,         ///< vec.output: the sums themselves.
};

/// A layer y[N,OH,OW,OC] computed from x[N,IH,IW,IC] by a sliding window, per group.
/// FULLY_CONNECTED is OH = 1, OW = batch, IC = K; MATMUL alike, N products. TRANSPOSE_CONV is a
/// convolution over x upsampled by `up`.
struct WindowProblem {
  WindowKind kind = WindowKind::kConv;
  std::int64_t batch = 1, out_h = 1, out_w = 1, out_c = 1, in_h = 1, in_w = 1,
               in_c = 1;  ///< Channels of one group.
  std::int64_t groups = 1;
  std::int64_t up_h = 1, up_w = 1;
  std::int64_t multiplier = 1;                      ///< Depthwise: out_c = multiplier · in_c.
  graph::Window window;                             ///< In upsampled input coordinates.
  std::int64_t x_size = 1, w_size = 1, y_size = 1;  ///< Bytes per element.
  bool wide = false;                                ///< int16 activations: 8-byte accumulators.
  std::int64_t param_bytes = 0;                     ///< Per output channel.
  bool uniform_params = false;  ///< One record does for all channels: one scale and no bias.
  bool x_resident = false, y_resident = false;
  DType type = DType::kInt8;  ///< Of x.
  OutputKind output = OutputKind::kRequantize;
  bool adds_bias = false;  ///< An int32 bias is added in the accumulators before the output.
  /// The weights are an activation: one matrix per image, without parameters.
  bool w_per_image = false;
  bool w_resident = false;
  /// Of w_per_image: images that follow each other in the innermost dimension, of which several may
  /// share a step, and whether they have one x.
  std::int64_t inner_batch = 1;
  bool shares_x = false;

  [[nodiscard]] std::int64_t taps() const {
    return std::int64_t{window.kernel_h} * window.kernel_w;
  }
  [[nodiscard]] std::int64_t acc_size() const { return wide ? 8 : 4; }
};

/// Whether the MAC array computes the layer.
[[nodiscard]] inline bool uses_array(const WindowProblem& p) { return p.kind != WindowKind::kPool; }
/// Whether the sums run over input channels.
[[nodiscard]] inline bool has_channel_input(const WindowProblem& p) {
  return p.kind == WindowKind::kConv || p.kind == WindowKind::kGemm;
}

/// Which loop is outside: output channels (a weight tile stays while the image streams past) or
/// space.
enum class LoopOrder : std::uint8_t { kChannelsOuter, kSpaceOuter };
[[nodiscard]] std::string_view name_of(LoopOrder order);

/// The input rows (or columns) that `count` outputs from `first` on need; where they need none
/// (padding or the gaps of upsampling only), one that no tap reaches.
struct InputSpan {
  std::int64_t begin = 0, size = 0;  ///< Inside the tensor, size at least 1.
  std::int64_t origin = 0;           ///< Upsampled position of the first tap relative to begin·up.
};
[[nodiscard]] InputSpan input_span(std::int64_t first, std::int64_t count, std::int64_t stride,
                                   std::int64_t kernel, std::int64_t dilation, std::int64_t pad,
                                   std::int64_t up, std::int64_t in_size);

struct WindowTile {
  std::int64_t out_h = 1, out_w = 1, out_c = 1, in_c = 1;
  LoopOrder order = LoopOrder::kChannelsOuter;
  // Bytes of one slot and slots of each scratchpad buffer; 0 slots where the tensor is resident or
  // absent.
  std::int64_t x_bytes = 0, w_bytes = 0, y_bytes = 0;
  int x_slots = 0, w_slots = 0, y_slots = 0;
  std::int64_t acc_bytes = 0;
  int acc_slots = 0;
  /// The sums go through the result stream; `piece_h` output rows of the tile leave at a time and
  /// `params_bytes` hold the layer's one record (0: the records lie with the weights).
  bool streamed = false;
  /// Float sums whose input channels are split: tap by tap, so that the sums keep their order.
  bool tap_by_tap = false;
  /// Whole products (w_per_image) per step.
  std::int64_t images = 1;
  std::int64_t piece_h = 0;
  std::int64_t params_bytes = 0;
  cost::LayerWork work{};
  std::int64_t predicted_cycles = 0;

  [[nodiscard]] std::int64_t scratchpad_bytes() const {
    return x_bytes * x_slots + w_bytes * w_slots + y_bytes * y_slots + params_bytes;
  }
};

/// What is decided of a window tile; what is absent is free. Slots and bytes of buffers that the
/// layer does not have are not looked at.
struct WindowDecision {
  std::optional<std::int64_t> out_h = {}, out_w = {}, out_c = {}, in_c = {};
  std::optional<std::int64_t> images = {};  ///< Whole products per step: 1 but for MATMUL.
  std::optional<LoopOrder> order = {};
  std::optional<bool> streamed = {};
  std::optional<int> acc_slots = {};  ///< 0: without accumulators.
  std::optional<int> x_slots = {}, w_slots = {}, y_slots = {};
  std::optional<std::int64_t> x_bytes = {}, w_bytes = {},
                              y_bytes = {};  ///< Of a slot, at least what it needs.
};

/// Chooses the tile with the least predicted cycles that fits `scratchpad_bytes`; among equals the
/// smaller one. Input channels are split only if no tile with all of them fits, or where that takes
/// a quarter of the predicted cycles off (not for floats with a window: their sums have an order,
/// which such a split keeps only tap by tap). Where the array has a result stream, integer
/// convolutions and fully connected layers stream if a tile with all input channels fits: the
/// largest in space, at most the array's columns of output channels, and as many weight slots as
/// there are tiles of output channels or room for them.
/// What is decided is taken as it is.
/// @throws MappingError naming the buffer, bytes needed and bytes there if the smallest tile does
/// not fit, or what of the decisions the layer or the array does not have; `layer` is how the
/// message names the layer.
[[nodiscard]] WindowTile choose_window_tile(const WindowProblem& problem, const NpuConfig& config,
                                            std::int64_t scratchpad_bytes, const std::string& layer,
                                            const WindowDecision& decided = {});

/// Scratchpad slots and addresses start on this boundary [B].
inline constexpr std::int64_t kAlignment = 64;

}  // namespace npu::mapper
