#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/base/tensor.h"

namespace npu::passes {

/// Elements of the dimensions from … to − 1.
[[nodiscard]] inline std::int64_t product(const Shape& shape, std::size_t from, std::size_t to) {
  std::int64_t n = 1;
  for (std::size_t i = from; i < to; ++i) n *= shape[i];
  return n;
}

}  // namespace npu::passes
