#pragma once

#include "kernels/reference/arithmetic.h"
#include "kernels/reference/invocation.h"

namespace npu::reference {

/// Integer SOFTMAX over the last axis: exp and reciprocal in fixed point on d = q − (largest of the
/// row). Input int8 or uint8; output int8 (scale 1/256, zero point −128), int16 (1/65536, −32768)
/// or uint8 (1/256, 0).
struct SoftmaxParameters {
  Multiplier input;                      ///< beta · s_x · 2^26; its shift is not negative.
  std::int32_t smallest_difference = 0;  ///< A smaller d contributes nothing.
};
[[nodiscard]] SoftmaxParameters softmax_parameters(float beta, float input_scale);
void softmax(const SoftmaxParameters& parameters, const View& x, TensorData& y);

}  // namespace npu::reference
