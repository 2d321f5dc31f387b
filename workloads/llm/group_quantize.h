#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "workloads/llm/model.h"

namespace npu::llm {

inline constexpr std::int64_t kGgufGroupSize = 32;  ///< Of GGUF's Q8_0 and Q4_0.

/// Quantizes one group of finite floats to int8: scale = max|x| / 127, q = x / scale rounded half
/// away from zero; all zero where the group is. Returns the scale. Source: karpathy/llama2.c (MIT),
/// runq.c.
float quantize_q8(std::span<const float> x, std::span<std::int8_t> q);

/// Quantizes one group of finite floats to int4: d = (the element of largest magnitude, the first
/// of equals) / -8, q = min(15, trunc(x / d + 8.5)) - 8; the scale is d rounded to binary16, as it
/// is stored there. Source: ggml-org/llama.cpp (MIT), block_q4_0 and its quantization.
float quantize_q4(std::span<const float> x, std::span<std::int8_t> q);

/// A float rounded to IEEE 754 binary16, ties to even; infinite beyond its range.
[[nodiscard]] float round_to_binary16(float x);

/// A matrix in groups of `group_size` along its rows (the last one of a row may be shorter, unlike
/// in GGUF, which refuses such rows). Formats that have groups already are dequantized first.
/// @param what  names the matrix in messages.
/// @throws Error for weights that are not finite or beyond the range of the scale's type.
struct OwnedMatrix {
  std::vector<std::byte> values, scales;
  Matrix matrix;  ///< Views of the vectors above.
};
[[nodiscard]] std::shared_ptr<const OwnedMatrix> quantize(const Matrix& from, WeightFormat format,
                                                          std::int64_t group_size,
                                                          const std::string& what);

/// The model with all its matrices in another format; a model that has it already comes back as it
/// is. Norms stay float. Only quantized formats can be asked for.
[[nodiscard]] Llama with_weights(const Llama& model, WeightFormat format,
                                 std::int64_t group_size = kGgufGroupSize);

}  // namespace npu::llm
