#pragma once

#include <span>

#include "kernels/reference/invocation.h"

namespace npu::reference {

/// One row in place: e = exp((x − max) · beta), y = e · (1 / sum of e).
void softmax_row(std::span<float> row, float beta);
/// SOFTMAX over the last axis of a float tensor.
void softmax_of_floats(Invocation& call);

}  // namespace npu::reference
