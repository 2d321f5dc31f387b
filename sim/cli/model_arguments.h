#pragma once

#include <CLI/CLI.hpp>

#include "kernels/lowering/compile.h"
#include "sim/session/model_options.h"

namespace npu::cli {

/// Adds --dim, --precision, --weights and --no-fusion.
void add_model_options(CLI::App& command, session::ModelOptions& options);
/// Adds --dim and --precision.
void add_dimension_options(CLI::App& command, session::ModelOptions& options);

/// The option --attention of a command.
void add_attention_option(CLI::App& command, kernels::AttentionVariant& variant);
}  // namespace npu::cli
