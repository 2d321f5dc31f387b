#pragma once

#include <cstdint>
#include <string>

#include "sim/validation/suite.h"
#include "workloads/graph/graph.h"

namespace npu::validation {

/// A network that validation ships: configs/validation/networks/<name>.csv.
[[nodiscard]] graph::Graph shipped_network(const SuiteContext& context, const std::string& name,
                                           std::int64_t batch);

// Suites of published figures, one file each.
[[nodiscard]] Suite gemmini_suite();
[[nodiscard]] Suite ethos_cycles_suite();
[[nodiscard]] Suite ethos_traffic_suite();
[[nodiscard]] Suite tpu_v1_suite();
[[nodiscard]] Suite eyeriss_suite();
[[nodiscard]] Suite nvdla_performance_suite();

}  // namespace npu::validation
