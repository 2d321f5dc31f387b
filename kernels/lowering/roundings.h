#pragma once

#include <vector>

#include "kernels/lowering/compile.h"

namespace npu::kernels {

/// Writes into the provenance of a program in which order it rounds, as apply_roundings() reads it:
/// "output:key_block" of every ATTENTION, "output:block" of every softmax in two passes. That of an
/// unfused ATTENTION has the output of its ATTENTION.
void set_roundings(const graph::Graph& source, const MappedNetwork& network, isa::Program& program);

}  // namespace npu::kernels
