#pragma once

#include <string>
#include <vector>

#include "sim/stats/critical_path.h"

namespace npu::report {

/// The critical path of a run with the names that its steps refer to by number.
struct NamedPath {
  CriticalPath path;
  std::vector<std::string> layers;
  std::vector<std::string> mnemonics;  ///< Per static instruction.
};

/// critical_path.csv: one line per step of the path, from begin to end:
/// begin_cycle,end_cycle,unit,layer,instruction,mnemonic,handover, then one column per cause.
[[nodiscard]] std::string critical_path_csv(const NamedPath& named);

/// Reads it back. @throws Error `file:line: …` for anything that critical_path_csv does not write:
/// unknown names, gaps or overlaps between steps, causes that do not sum to their step.
/// @param layers  names in the order of the program; a path names only those it crosses.
[[nodiscard]] NamedPath read_critical_path(const std::string& content, const std::string& file,
                                           const std::vector<std::string>& layers);

/// Cycles of the path by unit and cause, and by layer; most cycles first.
struct PathShare {
  std::string unit;
  Cause cause = Cause::kBusy;
  std::uint64_t cycles = 0;
};
struct LayerPathShare {
  std::string layer;  ///< "" for what belongs to no layer.
  std::uint64_t cycles = 0;
  std::vector<PathShare> shares;
};
struct PathSummary {
  std::uint64_t total_cycles = 0;
  std::vector<PathShare> shares;                          ///< Sum to total_cycles.
  std::vector<LayerPathShare> layers;                     ///< In program order; sum to it, too.
  std::array<std::uint64_t, kHandoverCount> handovers{};  ///< Steps by how they got their go.
};
[[nodiscard]] PathSummary summarize(const NamedPath& named);

/// The section "where the time went" of a text report.
[[nodiscard]] std::string path_text(const PathSummary& summary);

}  // namespace npu::report
