#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "kernels/lowering/compile.h"
#include "kernels/mapper/decisions.h"
#include "kernels/search/window_search.h"
#include "sim/config/npu_config.h"

namespace npu::search {

struct LayerSearchOptions {
  Objective objective = Objective::kLatency;
  std::int64_t budget = 4000;
  std::size_t keep = 4;
  std::uint64_t seed = 1;
};

/// Mappings of a layer that are worth simulating, best prediction first.
struct LayerCandidates {
  std::vector<mapper::LayerDecision> decisions;
  std::int64_t evaluated = 0;
  double space = 0;
  bool complete = false;
};

/// Searches one layer of a mapped network, its residents and its free area as they are. `fixed` is
/// what the user decided of it, or nullptr; with addresses of buffers the layer stays as it is.
/// Windows: search_window(). Fused attention: heads × rows × keys, by the predicted cycles. Chunked
/// layers: levels, units and passes of softmax, which have no prediction: spread over the space.
/// Others: nothing.
[[nodiscard]] LayerCandidates search_layer(const kernels::MappedNetwork& network,
                                           const NpuConfig& config, std::size_t layer,
                                           const mapper::LayerDecision* fixed,
                                           const LayerSearchOptions& options);

/// What is decided of a layer, in a line.
[[nodiscard]] std::string readable(const mapper::LayerDecision& decision);

/// Candidates on their way out of a process; what `fixed` decides does not travel. @{
[[nodiscard]] std::string to_text(const LayerCandidates& candidates);
[[nodiscard]] LayerCandidates candidates_from_text(const std::string& text,
                                                   const mapper::LayerPlan& plan,
                                                   const mapper::LayerDecision* fixed);  ///< @}

/// The network with another mapping of one layer. @throws MappingError if it is none.
void replace_layer(kernels::MappedNetwork& network, const NpuConfig& config, std::size_t layer,
                   const mapper::LayerDecision& decision);

}  // namespace npu::search
