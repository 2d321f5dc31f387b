#pragma once

#include <cstdint>
#include <vector>

#include "isa/instructions.h"
#include "isa/program.h"

namespace npu::isa {

/// Steps through a program as the sequencer does: loops unrolled, patches applied.
class Unroller {
 public:
  /// @throws Error naming the instruction: loop body beyond the code, nested loops that overlap their parent's end, count or
  /// length 0, a patch slot outside the body or an operand the slot does not have, a patched operand out of its field,
  /// code without halt, more than 2^26 dynamic instructions.
  explicit Unroller(const std::vector<Instruction>& code);

  /// The next engine instruction in dynamic order; false after halt.
  [[nodiscard]] bool next(Instruction& instruction, std::int32_t& static_index);

 private:
  struct Frame {
    std::size_t begin, end;  ///< Body.
    std::int64_t iteration, count;
    std::size_t loop;  ///< Index of the loop word.
  };
  const std::vector<Instruction>& code_;
  std::size_t pc_ = 0;
  std::vector<Frame> frames_;
};

}  // namespace npu::isa
