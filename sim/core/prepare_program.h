#pragma once

#include "isa/program.h"
#include "sim/config/npu_config.h"
#include "sim/core/machine.h"

namespace npu {

/// Everything that can be said about a program before it is in the machine; fills in `layer_of`
/// where it is empty.
/// @throws Error, RunFault as Machine::Machine.
[[nodiscard]] isa::Program prepare_program(isa::Program program, const NpuConfig& config,
                                           const MachineOptions& options);

}  // namespace npu
