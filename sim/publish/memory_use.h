#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "sim/publish/trace_reader.h"

namespace npu::publish {

/// Bytes that the mapping keeps for one thing.
struct Allocation {
  std::string kind;   ///< "tensors", or a layer's buffer: "x", "w", "y", "params", "sums", …
  std::string label;  ///< "tensors 34, 35", "w of CONV_2D #3".
  std::uint64_t begin = 0, end = 0;  ///< In cycles.
  std::uint64_t address = 0, bytes = 0;
};

/// What is taken of one on-chip memory, over time.
struct MemoryUse {
  std::string memory;                             ///< "scratchpad", "accumulator".
  std::vector<Allocation> allocations;            ///< By begin.
  std::vector<std::string> kinds;                 ///< Of which at most 12.
  std::vector<std::uint64_t> times;               ///< The last one is the end.
  std::vector<std::vector<std::uint64_t>> bytes;  ///< Per kind, one less than times.
  std::uint64_t peak_bytes = 0;
};

/// Occupancy of the on-chip memories, from mapping.yaml and the trace:
/// - a layer's buffers are taken from the first to the last cycle in which an instruction of the
///   layer occupies an engine; its accumulators from the first one on the array or vector unit;
/// - a tensor that stays in the scratchpad is taken from the first cycle of its producer on the
///   array or vector unit (on any engine where it uses neither) to the last cycle of its last
///   consumer.
/// Bytes that several of them claim at a time count once, for the latest. Layers that were not
/// simulated (repeats) have no time and are left out.
///
/// Not seen: which of the bytes are written already; DRAM.
/// @throws Error `file:line:column: key: …`; `file: more than …` for a mapping beyond all bounds.
[[nodiscard]] std::vector<MemoryUse> read_memory_use(std::string_view mapping_yaml,
                                                     const std::string& file, const Trace& trace);

}  // namespace npu::publish
