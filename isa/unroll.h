#pragma once

#include <cstdint>
#include <vector>

#include "isa/instructions.h"
#include "isa/program.h"

namespace npu::isa {

/// The most dynamic engine instructions that a program may have.
inline constexpr std::int64_t kMaxDynamicInstructions = std::int64_t{1} << 26;

/// Steps through a program as the sequencer does: loops unrolled, patches applied.
class Unroller {
 public:
  /// Checks everything up to the first halt once; next() cannot fail. `code` must outlive the
  /// unroller.
  /// @throws Error naming the instruction: loop body beyond the code, nested loops that overlap
  /// their parent's end, count or length 0, a patch slot outside the body or an operand the slot
  /// does not have, a patch of a control instruction, a patched operand out of its field, tokens on
  /// a control instruction, halt inside a loop, code without halt, more than
  /// kMaxDynamicInstructions.
  explicit Unroller(const std::vector<Instruction>& code);

  /// The next engine instruction in dynamic order; false after halt.
  [[nodiscard]] bool next(Instruction& instruction, std::int32_t& static_index);

  /// How many instructions next() yields from the start to halt.
  [[nodiscard]] std::int64_t dynamic_count() const { return dynamic_count_; }

 private:
  struct Frame {
    std::size_t begin, end;  ///< Body.
    std::int64_t iteration, count;
    std::size_t loop;  ///< Index of the loop word.
  };
  /// In iteration i of the frame at `depth` the value at `slot` grows by i·step.
  struct Patch {
    std::uint32_t depth, slot;
    std::int64_t step;
  };
  void open_loop(std::size_t index, std::vector<Frame>& open) const;
  void collect_patches(std::size_t index, const std::vector<Frame>& open);

  const std::vector<Instruction>& code_;
  std::size_t pc_ = 0;
  std::vector<Frame> frames_;
  std::vector<Patch> patches_;  ///< Grouped by instruction …
  std::vector<std::uint32_t>
      patches_at_;  ///< … those of instruction i from patches_at_[i] to patches_at_[i + 1].
  std::int64_t dynamic_count_ = 0;
};

}  // namespace npu::isa
