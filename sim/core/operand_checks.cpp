#include "sim/core/operand_checks.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "sim/base/error.h"
#include "sim/base/function.h"
#include "sim/compute/mac_operation.h"

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

constexpr unsigned kIntegers = 0x0f;  ///< Masks over element type codes.
constexpr unsigned kMultiplicands = 0x07;
constexpr unsigned kFloats = 0x70;

/// The element types that an operand takes.
unsigned types_of(Opcode opcode, Opd opd) {
  switch (opcode) {
    case Opcode::kLoadWeights:
    case Opcode::kConv:
    case Opcode::kDepthwise:
    case Opcode::kGemm:
    case Opcode::kMaxPool:
    case Opcode::kAvgPool:
      return kMultiplicands | kFloats;
    case Opcode::kDot:
    case Opcode::kSoftmax:
      return kMultiplicands;
    case Opcode::kMap:
    case Opcode::kReduce:
      return kIntegers | kFloats;
    case Opcode::kOutput:
      return opd == Opd::kInType ? 1U << 3 | 1U << 6 : kIntegers | kFloats;
    default:
      return kIntegers;
  }
}

/// The generic checks of one row: positions among its values that must be at least 1, or else an
/// element type of the mask.
struct Limit {
  std::size_t slot;
  unsigned types;  ///< 0: at least 1.
};
/// "0, 1, 2, 3"
std::string list_types(unsigned types) {
  std::string text;
  for (int code = 0; types >> code != 0; ++code) {
    if ((types >> code & 1U) == 0) continue;
    text += fmt::format("{}{}", text.empty() ? "" : ", ", code);
  }
  return text;
}

using Limits = std::array<std::vector<Limit>, isa::kOpcodeCount>;

Limits make_limits() {
  Limits limits;
  for (const isa::InstrSpec& spec : isa::instruction_table()) {
    for (std::size_t f = 0; f < spec.field_count; ++f) {
      const Opd opd = spec.fields[f].opd;
      auto& row = limits[static_cast<std::size_t>(spec.opcode)];
      if (std::ranges::find(kAtLeastOne, opd) != kAtLeastOne.end()) row.push_back({f, 0});
      if (std::ranges::find(kTypes, opd) != kTypes.end()) {
        row.push_back({f, types_of(spec.opcode, opd)});
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

/// Both operands of a product are integers, or both have the one float type; floats take no zero
/// points, no wide accumulators and no result stream.
std::optional<std::string> product_fault(const isa::Instruction& in) {
  const std::int64_t x = in[Opd::kXType];
  const std::int64_t w = in[Opd::kWType];
  const bool is_float = (kFloats >> x & 1U) != 0;
  if (is_float != ((kFloats >> w & 1U) != 0) || (is_float && x != w)) {
    return fmt::format("w_type: {} does not go with x_type {}", w, x);
  }
  if (!is_float) return std::nullopt;
  if (in[Opd::kWide] != 0) return "wide: accumulators of floats have 4 bytes";
  if (in[Opd::kXZero] != 0 || in[Opd::kWZero] != 0) return "x_zero, w_zero: must be 0 for floats";
  if (in.opcode != Opcode::kDepthwise && in[Opd::kStream] != 0) {
    return "stream: sums of floats do not go through the result stream";
  }
  return std::nullopt;
}

/// A float type that the array has no arithmetic for.
std::optional<std::string> precision_fault(const isa::Instruction& in, Opd type,
                                           const NpuConfig& config) {
  const auto precision = compute::precision_of(static_cast<compute::Element>(in[type]));
  if (precision == timing::Precision::kInteger ||
      timing::float_cycles(config.mac_array, precision) > 0) {
    return std::nullopt;
  }
  return fmt::format("{}: mac_array.{}_cycles is 0: the array has no {} arithmetic", name_of(type),
                     name_of(precision), name_of(precision));
}

std::optional<std::string> map_fault(const isa::Instruction& in) {
  const std::int64_t function = in[Opd::kFunction];
  if (function >= std::int64_t{kMapFunctions}) {
    return fmt::format("function: must be in [0, {}], got {}", kMapFunctions - 1, function);
  }
  const auto f = static_cast<MapFunction>(function);
  if (!takes_integers_only(f)) return std::nullopt;
  const bool reads_b = info_of(f).operands == 2 && in[Opd::kBImmediate] == 0;
  for (const Opd type : {Opd::kAType, Opd::kBType}) {
    if ((kFloats >> in[type] & 1U) == 0 || (type == Opd::kBType && !reads_b)) continue;
    return fmt::format("{}: {} takes integers, got {}", name_of(type), name_of(f), in[type]);
  }
  return std::nullopt;
}

/// Limits that are fp32 bits.
std::optional<std::string> float_clamp_fault(const isa::Instruction& in) {
  const auto value = [&in](Opd opd) {
    return std::bit_cast<float>(static_cast<std::int32_t>(in[opd]));
  };
  if (value(Opd::kClampMin) <= value(Opd::kClampMax)) return std::nullopt;
  return fmt::format("clamp_min: must not exceed clamp_max {}, got {}", value(Opd::kClampMax),
                     value(Opd::kClampMin));
}

std::optional<std::string> reduce_fault(const isa::Instruction& in) {
  const std::int64_t function = in[Opd::kFunction];
  if (function >= std::int64_t{kReduceFunctions}) {
    return fmt::format("function: must be in [0, {}], got {}", kReduceFunctions - 1, function);
  }
  const bool is_arg = function >= static_cast<std::int64_t>(ReduceFunction::kArgMax);
  if (is_arg && in[Opd::kOutType] != 3) {
    return fmt::format("out_type: positions are int32 (3), got {}", in[Opd::kOutType]);
  }
  if (is_arg && in[Opd::kAccumulate] != 0) return "accumulate: positions cannot accumulate";
  return std::nullopt;
}

std::optional<std::string> output_fault(const isa::Instruction& in) {
  if (in[Opd::kRaw] != 0) {
    if (in[Opd::kAccumulate] != 0) return "accumulate: raw output cannot accumulate";
    if (in[Opd::kOutType] != in[Opd::kInType]) {
      return fmt::format("out_type: raw output keeps in_type {}, got {}", in[Opd::kInType],
                         in[Opd::kOutType]);
    }
  }
  if (in[Opd::kRaw] == 0) {
    if (auto fault = float_clamp_fault(in)) return fault;
  }
  if (in[Opd::kAccumulate] != 0 && in[Opd::kOutType] != 6) {
    return fmt::format("out_type: output accumulates in float32 (6), got {}", in[Opd::kOutType]);
  }
  return accumulator_fault(in, in[Opd::kOutH] * in[Opd::kOutW], in[Opd::kOutC], 4);
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
  const bool is_product =
      in.opcode == Opcode::kConv || in.opcode == Opcode::kGemm || in.opcode == Opcode::kDepthwise;
  if (is_product) {
    if (auto fault = product_fault(in)) return fault;
    if (auto fault = precision_fault(in, Opd::kXType, config)) return fault;
  }
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
      return (kFloats >> in[Opd::kInType] & 1U) != 0 ? float_clamp_fault(in) : clamp_fault(in);
    case Opcode::kDmaFill:
      if (const std::int64_t bytes = in[Opd::kElementBytes];
          bytes != 1 && bytes != 2 && bytes != 4) {
        return fmt::format("element_bytes: must be 1, 2 or 4, got {}", bytes);
      }
      return std::nullopt;
    case Opcode::kLoadWeights:
      return precision_fault(in, Opd::kWType, config);
    case Opcode::kMap:
      return map_fault(in);
    case Opcode::kReduce:
      return reduce_fault(in);
    case Opcode::kOutput:
      return output_fault(in);
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
    const std::string_view name = name_of(spec_of(instruction.opcode).fields[limit.slot].opd);
    if (limit.types == 0) {
      if (value < 1) return fmt::format("{}: must be at least 1, got {}", name, value);
      continue;
    }
    if (value >= 0 && value < 16 && (limit.types >> value & 1U) != 0) continue;
    return fmt::format("{}: element type must be {}, got {}", name, list_types(limit.types), value);
  }
  return special_fault(instruction, config);
}

}  // namespace npu
