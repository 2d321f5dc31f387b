#pragma once

#include <map>
#include <string>

#include "sim/report/report.h"

namespace npu::report {

// The files of a report as text. Nothing in them depends on the wall clock, the machine or absolute
// paths: the same run gives the same bytes. Units stand in the names. Infinite figures (SQNR of
// equal tensors) are null in JSON and "inf" in text and CSV.

/// The report on a terminal: layers, totals, accuracy, energy by class of its sources.
[[nodiscard]] std::string text_report(const Report& report);

/// summary.json: totals, units with their cycle buckets, energy by component and class, accuracy.
[[nodiscard]] std::string summary_json(const Report& report);

/// layers.csv: one line per layer of the last inference.
[[nodiscard]] std::string layers_csv(const Report& report);

/// energy.csv: the ledger, component,event,count,energy_per_event_pj,energy_pj,class,source.
[[nodiscard]] std::string energy_csv(const Report& report);

/// trace.json: Chrome trace format for Perfetto, times in microseconds. One thread per track of the
/// recorder, a counter of each component's power [W] and of each track's occupation [%] per window
/// of the power trace. Covers the last inference; it starts at its own time in the run.
[[nodiscard]] std::string trace_json(const Report& report);

/// report.txt, summary.json, layers.csv, energy.csv and trace.json.
[[nodiscard]] std::map<std::string, std::string> report_files(const Report& report);

}  // namespace npu::report
