#pragma once

#include <vector>

#include "sim/validation/peer_layers.h"

namespace npu::validation {

/// What matters of a ResNet to simulators that take one layer at a time.
struct ResnetLayer {
  PeerLayer layer;
  bool is_projection = false;  ///< 1×1 convolution of a skip connection.
};

/// Convolutions and the last product of ResNet-18 (basic blocks) or ResNet-50 (bottlenecks, stride
/// in their 3×3 convolution) on 224×224×3, padded, in the order of the blocks; a projection
/// precedes its block's convolutions.
/// Source: He et al., Deep Residual Learning for Image Recognition, CVPR 2016, table 1.
[[nodiscard]] std::vector<ResnetLayer> resnet18_layers();
[[nodiscard]] std::vector<ResnetLayer> resnet50_layers();

}  // namespace npu::validation
