#pragma once

#include <map>
#include <string>

#include "sim/base/tensor.h"

namespace npu::test {

/// All arrays of a NumPy .npz file (a ZIP archive of .npy files, stored or deflated) by their name
/// without ".npy". Not supported: ZIP64, encryption, data descriptors without sizes in the central
/// directory. @throws Error `file: …`.
[[nodiscard]] std::map<std::string, TensorData> read_npz(const std::string& path);

/// Integers separated by commas or white space, as a tensor of `type` and `shape`.
/// @throws Error if their number or one of them does not fit.
[[nodiscard]] TensorData read_integer_csv(const std::string& path, DType type, const Shape& shape);

}  // namespace npu::test
