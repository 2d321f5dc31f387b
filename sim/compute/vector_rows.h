#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "sim/compute/element.h"

namespace npu::compute {

/// Elements worked on at a time: rows of int32 that stay in the processor's first-level cache.
inline constexpr std::int64_t kRowBlock = 512;

/// out[i] = element i at `source`, widened.
void load_row(const std::byte* source, Element type, std::int64_t count, std::int32_t* out);
/// Element i at `out` = the low bits of values[i].
void store_row(const std::int32_t* values, Element type, std::int64_t count, std::byte* out);
/// values[i] = clamp(values[i] + zero, low, high), the sum exact.
void offset_and_clamp(std::int32_t* values, std::int64_t count, std::int32_t zero, std::int32_t low,
                      std::int32_t high);

}  // namespace npu::compute
