#pragma once

#include <cstdint>
#include <vector>

#include "kernels/mapper/iteration.h"
#include "kernels/mapper/memory_plan.h"
#include "kernels/mapper/window_tiling.h"

namespace npu::mapper {

/// The matrix products of a MATMUL: a[m,k] · b[k,n], one per index of `lead` (outermost first,
/// neighbours with the same broadcasting merged). Products that share b and follow each other in a
/// are one product with more rows.
struct Products {
  std::int64_t m = 1, n = 1, k = 1;
  std::vector<BroadcastDim> lead;

  [[nodiscard]] std::int64_t count() const;
  /// Products of the innermost dimension: those that may share a step.
  [[nodiscard]] std::int64_t inner() const { return lead.empty() ? 1 : lead.back().size; }
};
[[nodiscard]] Products products_of(const graph::Graph& graph, const graph::Node& node);

/// True for a MATMUL whose b is one constant matrix: it is laid out like the weights of
/// FULLY_CONNECTED.
[[nodiscard]] bool has_packed_weights(const graph::Graph& graph, const graph::Node& node);

/// A MATMUL of two activations as a window problem of count() images.
[[nodiscard]] WindowProblem products_problem(const graph::Graph& graph, const graph::Node& node,
                                             const Storages& storages, const Products& products);

/// Its tile. Where one tile is a whole product, as many products per step as fit, in at least four
/// steps while they move kMinChunkBytes or more.
/// @throws Error as choose_window_tile().
[[nodiscard]] WindowTile choose_products_tile(const WindowProblem& problem,
                                              const Products& products, const NpuConfig& config,
                                              std::int64_t scratchpad_bytes,
                                              const std::string& layer,
                                              const WindowDecision& decided = {});

/// Bytes of the parameters of all columns: one buffer of a MATMUL of activations.
[[nodiscard]] std::int64_t products_params_bytes(const WindowProblem& problem);

}  // namespace npu::mapper
