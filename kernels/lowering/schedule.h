#pragma once

#include <vector>

#include "kernels/lowering/emitter.h"

namespace npu::kernels {

/// Steps become one sequence: loads are moved ahead of up to kLookahead earlier steps as long as
/// they touch nothing that those steps touch. The sequence, executed one instruction after the
/// other, computes the network.
[[nodiscard]] std::vector<Item> schedule(std::vector<Step> steps);
inline constexpr std::size_t kLookahead = 4;

/// Turns the sequential order into tokens: wherever an instruction depends on one of another engine
/// (read after write, write after read, write after write, on bounding intervals), the latter
/// signals and the former waits, unless an order already follows from earlier tokens and queue
/// order.
void insert_tokens(std::vector<Item>& items);

}  // namespace npu::kernels
