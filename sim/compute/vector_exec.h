#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "isa/instructions.h"
#include "sim/base/fixed_point.h"

namespace npu::compute {

/// The memories and settings that the arithmetic of a vec.* instruction works on.
struct VectorContext {
  const isa::Instruction& in;
  std::int32_t index;  ///< For messages.
  Rounding rounding;
  std::byte* scratchpad;
  std::byte* accumulator;

  [[nodiscard]] std::int64_t get(isa::Opd opd) const { return in[opd]; }
};

/// Executes one vec.* instruction. Its streams must have been checked (describe_vector,
/// check_extent). A destination may be its source; where the two overlap otherwise, the result
/// depends on the block size.
/// @throws RunFault naming the instruction: an average over no valid tap, a left shift beyond 31.
void execute_vector(const isa::Instruction& instruction, std::int32_t index, Rounding rounding,
                    std::span<std::byte> scratchpad, std::span<std::byte> accumulator);

// One per file; reached through execute_vector.
void run_requantize(const VectorContext& context);
void run_rescale(const VectorContext& context);
void run_lut(const VectorContext& context);
void run_binary(const VectorContext& context);
void run_pool(const VectorContext& context);
void run_reduce_sum(const VectorContext& context);
void run_dot(const VectorContext& context);
void run_softmax(const VectorContext& context);
void run_interpolate(const VectorContext& context);
void run_softmax_table(const VectorContext& context);
void run_map(const VectorContext& context);
void run_reduce(const VectorContext& context);
void run_output(const VectorContext& context);
/// vec.max_pool and vec.avg_pool of floats; part of run_pool.
void run_float_pool(const VectorContext& context);

}  // namespace npu::compute
