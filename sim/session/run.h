#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "kernels/lowering/compile.h"
#include "sim/config/npu_config.h"
#include "sim/report/report.h"
#include "sim/session/comparison.h"
#include "sim/session/model_options.h"
#include "sim/session/profile.h"
#include "sim/stats/activity_log.h"

namespace npu::session {

/// One run of a network or program on an NPU.
struct RunRequest {
  NpuConfig config;
  std::string program;  ///< File of a compiled program; empty: the model is compiled.
  ModelOptions model;   ///< Without a path: the program alone.
  std::vector<std::string> inputs;
  std::string labels;
  std::vector<std::string> calibrate;  ///< Files of samples.
  std::string calibration;             ///< Empty: minmax.
  std::optional<std::int64_t> samples;
  bool timing_only = false;
  bool simulate_all = false;  ///< Repeated layers too, in a timing-only run.
  References references = References::kAll;
  std::string mapping;  ///< File of a mapping, whole or in part; empty: the mapper chooses all.
  bool keeps_files = false;     ///< Traces are recorded and RunResult::files made.
  bool keeps_outputs = false;   ///< RunResult::outputs.
  bool keeps_tensors = false;   ///< RunResult::tensors.
  bool keeps_activity = false;  ///< RunResult::activity.
  /// RunResult::scalesim_reports; repeated layers are simulated each time.
  bool keeps_scalesim_reports = false;
};

/// Files by name.
using Files = std::map<std::string, std::string>;

struct RunResult {
  report::Report report;
  /// Where the NPU differs from the integer reference.
  std::optional<std::string> mismatch;
  Files files;    ///< Of the report's folder.
  Files outputs;  ///< output0.npy, …
  Files tensors;  ///< t000.npy, …: every tensor of the first sample.
  Files scalesim_reports;
  ActivityLog activity;  ///< Of the last inference, as it was simulated.
};

/// Who watches a run.
struct Observer {
  std::function<void(const std::string&)> show = [](const std::string&) {};  ///< What is going on.
  Profile* profile = nullptr;
};

/// Compiles or loads, simulates, compares. Once per process.
/// @throws Error for what the request gets wrong. @throws RunFault for a fault of the simulated
/// run.
[[nodiscard]] RunResult run(const RunRequest& request, const Observer& observer);

}  // namespace npu::session
