#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "workloads/onnx/model.h"

namespace npu::onnx {

/// Reads an .onnx file; tensors with external data are read from files beside it.
/// @throws Error `file: …` for a file that is no ONNX model, tensors whose payload does not match
/// their shape, sizes beyond the bounds, external data outside the model's folder, strings,
/// complex numbers, sparse initializers, functions defined by the model, and nesting deeper
/// than 16.
[[nodiscard]] Model read_model(const std::string& path);
/// The same from memory; `path` is used in messages and to find external data.
[[nodiscard]] Model parse_model(std::string_view content, const std::string& path);

/// The files that tensors with external data of an .onnx file are read from, sorted, each once.
/// Whether they are there is not asked. @throws Error `file: …` if the model cannot be read at all.
[[nodiscard]] std::vector<std::string> external_files(const std::string& path);

/// A serialized TensorProto (.pb), as the backend tests' inputs and outputs are.
[[nodiscard]] Value parse_tensor(std::string_view content, const std::string& path);

inline constexpr std::int64_t kMaxModelBytes = std::int64_t{1} << 31;  ///< Protobuf's own limit.
inline constexpr std::int64_t kMaxTensorBytes = std::int64_t{1} << 33;
inline constexpr std::size_t kMaxRank = 16;

}  // namespace npu::onnx
