#pragma once

#include <string>

#include "sim/config/npu_config.h"

namespace npu {

/// Reads and checks a DRAM device file, as `dram.device` names one.
/// @throws Error `file:line:column: key: what, got value`.
[[nodiscard]] DramConfig load_dram_device(const std::string& path);

}  // namespace npu
