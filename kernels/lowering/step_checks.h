#pragma once

#include <vector>

#include "kernels/lowering/emitter.h"
#include "kernels/lowering/repeats.h"
#include "kernels/mapper/mapping.h"

namespace npu::kernels {

/// Proves of the instructions of a mapping, by what they do and not by the formulas that made them:
/// - each access to the scratchpad stays in one slot of a buffer of its layer, or in a tensor that
///   is resident there;
/// - a sum takes every product of its layer once: the products that an output position was given
///   when it is read are as many as the layer has, no two of the same block of weights and inputs;
/// - the layers of the MAC array write every byte of their output once, the others all of them.
/// @throws MappingError naming layer, memory, buffer or tensor.
void check_steps(const graph::Graph& graph, const mapper::Mapping& mapping,
                 const RepeatPlan& repeats, const std::vector<Step>& steps);

}  // namespace npu::kernels
