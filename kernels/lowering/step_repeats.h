#pragma once

#include <vector>

#include "kernels/lowering/emitter.h"
#include "kernels/lowering/repeats.h"
#include "kernels/mapper/mapping.h"

namespace npu::kernels {

/// Leaves out equal steps (tiles) that repeat inside of long layers, as find_repeats() leaves out
/// layers.
///
/// Steps are equal whose instructions are equal but for the DRAM burst that an address lies in and
/// for addresses in resident tensors: rows and banks that they begin in differ from tile to tile,
/// and the steady periods hold many. Only layers that move far more data than code are folded:
/// loops in the code, which are fetched once, would not be seen. A
/// layer of which steps are left out becomes several parts (isa::LayerRecord::continues), each with
/// repeats of its own, the first of them with the layer's own repeats and all of its
/// multiply-accumulates. `plan.kept` then has an entry per part, and its periods are those of
/// layers and of steps.
///
/// @param layers  of the program, one per entry of plan.kept; becomes one per part.
/// @param cycles  predicted, per layer of the mapping.
void fold_steps(const mapper::Mapping& mapping, const std::vector<double>& cycles,
                double steady_cycles, std::int64_t burst_bytes, std::vector<Step>& steps,
                std::vector<isa::LayerRecord>& layers, RepeatPlan& plan);

}  // namespace npu::kernels
