#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "kernels/onnx_reference/operators.h"

namespace npu::onnx {

/// A window over the spatial dimensions of [N,C,D1,…,Dn], as Conv and pooling share it.
struct SpatialWindow {
  std::vector<std::int64_t> kernel, strides, dilations;
  std::vector<std::int64_t> pads_begin, pads_end;
  Shape in, out;  ///< Spatial dimensions only.

  /// Calls f(output position, input position, tap) for every tap that meets the input, positions
  /// and tap flat over the spatial dimensions.
  void for_each_tap(const std::function<void(std::int64_t, std::int64_t, std::int64_t)>& f) const;
};

/// Attributes auto_pad, dilations, pads, strides; `kernel` from kernel_shape or the weights.
/// ceil_mode rounds the output size up, where the last window must start inside the padded input.
[[nodiscard]] SpatialWindow window_of(const Call& call, const Shape& spatial,
                                      std::vector<std::int64_t> kernel, bool ceil_mode);

}  // namespace npu::onnx
