#pragma once

#include "isa/program.h"
#include "sim/config/npu_config.h"

namespace npu {

/// Bounds, hazards and unwritten reads of a program, from its tokens alone (happens-before, no
/// timing).
///
/// Two instructions of different engines are ordered if a chain of queue order and matched tokens
/// (k-th signal of A to B with B's k-th wait on A) leads from one to the other. Every byte read
/// must have been written by the image, an input or variable tensor, or an earlier instruction;
/// code and image may not be overwritten; output tensors in DRAM must end up written whole (both
/// not where parts of layers are left out: their instructions would have written). Instructions
/// that no token lets start are left to the run's deadlock diagnosis. One engine is in order,
/// mac.load_weights beside the tile before it included. Not checked: reads and writes of one and
/// the same instruction that overlap.
/// @throws Error: layout (check_layout), operands (operand_fault), an operand out of its memory,
/// more than 65535 tokens from one engine to another that nothing takes. @throws RunFault: hazard
/// (both instructions, byte range, memory), unwritten read, overwritten constant, unwritten output.
void check_program(const isa::Program& program, const NpuConfig& config);

}  // namespace npu
