#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "kernels/lowering/compile.h"
#include "kernels/mapper/decisions.h"

namespace npu::search {

/// A change of where intermediates lie.
struct Move {
  std::string what;  ///< "tensor 12 resident", "chains of at most 2".
  std::vector<mapper::TensorDecision> tensors;
};

/// Changes of residency that are worth trying, those that move most bytes first: intermediates in
/// DRAM into the scratchpad, residents to DRAM, and chains of residents cut after 1, 2 and 4
/// tensors (how many layers are fused at most). Storages that `fixed` decides stay.
[[nodiscard]] std::vector<Move> residency_moves(const kernels::MappedNetwork& network,
                                                const mapper::Decisions* fixed, std::size_t most);

/// Layers whose residents or free area differ.
[[nodiscard]] std::vector<bool> changed_layers(const kernels::MappedNetwork& a,
                                               const kernels::MappedNetwork& b,
                                               const NpuConfig& config);

}  // namespace npu::search
