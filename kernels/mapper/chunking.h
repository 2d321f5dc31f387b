#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace npu::mapper {

/// A scratchpad buffer of a layer: `slots` slots of slot_bytes from `address`, used in turn.
struct Buffer {
  std::string name;
  std::int64_t slot_bytes = 0;
  int slots = 1;
  std::int64_t address = -1;

  [[nodiscard]] std::int64_t bytes() const { return slot_bytes * slots; }
};

/// One way to cut a layer into chunks: along a dimension of `units`, everything inside it whole,
/// `outer` repetitions.
struct ChunkLevel {
  std::int64_t units = 1;
  std::int64_t outer = 1;
  std::vector<std::int64_t> bytes_per_unit;  ///< One per streamed buffer: a slot has bytes_fixed +
                                             ///< units · bytes_per_unit.
  std::vector<std::int64_t> bytes_fixed;
  std::vector<int> slots = {};  ///< Most slots of each streamed buffer; empty: two.
};

/// A layer that is cut along one dimension. Levels go from the outermost dimension inwards.
struct ChunkProblem {
  std::vector<std::string> streamed;  ///< Buffers whose size follows the chunk.
  std::vector<ChunkLevel> levels;
  std::vector<Buffer> fixed;  ///< Tables and parameters.
};

struct ChunkPlan {
  std::size_t level = 0;
  std::int64_t units = 1;  ///< Per chunk.
  std::vector<Buffer> buffers;
};

/// The outermost level at which a chunk fits, cut into at least four chunks where more than
/// kMinChunkBytes remain in each.
/// @throws Error naming the buffers, bytes needed and bytes there.
[[nodiscard]] ChunkPlan choose_chunks(const ChunkProblem& problem, std::int64_t scratchpad_bytes,
                                      const std::string& layer);

inline constexpr std::int64_t kMinChunkBytes = 4096;
inline constexpr std::int64_t kMaxChunkUnits =
    1 << 16;  ///< Fits every iteration field of the instructions.

}  // namespace npu::mapper
