#pragma once

#include <cstddef>
#include <cstdint>

namespace npu::reference {

/// Rows handed to dot_rows are padded with zeros to a multiple of this many elements.
inline constexpr std::size_t kRowUnit = 32;

/// Longest run of products that fits an int32 sum: 8-bit operands minus a zero point (|x·w| ≤
/// 255²), and int16 operands with 8-bit weights (|x·w| ≤ 2^22).
inline constexpr std::size_t kNarrowRun = 16384;
inline constexpr std::size_t kWideRun = 256;

/// out[r] = Σ_k x[k] · w[r · depth + k] for r < rows, exact in 64 bits.
/// @param depth  a multiple of kRowUnit.
/// @param run    kNarrowRun or kWideRun: after how many products an int32 sum is added to the
/// result.
void dot_rows(const std::int16_t* x, const std::int16_t* w, std::size_t rows, std::size_t depth,
              std::size_t run, std::int64_t* out);

/// sums[c] += x[c] · w[c] for c < count; int32 sums wrap, int64 sums are exact.
void multiply_accumulate(const std::int16_t* x, const std::int16_t* w, std::size_t count,
                         std::int32_t* sums);
void multiply_accumulate(const std::int16_t* x, const std::int16_t* w, std::size_t count,
                         std::int64_t* sums);
void multiply_accumulate(const float* x, const float* w, std::size_t count, float* sums);

/// sums[c] += Σ_k x[k] · w[k · count + c], k ascending, in float32 without contraction.
void accumulate_columns(const float* x, const float* w, std::size_t depth, std::size_t count,
                        float* sums);

}  // namespace npu::reference
