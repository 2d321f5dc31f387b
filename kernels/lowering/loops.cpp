#include "kernels/lowering/loops.h"

#include <array>
#include <optional>

namespace npu::kernels {
namespace {

using isa::Instruction;
using isa::Opcode;
using isa::Opd;

constexpr std::size_t kPatches = 7;
constexpr std::size_t kFewest = 3;  // any two blocks can be made to differ by one step
constexpr std::array<std::array<Opd, 3>, kPatches> kPatchOpds = {{
    {Opd::kPatch0Slot, Opd::kPatch0Opd, Opd::kPatch0Step},
    {Opd::kPatch1Slot, Opd::kPatch1Opd, Opd::kPatch1Step},
    {Opd::kPatch2Slot, Opd::kPatch2Opd, Opd::kPatch2Step},
    {Opd::kPatch3Slot, Opd::kPatch3Opd, Opd::kPatch3Step},
    {Opd::kPatch4Slot, Opd::kPatch4Opd, Opd::kPatch4Step},
    {Opd::kPatch5Slot, Opd::kPatch5Opd, Opd::kPatch5Step},
    {Opd::kPatch6Slot, Opd::kPatch6Opd, Opd::kPatch6Step},
}};

struct Patch {
  std::size_t slot = 0;   ///< Instruction within the body.
  std::size_t field = 0;  ///< Among the row's fields.
  std::int64_t step = 0;
};

bool same_shape(const CodeLine& a, const CodeLine& b) {
  return a.instruction.opcode == b.instruction.opcode && a.instruction.wait == b.instruction.wait &&
         a.instruction.signal == b.instruction.signal && a.layer == b.layer;
}

/// The steps from the block at `begin` to the one that follows it; nullopt if they are not alike.
std::optional<std::vector<Patch>> compare(const std::vector<CodeLine>& code, std::size_t begin,
                                          std::size_t length) {
  std::vector<Patch> patches;
  for (std::size_t i = 0; i < length; ++i) {
    const CodeLine& a = code[begin + i];
    const CodeLine& b = code[begin + length + i];
    if (!same_shape(a, b)) return std::nullopt;
    for (std::size_t f = 0; f < isa::spec_of(a.instruction.opcode).field_count; ++f) {
      const std::int64_t step = b.instruction.values[f] - a.instruction.values[f];
      if (step == 0) continue;
      if (patches.size() == kPatches) return std::nullopt;
      patches.push_back({i, f, step});
    }
  }
  return patches;
}

bool same_steps(const std::vector<Patch>& a, const std::vector<Patch>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].slot != b[i].slot || a[i].field != b[i].field || a[i].step != b[i].step) return false;
  }
  return true;
}

struct Loop {
  std::size_t length = 0, count = 1;
  std::vector<Patch> patches;
  [[nodiscard]] std::size_t saved() const { return count < kFewest ? 0 : (count - 1) * length - 1; }
};

Loop longest(const std::vector<CodeLine>& code, std::size_t begin, std::size_t length) {
  Loop loop{length, 1, {}};
  for (std::size_t at = begin; at + 2 * length <= code.size(); at += length) {
    std::optional<std::vector<Patch>> patches = compare(code, at, length);
    if (!patches || (loop.count > 1 && !same_steps(*patches, loop.patches))) break;
    loop.patches = std::move(*patches);
    ++loop.count;
  }
  return loop;
}

Instruction loop_word(const std::vector<CodeLine>& code, std::size_t begin, const Loop& loop) {
  Instruction word;
  word.opcode = Opcode::kLoop;
  word.set(Opd::kCount, static_cast<std::int64_t>(loop.count));
  word.set(Opd::kLength, static_cast<std::int64_t>(loop.length));
  for (std::size_t i = 0; i < loop.patches.size(); ++i) {
    const Patch& p = loop.patches[i];
    const Opd opd = isa::spec_of(code[begin + p.slot].instruction.opcode).fields[p.field].opd;
    word.set(kPatchOpds[i][0], static_cast<std::int64_t>(p.slot));
    word.set(kPatchOpds[i][1], static_cast<std::int64_t>(opd));
    word.set(kPatchOpds[i][2], p.step);
  }
  return word;
}

}  // namespace

std::vector<CodeLine> roll_loops(const std::vector<CodeLine>& code) {
  std::vector<CodeLine> rolled;
  rolled.reserve(code.size());
  for (std::size_t at = 0; at < code.size();) {
    Loop best;
    for (std::size_t length = 1; length <= kLongestBody && at + 2 * length <= code.size();
         ++length) {
      if (!same_shape(code[at], code[at + length])) continue;
      Loop loop = longest(code, at, length);
      if (loop.saved() > best.saved()) best = std::move(loop);
    }
    if (best.saved() == 0) {
      rolled.push_back(code[at++]);
      continue;
    }
    rolled.push_back({loop_word(code, at, best), code[at].layer, "repeat"});
    rolled.insert(rolled.end(), code.begin() + static_cast<std::ptrdiff_t>(at),
                  code.begin() + static_cast<std::ptrdiff_t>(at + best.length));
    at += best.length * best.count;
  }
  return rolled;
}

}  // namespace npu::kernels
