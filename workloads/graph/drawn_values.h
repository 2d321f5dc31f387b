#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "sim/base/tensor.h"

namespace npu::graph {

/// Standard deviation of an int8 drawn uniformly from −127 … 127: sqrt((255² − 1) / 12).
inline constexpr double kDrawnInt8Deviation = 73.61;

/// Bytes of a constant whose values do not matter but should look like a network's: uniform, with
/// mean 0. The same seed, name and number of elements give the same bytes on every machine.
///
/// Stream: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014), started at seed + FNV-1a-64(name); one
/// 64-bit word per element, u = (top 53 bits + ½) / 2^53.
/// - int8: floor(255·u) − 127;
/// - int32: round((2·u − 1) · √3 · deviation), at most ±2^30;
/// - float32, float16, bfloat16: the same without the bounds, rounded to fp32 and from there, to
///   nearest even, to the type.
/// @param deviation  standard deviation of the elements, in the tensor's own units; not for int8.
/// @throws Error for other types.
/// @param mean  is added to every element; not for int8.
[[nodiscard]] std::vector<std::byte> draw_values(DType type, std::int64_t elements,
                                                 double deviation, double mean, std::uint64_t seed,
                                                 std::string_view name);

/// Bytes of reals as elements of a float type, rounded as above.
[[nodiscard]] std::vector<std::byte> store_floats(DType type, const std::vector<double>& values);

}  // namespace npu::graph
