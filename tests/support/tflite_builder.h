#pragma once

#include <string>

#include "tflite_generated.h"
#include "workloads/graph/graph.h"

namespace npu::test {

/// The network as TFLite tables, to be changed by a test before it is packed. Operators that carry
/// attributes in operands get constant tensors behind the graph's own; everything else keeps its
/// index. SPLIT cannot be expressed (the importer makes slices of it).
/// @throws Error for padding that is neither SAME nor VALID.
[[nodiscard]] importers::schema::ModelT to_model(const graph::Graph& graph);

/// The bytes of a .tflite file.
[[nodiscard]] std::string pack(const importers::schema::ModelT& model);

/// Both: parse_tflite(build_tflite(g)) is g but for those additional constant tensors.
[[nodiscard]] std::string build_tflite(const graph::Graph& graph);

}  // namespace npu::test
