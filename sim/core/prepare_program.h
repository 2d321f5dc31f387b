#pragma once

#include <cstddef>
#include <vector>

#include "isa/program.h"
#include "sim/config/npu_config.h"
#include "sim/core/machine.h"

namespace npu {

/// Everything that can be said about a program before it is in the machine; fills in `layer_of`
/// where it is empty.
/// @throws Error, RunFault as Machine::Machine.
[[nodiscard]] isa::Program prepare_program(isa::Program program, const NpuConfig& config,
                                           const MachineOptions& options);

/// Tensors that are whole after instruction i, for each i.
[[nodiscard]] std::vector<std::vector<std::size_t>> ready_tensors(const isa::Program& program);

}  // namespace npu
