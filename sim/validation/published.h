#pragma once

#include "sim/validation/suite.h"

namespace npu::validation {

// Suites of published figures, one file each.
[[nodiscard]] Suite gemmini_suite();

}  // namespace npu::validation
