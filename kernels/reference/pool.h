#pragma once

#include "kernels/reference/invocation.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {

/// Integer AVERAGE_POOL_2D over NHWC: raw values of the taps inside the image, divided by their
/// number with halves rounded away from zero, clamped. @throws Error if a window lies wholly
/// outside the image.
void average_pool_2d(const graph::Window& window, IntegerRange range, const View& x, TensorData& y);

/// Integer MAX_POOL_2D: the largest raw value of the taps inside the image, clamped.
void max_pool_2d(const graph::Window& window, IntegerRange range, const View& x, TensorData& y);

}  // namespace npu::reference
