#pragma once

#include <cstdint>
#include <string_view>

namespace npu::llm {

/// Type of float weights and of the vectors they are multiplied with; sums are float32.
enum class Precision : std::uint8_t { kFloat32, kFloat16, kBfloat16 };
/// "float32", "float16", "bfloat16"
[[nodiscard]] std::string_view name_of(Precision precision);

/// Type of keys and values in the cache. int8: one float32 scale per position and KV head,
/// max|x| / 127, x / scale rounded half to even.
enum class CacheType : std::uint8_t { kFloat32, kFloat16, kBfloat16, kInt8 };
/// "float32", "float16", "bfloat16", "int8"
[[nodiscard]] std::string_view name_of(CacheType type);

/// How a model's numbers are stored where its file does not say it.
struct Numerics {
  Precision precision = Precision::kFloat32;
  CacheType cache = CacheType::kFloat32;
};

}  // namespace npu::llm
