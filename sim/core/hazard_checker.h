#pragma once

#include "isa/program.h"
#include "sim/config/npu_config.h"

namespace npu {

/// Bounds, hazards and unwritten reads of a program, from its tokens alone (happens-before, no timing).
///
/// Two instructions of different engines are ordered if a chain of queue order and matched tokens (k-th signal of A to B
/// with B's k-th wait on A) leads from one to the other. Every byte read must have been written by the image, an input or
/// variable tensor, or an earlier instruction. Instructions that no token lets start are left to the run's deadlock diagnosis.
/// @throws Error: an operand out of its memory. @throws RunFault: hazard (both instructions, byte range, memory) or unwritten read.
void check_program(const isa::Program& program, const NpuConfig& config);

}  // namespace npu
