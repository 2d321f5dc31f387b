#include "sim/core/operand_checks.h"

#include <algorithm>
#include <array>
#include <vector>

#include "sim/base/error.h"

namespace npu {
namespace {

using isa::Opcode;
using isa::Opd;

constexpr std::array kAtLeastOne = {
    Opd::kCount,   Opd::kLength,  Opd::kN0,      Opd::kN1,        Opd::kN2,        Opd::kN3,
    Opd::kM,       Opd::kN,       Opd::kK,       Opd::kInH,       Opd::kInW,       Opd::kKernelH,
    Opd::kKernelW, Opd::kStrideH, Opd::kStrideW, Opd::kDilationH, Opd::kDilationW, Opd::kUpH,
    Opd::kUpW,     Opd::kOutH,    Opd::kOutW,    Opd::kInC,       Opd::kOutC,      Opd::kMultiplier,
    Opd::kR1,      Opd::kR2,      Opd::kRows,
};
constexpr std::array kTypes = {Opd::kXType,   Opd::kWType, Opd::kInType,
                               Opd::kOutType, Opd::kAType, Opd::kBType};

/// int32 elements go through the vector unit's integer operations only.
bool takes_int32(Opcode opcode) {
  switch (opcode) {
    case Opcode::kLoadWeights:
    case Opcode::kConv:
    case Opcode::kDepthwise:
    case Opcode::kGemm:
    case Opcode::kMaxPool:
    case Opcode::kAvgPool:
    case Opcode::kDot:
    case Opcode::kSoftmax:
      return false;
    default:
      return true;
  }
}

/// The generic checks of one row: positions among its values, and their least and greatest value.
struct Limit {
  std::size_t slot;
  std::int64_t least, greatest;
};
using Limits = std::array<std::vector<Limit>, isa::kOpcodeCount>;

Limits make_limits() {
  Limits limits;
  for (const isa::InstrSpec& spec : isa::instruction_table()) {
    for (std::size_t f = 0; f < spec.field_count; ++f) {
      const Opd opd = spec.fields[f].opd;
      auto& row = limits[static_cast<std::size_t>(spec.opcode)];
      if (std::ranges::find(kAtLeastOne, opd) != kAtLeastOne.end())
        row.push_back({f, 1, INT64_MAX});
      if (std::ranges::find(kTypes, opd) != kTypes.end()) {
        row.push_back({f, 0, takes_int32(spec.opcode) ? 3 : 2});
      }
    }
  }
  return limits;
}

int engines_of(const NpuConfig& config) {
  return static_cast<int>(isa::Engine::kDma0) + config.dma.channels;
}

std::optional<std::string> engine_fault(const isa::Instruction& in, const NpuConfig& config) {
  const int engines = engines_of(config);
  const auto token_fault = [engines](std::string_view name,
                                     unsigned mask) -> std::optional<std::string> {
    if (mask >> engines == 0) return std::nullopt;
    int e = engines;
    while ((mask >> e & 1U) == 0) ++e;
    return fmt::format("{}: the configuration has no engine {}", name,
                       name_of(static_cast<isa::Engine>(e)));
  };
  if (auto fault = token_fault("wait", in.wait)) return fault;
  if (auto fault = token_fault("signal", in.signal)) return fault;
  const isa::Unit unit = spec_of(in.opcode).unit;
  if (unit == isa::Unit::kDma &&
      (in[Opd::kChannel] < 0 || in[Opd::kChannel] >= config.dma.channels)) {
    return fmt::format("channel: the configuration has {} DMA channels, got {}",
                       config.dma.channels, in[Opd::kChannel]);
  }
  if (unit == isa::Unit::kAny && (in[Opd::kEngine] < 0 || in[Opd::kEngine] >= engines)) {
    return fmt::format("engine: the configuration has engines 0 to {}, got {}", engines - 1,
                       in[Opd::kEngine]);
  }
  return std::nullopt;
}

/// `rows` rows of `columns` accumulators of `element` bytes.
std::optional<std::string> accumulator_fault(const isa::Instruction& in, std::int64_t rows,
                                             std::int64_t columns, std::int64_t element) {
  if (in[Opd::kAcc] % element != 0) {
    return fmt::format("acc: must be a multiple of {} bytes, got {:#x}", element, in[Opd::kAcc]);
  }
  if (rows > 1 && in[Opd::kAccPitch] < columns) {
    return fmt::format("acc_pitch: must be at least the {} elements of a row, got {}", columns,
                       in[Opd::kAccPitch]);
  }
  return std::nullopt;
}

std::optional<std::string> clamp_fault(const isa::Instruction& in) {
  if (in[Opd::kClampMin] <= in[Opd::kClampMax]) return std::nullopt;
  return fmt::format("clamp_min: must not exceed clamp_max {}, got {}", in[Opd::kClampMax],
                     in[Opd::kClampMin]);
}

/// Streamed tiles have no address in the accumulators, whole reductions and at most `cols`
/// channels.
std::optional<std::string> stream_fault(const isa::Instruction& in, const NpuConfig& config) {
  if (config.mac_array.result_stream_entries == 0) {
    return "stream: the configuration has no result stream";
  }
  const std::int64_t channels = in[in.opcode == Opcode::kGemm ? Opd::kN : Opd::kOutC];
  if (channels > config.mac_array.cols) {
    return fmt::format("stream: at most the array's {} columns, got {} channels",
                       config.mac_array.cols, channels);
  }
  if (in.opcode != Opcode::kRequantize && in[Opd::kAccumulate] != 0) {
    return "stream: a streamed tile cannot accumulate";
  }
  return std::nullopt;
}

bool is_streamed(const isa::Instruction& in) {
  return (in.opcode == Opcode::kConv || in.opcode == Opcode::kGemm ||
          in.opcode == Opcode::kRequantize) &&
         in[Opd::kStream] != 0;
}

std::optional<std::string> special_fault(const isa::Instruction& in, const NpuConfig& config) {
  if (is_streamed(in)) {
    if (auto fault = stream_fault(in, config)) return fault;
    return in.opcode == Opcode::kRequantize ? clamp_fault(in) : std::nullopt;
  }
  switch (in.opcode) {
    case Opcode::kConv:
    case Opcode::kDepthwise:
      return accumulator_fault(in, in[Opd::kOutH] * in[Opd::kOutW], in[Opd::kOutC],
                               in[Opd::kWide] != 0 ? 8 : 4);
    case Opcode::kGemm:
      return accumulator_fault(in, in[Opd::kM], in[Opd::kN], in[Opd::kWide] != 0 ? 8 : 4);
    case Opcode::kRequantize:
      if (auto fault = clamp_fault(in)) return fault;
      return accumulator_fault(in, in[Opd::kOutH] * in[Opd::kOutW], in[Opd::kOutC],
                               in[Opd::kWide] != 0 ? 8 : 4);
    case Opcode::kReduceSum:
      return accumulator_fault(in, in[Opd::kRows], in[Opd::kN0], 4);
    case Opcode::kDot:
      if (in[Opd::kAcc] % 4 != 0)
        return fmt::format("acc: must be a multiple of 4 bytes, got {:#x}", in[Opd::kAcc]);
      return std::nullopt;
    case Opcode::kMaxPool:
    case Opcode::kAvgPool:
      return clamp_fault(in);
    case Opcode::kDmaFill:
      if (const std::int64_t bytes = in[Opd::kElementBytes];
          bytes != 1 && bytes != 2 && bytes != 4) {
        return fmt::format("element_bytes: must be 1, 2 or 4, got {}", bytes);
      }
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<std::string> operand_fault(const isa::Instruction& instruction,
                                         const NpuConfig& config) {
  static const Limits kLimits = make_limits();
  if (auto fault = engine_fault(instruction, config)) return fault;
  for (const Limit& limit : kLimits[static_cast<std::size_t>(instruction.opcode)]) {
    const std::int64_t value = instruction.values[limit.slot];
    if (value >= limit.least && value <= limit.greatest) continue;
    const std::string_view name = name_of(spec_of(instruction.opcode).fields[limit.slot].opd);
    if (value < limit.least)
      return fmt::format("{}: must be at least {}, got {}", name, limit.least, value);
    return fmt::format("{}: element type must be 0 to {}, got {}", name, limit.greatest, value);
  }
  return special_fault(instruction, config);
}

}  // namespace npu
