#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/lowering/compile.h"
#include "sim/cli/comparison.h"
#include "sim/cli/model_options.h"

namespace npu::cli {

/// `npusim run`, as the command line gives it.
struct RunOptions {
  std::string npu, program;
  ModelOptions model;
  std::vector<std::string> inputs;
  std::string out, save_outputs, save_tensors, labels;
  std::vector<std::string> calibrate;  ///< Files of samples.
  std::string calibration;             ///< Empty: minmax.
  std::optional<std::int64_t> samples;
  bool timing_only = false;
  bool simulate_all = false;  ///< Repeated layers too, in a timing-only run.
  bool profile = false;
  References references = References::kAll;
  kernels::AttentionVariant attention = kernels::AttentionVariant::kAuto;
};

/// Compiles or loads, simulates, compares, prints the report and writes the files.
/// @return the exit code. @throws Error, RunFault.
int run(const RunOptions& options);

}  // namespace npu::cli
