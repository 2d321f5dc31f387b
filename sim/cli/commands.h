#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace npu::cli {

/// What the chosen subcommand does; its result is the exit code.
using Action = std::function<int()>;

// Each adds one subcommand, which sets `action` when it is chosen.
void add_run(CLI::App& app, Action& action);
void add_describe(CLI::App& app, Action& action);
void add_ops(CLI::App& app, Action& action);
void add_models(CLI::App& app, Action& action);
void add_map(CLI::App& app, Action& action);
void add_compile(CLI::App& app, Action& action);
void add_disasm(CLI::App& app, Action& action);
void add_asm(CLI::App& app, Action& action);
void add_conformance(CLI::App& app, Action& action);
void add_validate(CLI::App& app, Action& action);
void add_explain(CLI::App& app, Action& action);
void add_calibrate(CLI::App& app, Action& action);
void add_generate(CLI::App& app, Action& action);
void add_diff(CLI::App& app, Action& action);
void add_import(CLI::App& app, Action& action);
void add_sweep(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);

/// Exit codes of npusim.
inline constexpr int kSuccess = 0;
inline constexpr int kUserError = 2;       ///< The user's input is at fault.
inline constexpr int kRunFault = 3;        ///< Hazard, deadlock or mismatch with the reference.
inline constexpr int kInternalError = 70;  ///< A bug of npusim.

}  // namespace npu::cli
