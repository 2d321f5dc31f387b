#pragma once

#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "sim/validation/suite.h"

namespace npu::validation {

/// The data of a page of kind "validation": per suite its figures as the text table has them, and
/// its rows with reference, predicted and error = (predicted − reference) / reference. A failed row
/// has no prediction and no error but `failure`.
[[nodiscard]] nlohmann::json page_data(const std::vector<SuiteResult>& results);

}  // namespace npu::validation
