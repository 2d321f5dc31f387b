#pragma once

#include "kernels/reference/invocation.h"
#include "kernels/reference/quantization.h"

namespace npu::reference {

/// Integer ADD and SUB: both operands are raised by `left_shift` bits, brought to one scale (a
/// rounding each), added or subtracted, and brought to the output's scale.
struct AddParameters {
  std::int32_t a_zero_point = 0, b_zero_point = 0;
  int left_shift = 20;
  Multiplier a, b;
  bool subtract = false;
  OutputStage stage;
};
void add(const AddParameters& parameters, const View& a, const View& b, TensorData& y);

/// Integer MUL: y = stage((a − zero point) · (b − zero point)).
struct MulParameters {
  std::int32_t a_zero_point = 0, b_zero_point = 0;
  OutputStage stage;
};
void multiply(const MulParameters& parameters, const View& a, const View& b, TensorData& y);

/// Integer MAXIMUM (or MINIMUM) of the raw values.
void select_extreme(bool maximum, const View& a, const View& b, TensorData& y);

}  // namespace npu::reference
