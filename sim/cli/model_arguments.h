#pragma once

#include <CLI/CLI.hpp>

#include "sim/session/model_options.h"

namespace npu::cli {

/// Adds --dim, --precision, --weights, --no-fusion and --attention.
void add_model_options(CLI::App& command, session::ModelOptions& options);
/// Adds --dim and --precision.
void add_dimension_options(CLI::App& command, session::ModelOptions& options);

}  // namespace npu::cli
