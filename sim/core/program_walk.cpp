#include "sim/core/program_walk.h"

namespace npu {

void ProgramWalk::advance() {
  const isa::Instruction& word = code_[pc_++];
  if (word.opcode == isa::Opcode::kLoop) {
    const auto length = static_cast<std::size_t>(word[isa::Opd::kLength]);
    frames_.push_back({pc_, pc_ + length, word[isa::Opd::kCount] - 1});
    return;
  }
  while (!frames_.empty() && frames_.back().end == pc_) {
    Frame& frame = frames_.back();
    if (frame.left > 0) {
      --frame.left;
      pc_ = frame.begin;
      return;
    }
    frames_.pop_back();
  }
}

std::size_t ProgramWalk::keep_from(std::size_t capacity) const {
  for (const Frame& frame : frames_) {
    if (frame.end - frame.begin <= capacity) return frame.begin;
  }
  return pc_;
}

}  // namespace npu
