#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "sim/base/tensor.h"

namespace npu {

/// NumPy's .npy files, versions 1.0 and 2.0: int8, uint8, int16, int32, int64, float16, float32
/// and bool, little-endian, in C or Fortran order (tensors are row-major), at most 2 GiB of data
/// and 32 dimensions. Source: NumPy Enhancement Proposal 1.
inline constexpr std::int64_t kMaxNpyBytes = std::int64_t{1} << 31;

/// @throws Error `file: offset N: …` for anything else, and for a file that is shorter or longer
/// than its header says.
[[nodiscard]] TensorData read_npy(const std::string& path);
/// The same from memory; `file` is used in messages.
[[nodiscard]] TensorData parse_npy(std::string_view content, const std::string& file);

/// Writes version 1.0, atomically; bfloat16, which NumPy does not know, as float32. @throws Error
/// if the file cannot be written.
void write_npy(const std::string& path, const TensorData& tensor);
/// The bytes that write_npy writes.
[[nodiscard]] std::string format_npy(const TensorData& tensor);

}  // namespace npu
