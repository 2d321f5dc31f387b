#pragma once

#include <optional>
#include <string>

#include "kernels/mapper/decisions.h"
#include "kernels/mapper/mapping.h"
#include "kernels/mapper/mapping_error.h"

namespace npu::mapper {

/// One change of a mapping that makes a fault go away.
struct Repair {
  std::string text;     ///< "tile.out_h 14 -> 13".
  Decisions decisions;  ///< With the change.
  bool legal = false;   ///< Nothing else is at fault; else the next fault is of a later layer.
};

/// The smallest single change of `decisions` after which map_network() accepts the mapping, or
/// finds its next fault in a later layer: each candidate is mapped. Of sizes, slots and addresses
/// the one with the least ratio of old and new value; where no value of one key does, a key, a
/// tensor's place or the layer's decisions left out. Nullopt: no single change does.
[[nodiscard]] std::optional<Repair> smallest_repair(const graph::Graph& graph,
                                                    const NpuConfig& config,
                                                    const Partition& partition,
                                                    const Decisions& decisions, const Fault& fault);

}  // namespace npu::mapper
