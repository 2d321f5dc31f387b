#pragma once

#include <nlohmann/json_fwd.hpp>

#include "sim/sweep/table.h"

namespace npu::sweep {

/// The data of the page's view `sweep`: every point with its parameters, metrics, binding
/// constraint and place on the Pareto front, and the sensitivities. Values that are numbers in the
/// sweep file are numbers.
[[nodiscard]] nlohmann::json page_data(const Table& table);

}  // namespace npu::sweep
