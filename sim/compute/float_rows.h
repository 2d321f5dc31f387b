#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/compute/element.h"

namespace npu::compute {

// Rows of float32 or of 64-bit integers, the two domains of vec.map and vec.reduce. `step` is the
// distance of neighbours in memory [bytes], any sign; conversions as in float_format.h.

/// out[i] = element i, widened to float32 (int32: rounded to nearest even).
void load_floats(const std::byte* source, Element type, std::int64_t step, std::int64_t count,
                 float* out);
/// out[i] = element i of an integer type.
void load_integers(const std::byte* source, Element type, std::int64_t step, std::int64_t count,
                   std::int64_t* out);
/// Element i = values[i]. NaNs become the one that is stored.
void store_floats(const float* values, Element type, std::int64_t step, std::int64_t count,
                  std::byte* out);
void store_integers(const std::int64_t* values, Element type, std::int64_t step, std::int64_t count,
                    std::byte* out);
/// Element i of an integer type = saturate(round half even(values[i]) + zero).
void store_quantized(const float* values, std::int32_t zero, Element type, std::int64_t step,
                     std::int64_t count, std::byte* out);

}  // namespace npu::compute
