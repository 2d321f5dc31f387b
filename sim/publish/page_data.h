#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "sim/publish/run_folder.h"

namespace npu::publish {

/// The data of a page (sim/report/page.h) about one run (kind "run": sections with charts and
/// tables), or about several (kind "runs": figures side by side, and the sections of each).
///
/// The timelines of all runs together have at most 24,000 bars, the more runs the fewer each.
[[nodiscard]] nlohmann::json page_data(const std::vector<RunFolder>& runs);

/// What the page about these runs is called.
[[nodiscard]] std::string page_title(const std::vector<RunFolder>& runs);

}  // namespace npu::publish
