#pragma once

#include <cstdint>

#include "sim/base/function.h"

namespace npu::test {

// The functions of vec.map on single values, from docs/numerics.md.

[[nodiscard]] float map_pair(MapFunction function, float a, float b);
[[nodiscard]] float map_one(MapFunction function, float a, float imm0, float imm1);
[[nodiscard]] std::int64_t map_pair(MapFunction function, std::int64_t a, std::int64_t b);
[[nodiscard]] std::int64_t map_one(MapFunction function, std::int64_t a, std::int64_t imm0,
                                   std::int64_t imm1);

}  // namespace npu::test
