#pragma once

#include <optional>
#include <string>

#include "isa/instructions.h"
#include "sim/config/npu_config.h"

namespace npu {

/// What is wrong with an instruction's operands by themselves, nullopt if nothing is: a count,
/// kernel, stride, dilation or upsampling below 1; an element type that the instruction does not
/// take; an engine or DMA channel, its own or in a token mask, that the configuration does not
/// have; an accumulator address that is not aligned to the element; accumulator rows that overlap
/// (acc_pitch below their length); clamp_min above clamp_max. Addresses are not looked at.
[[nodiscard]] std::optional<std::string> operand_fault(const isa::Instruction& instruction,
                                                       const NpuConfig& config);

}  // namespace npu
