#pragma once

#include "isa/program.h"
#include "sim/config/npu_config.h"
#include "sim/report/report.h"
#include "sim/stats/run_stats.h"

namespace npu::session {

/// The report of a run, without accuracy, host operators and notes.
/// @param no_layer_before  events without layer before the last inference: what came since is the
/// last inference's.
[[nodiscard]] report::Report build_report(const NpuConfig& config, const isa::Program& program,
                                          RunStats stats, const EventCounts& no_layer_before);

}  // namespace npu::session
