#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/importers/network_description.h"

namespace npu::importers {

/// A SCALE-Sim topology: layers that know nothing of each other, each with an input and an output
/// of its own. A table (.csv) whose first line names the columns, in any order and case; lines may
/// end in a comma.
/// - Convolutions: Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels,
///   Num Filter, Strides (or Stride height and Stride width). The input counts with its padding.
///   Outputs are ceil((in − filter + stride) / stride): where that asks for more than there is,
///   zeros are added below and to the right. A layer with `DP` in its name is depth-wise.
/// - Products: Layer, M, N, K, and Batch if there is one: as many products of that shape.
/// Columns of other names have no meaning here and get a note each.
/// Source: SCALE-Sim v2 and v3, scalesim/topology_utils.py.
struct ScaleSimNetwork {
  DescribedNetwork network;
  std::vector<std::string> notes;  ///< One per column without meaning.
};

/// @param options  parameters must be empty.
/// @throws Error `file:line: column: what, got value`.
[[nodiscard]] ScaleSimNetwork load_scalesim(const std::string& path,
                                            const DescriptionOptions& options);
/// The same from memory.
[[nodiscard]] ScaleSimNetwork parse_scalesim(std::string_view text, const std::string& file,
                                             const DescriptionOptions& options);

}  // namespace npu::importers
