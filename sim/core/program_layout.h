#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "isa/program.h"
#include "sim/config/npu_config.h"

namespace npu {

/// What a program brings to a machine's DRAM that it may only read: its code and its image,
/// ascending.
struct ConstantRange {
  std::int64_t low = 0, high = 0;
  std::string name;
};

/// Checks where a program puts its code, image and tensors.
/// @throws Error: DRAM in use beyond the device; code, image or a tensor outside its memory; code
/// or image segments that overlap; a tensor over code or image (except one that holds a constant:
/// not an input or variable, and ready before the start); two inputs or variables that overlap.
/// Other tensors may share memory over time.
[[nodiscard]] std::vector<ConstantRange> check_layout(const isa::Program& program,
                                                      const NpuConfig& config);

/// "scratchpad", "accumulator" or "DRAM".
[[nodiscard]] std::string_view memory_name(isa::Memory memory);

}  // namespace npu
