#pragma once

#include <map>
#include <string>

#include "isa/program.h"
#include "sim/config/npu_config.h"
#include "sim/report/report.h"

namespace npu::interchange {

/// COMPUTE_REPORT.csv, BANDWIDTH_REPORT.csv and DETAILED_ACCESS_REPORT.csv in the columns of
/// SCALE-Sim 3, of the last inference: one line per layer with multiply-accumulates, counted from
/// 0.
///
/// From the recorded spans (MachineOptions::trace): a layer's window reaches from the begin of the
/// array's first work for it to the end of its last; cycle 0 of its line is the begin. docs/
/// interchange.md says how each column is found. A layer that stands for several counts for all of
/// them; one of which tiles were left out must not be there.
[[nodiscard]] std::map<std::string, std::string> scalesim_reports(const report::Report& report,
                                                                  const isa::Program& program,
                                                                  const NpuConfig& config);

}  // namespace npu::interchange
