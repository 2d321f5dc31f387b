#pragma once

#include <cstdint>
#include <span>

#include "kernels/reference/invocation.h"

namespace npu::reference {

/// One row in place: e = exp((x − max) · beta), y = e · (1 / sum of e). With a block, maximum and
/// sum are those of an online pass over blocks of as many elements.
void softmax_row(std::span<float> row, float beta, std::int64_t block = 0);
/// SOFTMAX over the last axis of a float tensor.
void softmax_of_floats(Invocation& call);

}  // namespace npu::reference
