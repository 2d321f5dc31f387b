#pragma once

#include <string>
#include <string_view>

#include "workloads/graph/graph.h"

namespace npu::importers {

/// Reads a .tflite file (FlatBuffers, schema version 3, subgraph 0) into a verified graph.
/// TFLite tensor indices become TensorIds unchanged. int4 weights are unpacked to int8.
/// @throws Error `file: …` naming operator, index and attributes for anything malformed or
/// unsupported.
[[nodiscard]] graph::Graph load_tflite(const std::string& path);
/// The same from memory.
[[nodiscard]] graph::Graph parse_tflite(std::string_view bytes, const std::string& file);

}  // namespace npu::importers
