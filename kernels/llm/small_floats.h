#pragma once

#include <cstddef>
#include <vector>

#include "kernels/llm/layout.h"

namespace npu::llm_kernels {

/// Appends a float as the type stores it: rounded to nearest even, infinite beyond its range.
void append_float(std::vector<std::byte>& bytes, float value, Code code);

}  // namespace npu::llm_kernels
