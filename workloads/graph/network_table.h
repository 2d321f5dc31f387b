#pragma once

#include <cstdint>
#include <string>

#include "sim/base/csv.h"
#include "workloads/graph/graph.h"

namespace npu::graph {

/// A network of known shapes as a table, one operator per row (values: see NetworkBuilder).
///
/// Columns:
/// - `layer`: a name;
/// - `op`: input, conv, depthwise, fully_connected, max_pool, average_pool, mean (over H and W),
///   add, mul, concatenation (of channels), softmax, leaky_relu, logistic, tanh;
/// - `from`: the layers that it reads, separated by blanks; empty: the row above;
/// - `channels`: out of conv and fully_connected, or of an input without a plane; empty otherwise;
/// - `size`: kernel of conv, depthwise and pooling, or plane and channels of an input; `3`, `1x48`,
///   `224x224x3` (rows first);
/// - `stride`: `2` or `1x2`; empty: 1;
/// - `pad`: `same` (output = ceil(input / stride), the odd one below and to the right), or rows and
///   columns of zeros on every side; empty: 0;
/// - `activation`: relu, relu6 or empty.
/// Further columns: `groups` of conv (optional, empty: 1).
///
/// The last row is the network's output.
/// @param batch  images (rows of fully connected layers).
/// @throws Error `file:line: …`.
[[nodiscard]] Graph network_from_table(const CsvTable& table, const std::string& name,
                                       std::int64_t batch);
[[nodiscard]] Graph load_network_table(const std::string& path, std::int64_t batch);

}  // namespace npu::graph
