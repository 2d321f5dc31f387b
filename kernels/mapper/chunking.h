#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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

/// A scratchpad buffer as a mapping decides it. What is absent is free.
struct BufferDecision {
  std::string name;  ///< "x", "w", "y", "params", "bounce", …
  std::optional<std::int64_t> address = {}, slot_bytes = {};
  std::optional<int> slots = {};
};
/// The decision on the buffer of that name, or nullptr.
[[nodiscard]] const BufferDecision* find_decision(const std::vector<BufferDecision>& decisions,
                                                  std::string_view name);
/// Takes over the slots and slot bytes that are decided. False where the decided slots are smaller
/// than what the buffer needs.
[[nodiscard]] bool decide(Buffer& buffer, const std::vector<BufferDecision>& decisions);
/// @throws MappingError naming the buffer whose decided slots are smaller than what it needs.
[[noreturn]] void fail_small_slots(const std::vector<Buffer>& needed,
                                   const std::vector<BufferDecision>& decisions,
                                   const std::string& layer);
[[nodiscard]] std::string largest_buffer(const std::vector<Buffer>& buffers);
[[nodiscard]] std::int64_t total_bytes(const std::vector<Buffer>& buffers);

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

/// What is decided of a chunk; what is absent is free.
struct ChunkDecision {
  std::optional<std::size_t> level;
  std::optional<std::int64_t> units;
  std::vector<BufferDecision> buffers;
};

/// The outermost level at which a chunk fits, cut into at least four chunks where more than
/// kMinChunkBytes remain in each; decided fields are taken as they are.
/// @throws MappingError naming the buffers, bytes needed and bytes there, or what the layer does
/// not have.
[[nodiscard]] ChunkPlan choose_chunks(const ChunkProblem& problem, std::int64_t scratchpad_bytes,
                                      const std::string& layer, const ChunkDecision& decided = {});

inline constexpr std::int64_t kMinChunkBytes = 4096;
inline constexpr std::int64_t kMaxChunkUnits =
    1 << 16;  ///< Fits every iteration field of the instructions.

}  // namespace npu::mapper
