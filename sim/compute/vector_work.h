#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "isa/instructions.h"
#include "sim/compute/mac_operation.h"
#include "sim/timing/vector_timing.h"

namespace npu::compute {

/// Bytes that an instruction moves between the vector unit and one memory.
struct Stream {
  const char* operand = "";
  isa::Memory memory = isa::Memory::kScratchpad;
  bool is_write = false;
  Extent extent;
  std::int64_t bytes = 0;
};

/// What a vec.* instruction does, without its arithmetic. Depends on operands only, never on data.
///
/// Parameters and tables are read once per instruction. Pooling reads each window's valid taps;
/// softmax reads its rows three times (maximum, sum, result). An interpolation takes two steps of
/// the lookup's rate, one per table entry.
struct VectorWork {
  timing::VectorClass kind = timing::VectorClass::kElementwise;
  std::int64_t elements = 0, steps = 1;
  bool is_float = false;  ///< Computed in float32.
  std::array<Stream, 5> streams;
  std::size_t stream_count = 0;
};

/// @throws RunFault naming the instruction: a size of 0, an element type that the instruction does
/// not take, more than 2^40 steps.
[[nodiscard]] VectorWork describe_vector(const isa::Instruction& instruction, std::int32_t index);

}  // namespace npu::compute
