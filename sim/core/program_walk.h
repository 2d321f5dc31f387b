#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "isa/instructions.h"

namespace npu {

/// The program counter of the sequencer over all words, control words included: what is fetched and
/// decoded when, and how far back the open loops still reach. isa::Unroller walks the same way and
/// applies the patches; it also has checked the code.
class ProgramWalk {
 public:
  explicit ProgramWalk(const std::vector<isa::Instruction>& code) : code_(code) {}

  [[nodiscard]] std::size_t pc() const { return pc_; }
  /// From the word at pc() to the next one: into a loop, back to its begin, or on.
  void advance();
  /// The oldest word that a fetch buffer of `capacity` words keeps: the begin of the outermost open
  /// loop whose body fits the buffer; pc() where there is none.
  [[nodiscard]] std::size_t keep_from(std::size_t capacity) const;

 private:
  struct Frame {
    std::size_t begin, end;  ///< Body.
    std::int64_t left;       ///< Iterations after this one.
  };
  const std::vector<isa::Instruction>& code_;
  std::size_t pc_ = 0;
  std::vector<Frame> frames_;
};

}  // namespace npu
