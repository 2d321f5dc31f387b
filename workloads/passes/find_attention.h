#pragma once

#include <string>
#include <vector>

#include "workloads/graph/graph.h"

namespace npu::passes {

/// Replaces attention that float networks have step by step by ATTENTION:
///
///     MATMUL q·kᵀ [→ · scale] [→ + mask, select] → SOFTMAX → MATMUL ·v
///
/// with changes of shape and conversions between float types in between (attention_chain.h,
/// attention_mask.h). k may be made by a TRANSPOSE for a product without transpose_b, q and k may
/// be scaled before it, and k and v may be copies of fewer heads' (MAP add of zeros that
/// broadcast). Results differ by roundings only: scores are float32 and multiplied by one scale,
/// the product of all factors. Left alone: whatever is not float32, float16 or bfloat16, has a bias
/// or an activation, a tensor on the way that something else reads or that is an output, q and k
/// whose batches broadcast in a way that grouped heads do not have.
///
/// Tensor ids stay; new tensors come last; nodes that nothing reads any more go.
/// @return one line per find, "MATMUL #3 … MATMUL #8 are ATTENTION".
std::vector<std::string> find_attention(graph::Graph& graph);

}  // namespace npu::passes
