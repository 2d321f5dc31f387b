#include "isa/unroll.h"

#include <algorithm>
#include <optional>

#include "isa/encoding.h"
#include "sim/base/error.h"

namespace npu::isa {
namespace {

constexpr std::size_t kPatches = 7;

Opd patch_opd(Opd first, std::size_t patch) {
  return static_cast<Opd>(static_cast<std::size_t>(first) + 3 * patch);
}

/// Position of `opd` among the row's fields.
std::optional<std::uint32_t> field_of(const InstrSpec& spec, std::int64_t opd) {
  for (std::size_t f = 0; f < spec.field_count; ++f) {
    if (static_cast<std::int64_t>(spec.fields[f].opd) == opd) return static_cast<std::uint32_t>(f);
  }
  return std::nullopt;
}

/// A magnitude that no field reaches and whose sums stay far from overflow.
constexpr std::int64_t kOutOfEveryField = std::int64_t{1} << 50;

std::int64_t growth(std::int64_t step, std::int64_t count) {
  if (count <= 1) return 0;
  const std::int64_t limit = kOutOfEveryField / (count - 1);
  return std::clamp(step, -limit - 1, limit + 1) * (count - 1);
}

}  // namespace

Unroller::Unroller(const std::vector<Instruction>& code) : code_(code) {
  std::vector<Frame> open;
  std::size_t pc = 0;
  for (;; ++pc) {
    while (!open.empty() && open.back().end == pc) open.pop_back();
    patches_at_.push_back(static_cast<std::uint32_t>(patches_.size()));
    if (pc >= code_.size()) fail("instruction {}: code ends without halt", pc);
    const Instruction& instruction = code_[pc];
    const InstrSpec& spec = spec_of(instruction.opcode);
    if (spec.unit == Unit::kControl && (instruction.wait != 0 || instruction.signal != 0)) {
      fail("instruction {}: {}: control instructions take and give no tokens", pc, spec.mnemonic);
    }
    if (instruction.opcode == Opcode::kHalt) {
      if (!open.empty()) {
        fail("instruction {}: halt inside the loop at instruction {}", pc, open.back().loop);
      }
      return;
    }
    if (instruction.opcode == Opcode::kLoop) {
      open_loop(pc, open);
      continue;
    }
    collect_patches(pc, open);
    std::int64_t times = 1;
    for (const Frame& f : open) times = std::min(times * f.count, kMaxDynamicInstructions + 1);
    dynamic_count_ += times;
    if (dynamic_count_ > kMaxDynamicInstructions) {
      fail("instruction {}: more than {} dynamic instructions", pc, kMaxDynamicInstructions);
    }
  }
}

void Unroller::open_loop(std::size_t index, std::vector<Frame>& open) const {
  const Instruction& loop = code_[index];
  const std::int64_t count = loop[Opd::kCount];
  const std::int64_t length = loop[Opd::kLength];
  if (count < 1 || count >= kOutOfEveryField) {
    fail("instruction {}: loop: count must be at least 1, got {}", index, count);
  }
  if (length < 1) fail("instruction {}: loop: length must be at least 1, got {}", index, length);
  const std::size_t begin = index + 1;
  if (static_cast<std::uint64_t>(length) > code_.size() - begin) {
    fail("instruction {}: loop: body of {} instructions goes beyond the code", index, length);
  }
  const std::size_t end = begin + static_cast<std::size_t>(length);
  if (!open.empty() && end > open.back().end) {
    fail("instruction {}: loop: body goes beyond the end of the loop at instruction {}", index,
         open.back().loop);
  }
  for (std::size_t p = 0; p < kPatches; ++p) {
    if (loop[patch_opd(Opd::kPatch0Step, p)] == 0) continue;
    const std::int64_t slot = loop[patch_opd(Opd::kPatch0Slot, p)];
    const std::int64_t opd = loop[patch_opd(Opd::kPatch0Opd, p)];
    if (slot < 0 || slot >= length) {
      fail("instruction {}: loop: patch{}_slot {} is outside the body of {} instructions", index, p,
           slot, length);
    }
    const std::size_t target = begin + static_cast<std::size_t>(slot);
    const InstrSpec& spec = spec_of(code_[target].opcode);
    if (spec.unit == Unit::kControl) {
      fail("instruction {}: loop: patch{} changes instruction {}, a control instruction ({})",
           index, p, target, spec.mnemonic);
    }
    if (!field_of(spec, opd)) {
      fail("instruction {}: loop: patch{}_opd: instruction {} ({}) has no operand {}", index, p,
           target, spec.mnemonic,
           opd >= 0 && opd < static_cast<std::int64_t>(kOpdCount)
               ? name_of(static_cast<Opd>(opd))
               : std::string_view(fmt::to_string(opd)));
    }
  }
  open.push_back({begin, end, 0, count, index});
}

void Unroller::collect_patches(std::size_t index, const std::vector<Frame>& open) {
  const std::size_t first = patches_.size();
  const Instruction& target = code_[index];
  const InstrSpec& spec = spec_of(target.opcode);
  for (std::size_t depth = 0; depth < open.size(); ++depth) {
    const Instruction& loop = code_[open[depth].loop];
    for (std::size_t p = 0; p < kPatches; ++p) {
      const std::int64_t step = loop[patch_opd(Opd::kPatch0Step, p)];
      if (step == 0 ||
          open[depth].begin + static_cast<std::size_t>(loop[patch_opd(Opd::kPatch0Slot, p)]) !=
              index) {
        continue;
      }
      const auto slot = field_of(spec, loop[patch_opd(Opd::kPatch0Opd, p)]);
      NPU_CHECK(slot.has_value(), "open_loop checked the operand");
      patches_.push_back({static_cast<std::uint32_t>(depth), *slot, step});
    }
  }
  for (std::size_t i = first; i < patches_.size(); ++i) {
    const std::uint32_t slot = patches_[i].slot;
    std::int64_t low = target.values[slot];
    std::int64_t high = low;
    for (std::size_t j = first; j < patches_.size(); ++j) {
      if (patches_[j].slot != slot) continue;
      const std::int64_t grown = growth(patches_[j].step, open[patches_[j].depth].count);
      (grown < 0 ? low : high) += grown;
    }
    const Field& field = spec.fields[slot];
    if (low < min_of(field) || high > max_of(field)) {
      fail("instruction {}: {}: the patches of its loops move {} from {} to {}, out of its {} bits",
           index, spec.mnemonic, name_of(field.opd), low, high, field.width);
    }
  }
}

bool Unroller::next(Instruction& instruction, std::int32_t& static_index) {
  for (;;) {
    while (!frames_.empty() && frames_.back().end == pc_) {
      Frame& frame = frames_.back();
      if (++frame.iteration < frame.count) {
        pc_ = frame.begin;
      } else {
        frames_.pop_back();
      }
    }
    const Instruction& word = code_[pc_];
    if (word.opcode == Opcode::kHalt) return false;
    if (word.opcode == Opcode::kLoop) {
      const std::size_t begin = pc_ + 1;
      frames_.push_back(
          {begin, begin + static_cast<std::size_t>(word[Opd::kLength]), 0, word[Opd::kCount], pc_});
      pc_ = begin;
      continue;
    }
    instruction = word;
    static_index = static_cast<std::int32_t>(pc_);
    for (std::uint32_t p = patches_at_[pc_]; p < patches_at_[pc_ + 1]; ++p) {
      const Patch& patch = patches_[p];
      instruction.values[patch.slot] += frames_[patch.depth].iteration * patch.step;
    }
    ++pc_;
    return true;
  }
}

}  // namespace npu::isa
