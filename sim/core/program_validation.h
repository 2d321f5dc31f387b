#pragma once

#include <cstdint>

#include "isa/program.h"
#include "sim/config/npu_config.h"

namespace npu {

/// Elementary steps (multiply-accumulates, elements times taps) of one compute instruction, and
/// bytes of one DMA instruction: no real tile comes near, and more would run for hours.
inline constexpr double kMaxComputeSteps = 68719476736.0;  // 2^36
inline constexpr double kMaxDmaBytes = 268435456.0;        // 2^28: the largest scratchpad
/// Steps and bytes of all dynamic instructions together; keeps the time in SystemC's 64 bits.
inline constexpr double kMaxProgramSteps = 281474976710656.0;  // 2^48

struct ValidationScope {
  bool timing_only = false;  ///< Image segments need no bytes.
  bool check_bounds = true;  ///< Operands inside their memories; false where check_program does it.
};

/// Whether the machine of `config` can run `program` at all, before anything of it is built: layer
/// indices, memory layout (check_layout), image bytes, loops (isa::Unroller), and of every dynamic
/// instruction its operands (operand_fault), its size and its memory bounds.
/// @throws Error naming the record or the instruction.
void validate_program(const isa::Program& program, const NpuConfig& config,
                      const ValidationScope& scope);

}  // namespace npu
