#include "tests/golden/arithmetic_patch.h"

#include <cstring>

#include "sim/base/error.h"

namespace npu::test {
namespace {

using isa::Opcode;
using isa::Opd;

/// Words of vec.add's, vec.sub's and vec.mul's parameter block.
constexpr std::size_t kBinaryWords = 12, kBinaryClampMin = 10, kBinaryClampMax = 11;

std::int32_t word(const isa::ImageSegment& segment, std::size_t index) {
  std::int32_t value = 0;
  std::memcpy(&value, segment.bytes.data() + index * 4, 4);
  return value;
}

void set_word(isa::ImageSegment& segment, std::size_t index, std::int32_t value) {
  std::memcpy(segment.bytes.data() + index * 4, &value, 4);
}

bool is_binary(Opcode opcode) {
  return opcode == Opcode::kAdd || opcode == Opcode::kSub || opcode == Opcode::kMul;
}

}  // namespace

void ArithmeticPatch::apply(isa::Program& program) const {
  replace_multipliers(program);
  replace_clamps(program);
}

void ArithmeticPatch::replace_multipliers(isa::Program& program) const {
  std::map<std::pair<std::int32_t, std::int32_t>, int> found;
  for (isa::ImageSegment& segment : program.image) {
    for (std::size_t i = 0; i + 1 < segment.bytes.size() / 4; ++i) {
      const auto at = multipliers_.find({word(segment, i), word(segment, i + 1)});
      if (at == multipliers_.end()) continue;
      ++found[at->first];
      set_word(segment, i, at->second.to.multiplier);
      set_word(segment, i + 1, at->second.to.shift);
      ++i;
    }
  }
  for (const auto& [marker, change] : multipliers_) {
    if (found[marker] != change.times) {
      fail("multiplier {}, shift {}: found {} times, not {}", marker.first, marker.second,
           found[marker], change.times);
    }
  }
}

void ArithmeticPatch::replace_clamps(isa::Program& program) const {
  if (!clamp_ && !out_zero_) return;
  int changed = 0;
  bool binary = false;
  for (isa::Instruction& i : program.code) {
    binary = binary || is_binary(i.opcode);
    const bool requantizes = i.opcode == Opcode::kRequantize;
    if (requantizes && out_zero_) i.set(Opd::kOutZero, *out_zero_);
    if (!requantizes && i.opcode != Opcode::kMaxPool && i.opcode != Opcode::kAvgPool) continue;
    ++changed;
    if (!clamp_) continue;
    i.set(Opd::kClampMin, clamp_->low);
    i.set(Opd::kClampMax, clamp_->high);
  }
  for (isa::ImageSegment& segment : program.image) {
    if (!binary || !clamp_ || !segment.name.starts_with("parameters ")) continue;
    if (segment.bytes.size() != kBinaryWords * 4) fail("{}: not twelve words", segment.name);
    ++changed;
    set_word(segment, kBinaryClampMin, clamp_->low);
    set_word(segment, kBinaryClampMax, clamp_->high);
  }
  if (changed == 0) fail("no instruction or parameter block has a clamp");
}

}  // namespace npu::test
