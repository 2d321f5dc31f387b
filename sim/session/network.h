#pragma once

#include <string>
#include <vector>

#include "kernels/lowering/compile.h"
#include "sim/config/npu_config.h"
#include "sim/session/model_options.h"
#include "workloads/graph/graph.h"

namespace npu::session {

/// A model file as the importer read it and as the mapper gets it.
struct Network {
  std::string file_name;  ///< Without its folder.
  std::string sha256;
  graph::Graph original;  ///< What the references run.
  graph::Graph mapped;    ///< After fusion.
  std::vector<std::string> fusions;
  ModelOptions options;
  std::vector<std::string> notes;  ///< For the report.
};

/// Reads a network description (.yaml), a SCALE-Sim topology (.csv) or a TFLite model (any other
/// name).
/// @throws Error for anything that the importer refuses, and options that the file does not know.
[[nodiscard]] Network load_network(const ModelOptions& options, bool timing_only);

/// Compiles with the model's options and adds the provenance that only the program knows: version,
/// model, options.
[[nodiscard]] kernels::Compiled compile_network(const Network& network, const NpuConfig& config,
                                                kernels::CompileOptions options);
/// The same by the decisions of a mapping file; empty: without. @throws Error with file and line
/// for decisions that are not legal.
[[nodiscard]] kernels::Compiled compile_mapped(const Network& network, const NpuConfig& config,
                                               kernels::CompileOptions options,
                                               const std::string& mapping);

/// @throws Error if the program, read from `file`, says that it was compiled from another model or
/// with other options.
void require_compiled_from(const Network& network, const isa::Program& program,
                           const std::string& file);

/// One line per ATTENTION: which variant runs, with the predictions for both.
[[nodiscard]] std::vector<std::string> attention_notes(
    const graph::Graph& network, const std::vector<kernels::AttentionChoice>& choices);

}  // namespace npu::session
