#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/reference/invocation.h"

namespace npu::reference {

/// Nearest binary16, ties to even; overflow is infinity, subnormal results are kept. A NaN of any
/// width is stored as the positive quiet one.
[[nodiscard]] std::uint16_t to_half(float value);
/// Nearest bfloat16, ties to even.
[[nodiscard]] std::uint16_t to_bfloat(float value);

/// Elements of a float16, bfloat16 or float32 tensor.
[[nodiscard]] std::vector<float> load_floats(const View& view);
/// Rounds `values` to the tensor's float type.
void store_floats(TensorData& out, std::span<const float> values);

}  // namespace npu::reference
