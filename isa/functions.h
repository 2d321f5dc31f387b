#pragma once

#include <cstdint>

#include "sim/base/error.h"
#include "sim/base/function.h"

namespace npu::isa {

/// The function that operand `function` of vec.map names. @throws Error for a number that is none.
[[nodiscard]] inline MapFunction map_function(std::int64_t code) {
  if (code < 0 || code >= std::int64_t{kMapFunctions}) {
    fail("vec.map: function must be in [0, {}], got {}", kMapFunctions - 1, code);
  }
  return static_cast<MapFunction>(code);
}
/// … of vec.reduce.
[[nodiscard]] inline ReduceFunction reduce_function(std::int64_t code) {
  if (code < 0 || code >= std::int64_t{kReduceFunctions}) {
    fail("vec.reduce: function must be in [0, {}], got {}", kReduceFunctions - 1, code);
  }
  return static_cast<ReduceFunction>(code);
}

}  // namespace npu::isa
