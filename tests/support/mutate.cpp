#include "tests/support/mutate.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "isa/encoding.h"
#include "isa/footprint.h"
#include "isa/unroll.h"

namespace npu::test {
namespace {

using isa::Instruction;
using isa::Opcode;
using isa::Opd;

constexpr std::array kAddresses = {Opd::kSrc, Opd::kDst, Opd::kA,      Opd::kB,    Opd::kX,
                                   Opd::kW,   Opd::kAcc, Opd::kParams, Opd::kTable};
constexpr std::array kCounts = {Opd::kN0, Opd::kN1, Opd::kN2, Opd::kN3};
constexpr std::array kArithmetic = {
    Opd::kKernelH, Opd::kKernelW,    Opd::kStrideH,  Opd::kStrideW,   Opd::kDilationH,
    Opd::kUpH,     Opd::kY0,         Opd::kX0,       Opd::kXZero,     Opd::kWZero,
    Opd::kOutZero, Opd::kClampMin,   Opd::kClampMax, Opd::kAZero,     Opd::kBZero,
    Opd::kInC,     Opd::kOutC,       Opd::kK,        Opd::kN0,        Opd::kRows,
    Opd::kValue,   Opd::kAccumulate, Opd::kReduced,  Opd::kPerChannel};
constexpr std::array kSteps = {Opd::kCount,      Opd::kPatch0Step, Opd::kPatch1Step,
                               Opd::kPatch2Step, Opd::kPatch3Step, Opd::kPatch4Step,
                               Opd::kPatch5Step, Opd::kPatch6Step};

bool is_control(const Instruction& i) { return spec_of(i.opcode).unit == isa::Unit::kControl; }
bool is_dma(const Instruction& i) { return spec_of(i.opcode).unit == isa::Unit::kDma; }

/// An operand: instruction and field.
struct Place {
  std::size_t index, field;
};

/// The operands of `names` in the instructions that `fits` accepts.
template <typename Names, typename Fits>
std::vector<Place> places(const isa::Program& program, const Names& names, Fits&& fits) {
  std::vector<Place> all;
  for (std::size_t i = 0; i < program.code.size(); ++i) {
    const isa::InstrSpec& spec = spec_of(program.code[i].opcode);
    for (std::size_t f = 0; f < spec.field_count; ++f) {
      if (std::ranges::find(names, spec.fields[f].opd) == names.end()) continue;
      if (fits(program.code[i], program.code[i].values[f])) all.push_back({i, f});
    }
  }
  return all;
}

template <typename T>
const T& pick(const std::vector<T>& all, Draw& draw) {
  return all[static_cast<std::size_t>(draw.integer(0, std::ssize(all) - 1))];
}

Mutant begin(const isa::Program& good, std::size_t index) {
  return {good, index,
          fmt::format("instruction {} {}", index, spec_of(good.code[index].opcode).mnemonic)};
}

/// The operand `step` greater; nullopt where its field does not hold that.
std::optional<Mutant> changed(const isa::Program& good, Place place, std::int64_t step) {
  const isa::Field& field = spec_of(good.code[place.index].opcode).fields[place.field];
  const std::int64_t before = good.code[place.index].values[place.field];
  const std::int64_t after = field.width == 1 ? 1 - before : before + step;
  if (after < min_of(field) || after > max_of(field)) return std::nullopt;
  Mutant m = begin(good, place.index);
  m.program.code[place.index].values[place.field] = after;
  m.what += fmt::format(": {} {:#x} -> {:#x}", name_of(field.opd), before, after);
  return m;
}

/// The bytes that an instruction works on, at most.
std::int64_t tile_bytes(const Instruction& instruction) {
  const isa::Footprint touched = isa::footprint(instruction);
  std::int64_t bytes = 1;
  for (const auto* regions : {&touched.reads, &touched.writes}) {
    for (const isa::Region& r : *regions) bytes = std::max(bytes, r.high() - r.low());
  }
  return bytes;
}

std::optional<Mutant> shift(const isa::Program& good, Draw& draw) {
  const auto all =
      places(good, kAddresses, [](const Instruction& i, std::int64_t) { return !is_control(i); });
  if (all.empty()) return std::nullopt;
  const Place place = pick(all, draw);
  const std::int64_t by =
      draw.any_of<std::int64_t>({1, 2, 4, 64, tile_bytes(good.code[place.index])});
  return changed(good, place, draw.one_in(2) ? by : -by);
}

std::optional<Mutant> drop_bit(const isa::Program& good, std::uint8_t Instruction::*mask,
                               std::string_view name, Draw& draw) {
  std::vector<std::pair<std::size_t, int>> all;
  for (std::size_t i = 0; i < good.code.size(); ++i) {
    for (int e = 0; e < isa::kEngineCount; ++e) {
      if ((good.code[i].*mask >> e & 1) != 0) all.emplace_back(i, e);
    }
  }
  if (all.empty()) return std::nullopt;
  const auto [index, engine] = pick(all, draw);
  Mutant m = begin(good, index);
  m.program.code[index].*mask &= static_cast<std::uint8_t>(~(1U << engine));
  m.what += fmt::format(": no {} {}", name, name_of(static_cast<isa::Engine>(engine)));
  return m;
}

std::optional<Mutant> drop_pair(const isa::Program& good, Draw& draw) {
  const std::vector<TokenPair> all = token_pairs(good);
  if (all.empty()) return std::nullopt;
  const TokenPair& pair = pick(all, draw);
  Mutant m = begin(good, pair.giver);
  m.program = without(good, pair);
  m.what += fmt::format(": no token for instruction {}", pair.taker);
  return m;
}

std::optional<Mutant> swap(const isa::Program& good, bool across, Draw& draw) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i + 1 < good.code.size(); ++i) {
    const Instruction& a = good.code[i];
    const Instruction& b = good.code[i + 1];
    const bool differ = is_control(a) || is_control(b) || a.engine() != b.engine();
    if (a != b && differ == across) all.push_back(i);
  }
  if (all.empty()) return std::nullopt;
  const std::size_t index = pick(all, draw);
  Mutant m = begin(good, index);
  std::swap(m.program.code[index], m.program.code[index + 1]);
  std::swap(m.program.layer_of.at(index), m.program.layer_of.at(index + 1));
  m.what += " after its successor";
  return m;
}

std::optional<Mutant> change(const isa::Program& good, const std::vector<Place>& all,
                             std::initializer_list<std::int64_t> steps, Draw& draw) {
  if (all.empty()) return std::nullopt;
  const Place place = pick(all, draw);
  return changed(good, place, draw.any_of(steps));
}

std::optional<Mutant> attempt(const isa::Program& good, Mistake mistake, Draw& draw) {
  switch (mistake) {
    case Mistake::kDroppedWait:
      return drop_bit(good, &Instruction::wait, "wait for", draw);
    case Mistake::kDroppedSignal:
      return drop_bit(good, &Instruction::signal, "signal to", draw);
    case Mistake::kDroppedPair:
      return drop_pair(good, draw);
    case Mistake::kShiftedAddress:
      return shift(good, draw);
    case Mistake::kSwappedInOrder:
    case Mistake::kSwappedAcross:
      return swap(good, mistake == Mistake::kSwappedAcross, draw);
    case Mistake::kShortenedDma:
      return change(good,
                    places(good, kCounts,
                           [](const Instruction& i, std::int64_t v) { return is_dma(i) && v > 1; }),
                    {-1}, draw);
    case Mistake::kChangedOperand:
      return change(good,
                    places(good, kArithmetic,
                           [](const Instruction& i, std::int64_t) {
                             return !is_control(i) && (!is_dma(i) || i.opcode == Opcode::kDmaFill);
                           }),
                    {-1, 1}, draw);
    case Mistake::kChangedLoop:
      return change(good,
                    places(good, kSteps, [](const Instruction&, std::int64_t v) { return v != 0; }),
                    {-64, -1, 1, 64}, draw);
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(Mistake mistake) {
  constexpr std::array<std::string_view, kMistakeCount> kNames = {
      "dropped wait",    "dropped signal",       "dropped pair",
      "shifted address", "swapped on an engine", "swapped across engines",
      "shortened DMA",   "changed operand",      "changed loop"};
  return kNames.at(static_cast<std::size_t>(mistake));
}

std::optional<Mutant> mutate(const isa::Program& good, Mistake mistake, Draw& draw) {
  constexpr int kAttempts = 20;  // Some operands do not fit their field any more.
  for (int i = 0; i < kAttempts; ++i) {
    if (std::optional<Mutant> m = attempt(good, mistake, draw)) return m;
  }
  return std::nullopt;
}

std::vector<TokenPair> token_pairs(const isa::Program& program) {
  using Link = std::pair<isa::Engine, isa::Engine>;  // From, to.
  std::map<Link, std::vector<std::size_t>> givers, takers;
  isa::Unroller unroller(program.code);
  Instruction instruction;
  std::int32_t index = 0;
  while (unroller.next(instruction, index)) {
    const isa::Engine engine = instruction.engine();
    for (int e = 0; e < isa::kEngineCount; ++e) {
      const auto other = static_cast<isa::Engine>(e);
      const auto at = static_cast<std::size_t>(index);
      if ((instruction.signal >> e & 1) != 0) givers[{engine, other}].push_back(at);
      if ((instruction.wait >> e & 1) != 0) takers[{other, engine}].push_back(at);
    }
  }
  std::vector<TokenPair> pairs;
  for (const auto& [link, gives] : givers) {
    const std::vector<std::size_t>& takes = takers[link];
    std::map<std::size_t, std::set<std::size_t>> partners_of_giver, partners_of_taker;
    constexpr std::size_t kNobody = SIZE_MAX;
    for (std::size_t k = 0; k < std::max(gives.size(), takes.size()); ++k) {
      const std::size_t giver = k < gives.size() ? gives[k] : kNobody;
      const std::size_t taker = k < takes.size() ? takes[k] : kNobody;
      partners_of_giver[giver].insert(taker);
      partners_of_taker[taker].insert(giver);
    }
    for (const auto& [giver, partners] : partners_of_giver) {
      const std::size_t taker = *partners.begin();
      if (giver == kNobody || taker == kNobody) continue;
      if (partners.size() != 1 || partners_of_taker[taker].size() != 1) continue;
      pairs.push_back({giver, taker, link.first, link.second});
    }
  }
  return pairs;
}

isa::Program without(isa::Program program, const TokenPair& pair) {
  program.code[pair.giver].signal &=
      static_cast<std::uint8_t>(~(1U << static_cast<unsigned>(pair.to)));
  program.code[pair.taker].wait &=
      static_cast<std::uint8_t>(~(1U << static_cast<unsigned>(pair.from)));
  return program;
}

}  // namespace npu::test
