#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "kernels/lowering/layer_context.h"

namespace npu::kernels {

/// The weights of one tile in DRAM, followed by the parameters of its channels.
/// Convolution and GEMM: [channel][tap][input channel]; depthwise: [tap][channel].
struct WeightBlock {
  std::int64_t address = 0, bytes = 0;
  std::int64_t params_offset = 0;
};
/// By group, first output channel, first input channel.
using WeightBlocks = std::map<std::array<std::int64_t, 3>, WeightBlock>;

/// Lays a layer's weights and parameters out in the order in which its tiles use them.
[[nodiscard]] WeightBlocks pack_weights(LayerContext& c);

/// The one requantization record of a layer without bias and with one scale (uniform_params).
[[nodiscard]] WeightBlock pack_uniform_record(LayerContext& c);

}  // namespace npu::kernels
