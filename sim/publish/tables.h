#pragma once

#include <string>
#include <vector>

#include "sim/publish/run_folder.h"

namespace npu::publish {

/// The report as Markdown: figures of all runs side by side, then of each run layers, energy by
/// component and by class of source, accuracy, critical path, notes and provenance.
[[nodiscard]] std::string markdown(const std::vector<RunFolder>& runs);

/// layers.csv of all runs in one table, with the columns run, model and config before it. Energy by
/// component is left out: components differ between configurations.
[[nodiscard]] std::string csv(const std::vector<RunFolder>& runs);

}  // namespace npu::publish
